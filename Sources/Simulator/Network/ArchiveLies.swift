import ATProto

/// Makes the lies of a faulty host, each such that only the check it is named after finds it, as far as that can be.
struct ArchiveLies {
    let did: String
    let archive: RepositoryArchive
    /// The account's.
    let key: SigningKey
    /// Nobody's.
    let stranger: SigningKey
    let otherDID: String
    var random: RandomStream

    private var repository: SimulatedRepository { archive.repository }

    /// Nil where this repository gives no occasion for it.
    mutating func lie(_ kind: FaultKind) throws(FormatError) -> ArchiveLie? {
        let sections = archive.steps.count
        switch kind {
        case .carWrongDigest: return chosen(archive.steps.filter { $0 != .commit }).map { ArchiveLie(spoiled: $0) }
        case .carMissingNode: return chosen(nodesBelowRoot.isEmpty ? rootSteps : nodesBelowRoot).map { ArchiveLie(omitted: $0) }
        case .carMissingRecord: return chosen(repository.entries.indices.map { .record($0) }).map { ArchiveLie(omitted: $0) }
        case .carCycle: return try ownChild()
        case .carRepeatedSubtree: return try repeatedSubtree()
        case .carKeysOutOfOrder:
            // Before every collection there is, on the root's own layer.
            return try behindLast("aa.example.lie") { $0 == $1 }
        case .carWrongLayer: return try behindLast("zz.example.lie") { $0 != $1 }
        case .carWrongSignature: return ArchiveLie(head: try commit(did: did, data: repository.data, stranger))
        case .carWrongDID: return ArchiveLie(head: try commit(did: otherDID, data: repository.data, key))
        case .carTruncated: return sections < 2 ? nil : ArchiveLie(end: 1 + random.below(sections - 1))
        case .carGiantVarint:
            return ArchiveLie(inserted: (1 + random.below(sections), [UInt8](repeating: 0xff, count: 8) + [0x7f]))
        case .carTrailingGarbage: return ArchiveLie(inserted: (sections, [40] + random.bytes(40)))
        default: return nil
        }
    }

    private mutating func chosen(_ steps: [RepositoryArchive.Step]) -> RepositoryArchive.Step? {
        steps.isEmpty ? nil : steps[random.below(steps.count)]
    }

    /// The root is the first node of a walk.
    private var rootSteps: [RepositoryArchive.Step] { archive.nodeSteps.first.map { [$0] } ?? [] }
    private var nodesBelowRoot: [RepositoryArchive.Step] { Array(archive.nodeSteps.dropFirst()) }

    private func commit(did: String, data: CID, _ key: SigningKey) throws(FormatError) -> Block {
        try CommitBlock.signed(did: did, rev: repository.rev, data: data, with: key).block
    }

    // MARK: Lies of the tree's root

    /// Keeps the root's address, which no block with itself as a child can have.
    private func ownChild() throws(FormatError) -> ArchiveLie? {
        guard case .map(var root)? = try decodedRoot() else { return nil }
        root["l"] = .link(repository.data)
        return ArchiveLie(root: Block(cid: repository.data, bytes: CBORValue.map(root).encode()))
    }

    /// One more entry in the root, whose subtree is one that the root has already.
    private func repeatedSubtree() throws(FormatError) -> ArchiveLie? {
        let root = try decodedRoot()
        let children = [root?["l"]] + (root?["e"]?.elements ?? []).map { $0["t"] }
        let links: [CBORValue] = children.compactMap { if case .link? = $0 { $0 } else { nil } }
        guard let child = links.first else { return nil }
        return try behindLast("zz.example.lie", child: child) { $0 == $1 }
    }

    /// One more entry behind the root's last, with a key of this collection whose layer compares with the root's as is wanted.
    private func behindLast(
        _ collection: String, child: CBORValue = .null, _ isWanted: (_ layer: Int, _ root: Int) -> Bool
    ) throws(FormatError) -> ArchiveLie? {
        guard case .map(var root)? = try decodedRoot(), case .array(var entries)? = root["e"], let value = repository.entries.first?.cid else {
            return nil
        }
        guard case .bytes(let first)? = entries.first?["k"] else { return nil }
        let layer = MSTKey.layer(of: first)
        var number = 0
        while !isWanted(MSTKey.layer(of: "\(collection)/\(number)"), layer) { number += 1 }
        entries.append(["k": .bytes(Array("\(collection)/\(number)".utf8)), "p": 0, "t": child, "v": .link(value)])
        root["e"] = .array(entries)
        let block = Block(hashing: CBORValue.map(root).encode())
        return ArchiveLie(head: try commit(did: did, data: block.cid, key), root: block)
    }

    private func decodedRoot() throws(FormatError) -> CBORValue? {
        guard case .node(let place)? = archive.nodeSteps.first, let block = archive.tree.block(place) else { return nil }
        return try CBORValue.decode(block.bytes)
    }
}

extension CBORValue {
    fileprivate var elements: [CBORValue] {
        if case .array(let values) = self { values } else { [] }
    }
}
