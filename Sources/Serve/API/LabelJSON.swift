import Events
import Ledger

extension JSONWriter {
    /// A label as `/labels` shows it: members without a value are left out; `signed` is what became of its signature.
    mutating func value(_ label: StoredLabel) {
        beginObject()
        member("src", label.src)
        member("uri", label.uri)
        if !label.cid.isEmpty { member("cid", label.cid) }
        member("val", label.val)
        member("cts", label.cts)
        if !label.exp.isEmpty { member("exp", label.exp) }
        if let ver = label.ver { member("ver", ver) }
        member("signed", label.signature.rawValue)
        endObject()
    }
}
