extension MSTArena {
    /// The root's address; hashes what has changed since it was last asked for.
    mutating func rootCID() -> CID { address(root) ?? Self.emptyRoot }

    // Recursion is bounded by the layers, at most 129.
    private mutating func address(_ child: MSTChild) -> CID? {
        switch child {
        case .none: return nil
        case .stub(let cid): return cid
        case .node(let index):
            if let cid = nodes[index].cid { return cid }
            for gap in 0...nodes[index].entries.count { _ = address(nodes[index][gap: gap]) }
            let digest = withUnsafeTemporaryAllocation(byteCount: encodedBytesMax(index), alignment: 8) { memory in
                Digest(hashing: UnsafeRawBufferPointer(rebasing: memory[..<encode(index, to: memory)]))
            }
            let cid = CID(codec: .dagCBOR, digest: digest)
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

    /// Not less than the bytes of a node's block.
    private func encodedBytesMax(_ index: Int) -> Int {
        nodes[index].entries.reduce(MSTBlockWriter.nodeBytesMax) { $0 + MSTBlockWriter.entryBytesMax + $1.key.count }
    }

    /// Writes the block of a node whose children have addresses, and returns its length. There is room for ``encodedBytesMax(_:)``.
    private func encode(_ index: Int, to memory: UnsafeMutableRawBufferPointer) -> Int {
        guard var writer = MSTBlockWriter(memory) else { return 0 }
        writer.begin(entries: nodes[index].entries.count)
        var previous: MSTEntryKey?
        for entry in nodes[index].entries {
            writer.entry(entry.key, prefix: previous.map { $0.commonPrefix(entry.key) } ?? 0, right: knownAddress(entry.right), value: entry.value)
            previous = entry.key
        }
        writer.end(left: knownAddress(nodes[index].left))
        return writer.count
    }

    func block(_ index: Int) -> Block? {
        guard let cid = nodes[index].cid else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: encodedBytesMax(index)) { memory, count in
            count = encode(index, to: UnsafeMutableRawBufferPointer(memory))
        }
        return Block(cid: cid, bytes: bytes)
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
    func coveringNodes(of key: MSTEntryKey, into indices: inout Set<Int>) {
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
    func forEach(_ visit: (_ key: MSTEntryKey, _ value: CID) -> Void) { forEach(root, visit) }

    private func forEach(_ child: MSTChild, _ visit: (MSTEntryKey, CID) -> Void) {
        guard case .node(let index) = child else { return }
        forEach(nodes[index].left, visit)
        for entry in nodes[index].entries {
            visit(entry.key, entry.value)
            forEach(entry.right, visit)
        }
    }
}
