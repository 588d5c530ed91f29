extension MSTArena {
    /// The root's address; hashes what has changed since it was last asked for.
    mutating func rootCID() -> CID {
        var writer = CBORWriter(capacity: 1024)
        return address(root, &writer) ?? Self.emptyRoot
    }

    // Recursion is bounded by the layers, at most 129.
    private mutating func address(_ child: MSTChild, _ writer: inout CBORWriter) -> CID? {
        switch child {
        case .none: return nil
        case .stub(let cid): return cid
        case .node(let index):
            if let cid = nodes[index].cid { return cid }
            for gap in 0...nodes[index].entries.count { _ = address(nodes[index][gap: gap], &writer) }
            writer.reset()
            encode(index, into: &writer)
            let cid = CID(hashing: writer.bytes)
            setAddress(cid, of: index)
            return cid
        }
    }

    /// The address of a child that has one already.
    private func knownAddress(_ child: MSTChild) -> CID? {
        switch child {
        case .none: nil
        case .stub(let cid): cid
        case .node(let index): nodes[index].cid
        }
    }

    /// The block of a node whose children have addresses.
    private func encode(_ index: Int, into writer: inout CBORWriter) {
        writer.map(count: 2)
        writer.text("e")
        writer.array(count: nodes[index].entries.count)
        var previous: [UInt8] = []
        for entry in nodes[index].entries {
            let prefix = MSTKey.commonPrefix(previous, entry.key)
            writer.map(count: 4)
            writer.text("k")
            writer.byteString(entry.key[prefix...])
            writer.text("p")
            writer.integer(Int64(prefix))
            writer.text("t")
            writer.link(orNull: knownAddress(entry.right))
            writer.text("v")
            writer.link(entry.value)
            previous = entry.key
        }
        writer.text("l")
        writer.link(orNull: knownAddress(nodes[index].left))
    }

    private func block(_ index: Int) -> Block? {
        guard let cid = nodes[index].cid else { return nil }
        var writer = CBORWriter(capacity: 512)
        encode(index, into: &writer)
        return Block(cid: cid, bytes: writer.bytes)
    }

    /// All nodes, or only those that are new since the mark, parents before children.
    mutating func blocks(onlyNew: Bool) -> [Block] {
        guard case .node(let top) = root else { return [Block(cid: rootCID(), bytes: Self.emptyRootBlock)] }
        _ = rootCID()
        var result: [Block] = []
        var stack = [top]
        while let index = stack.popLast() {
            if onlyNew, !nodes[index].isNew { continue }
            if let block = block(index) { result.append(block) }
            for gap in (0...nodes[index].entries.count).reversed() {
                if case .node(let next) = nodes[index][gap: gap] { stack.append(next) }
            }
        }
        return result
    }

    /// Sets the mark: from here on, what changes is new.
    mutating func mark() {
        guard case .node(let top) = root else { return }
        var stack = [top]
        while let index = stack.popLast() {
            guard nodes[index].isNew else { continue }
            setKnown(index)
            for gap in 0...nodes[index].entries.count {
                if case .node(let next) = nodes[index][gap: gap] { stack.append(next) }
            }
        }
    }

    /// The nodes on the paths to a key and to its neighbours on both sides: what an inversion of a change of this key needs.
    ///
    /// Where the key is not in the tree, its neighbours are entries of nodes on the path to its place.
    func coveringNodes(of key: [UInt8], into indices: inout Set<Int>) {
        var child = root
        while case .node(let index) = child {
            indices.insert(index)
            let (position, found) = nodes[index].search(key)
            child = nodes[index][gap: position]
            guard found else { continue }
            descend(child, toLast: true, into: &indices)
            descend(nodes[index][gap: position + 1], toLast: false, into: &indices)
            return
        }
    }

    private func descend(_ child: MSTChild, toLast: Bool, into indices: inout Set<Int>) {
        var child = child
        while case .node(let index) = child {
            indices.insert(index)
            child = toLast ? nodes[index][gap: nodes[index].entries.count] : nodes[index].left
        }
    }

    func blocks(at indices: Set<Int>) -> [Block] { indices.sorted().compactMap(block) }

    /// Visits all pairs in order of keys. Stubs are passed over.
    func forEach(_ visit: (_ key: [UInt8], _ value: CID) -> Void) { forEach(root, visit) }

    private func forEach(_ child: MSTChild, _ visit: ([UInt8], CID) -> Void) {
        guard case .node(let index) = child else { return }
        forEach(nodes[index].left, visit)
        for entry in nodes[index].entries {
            visit(entry.key, entry.value)
            forEach(entry.right, visit)
        }
    }
}
