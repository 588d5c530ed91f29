internal import NIOSSL

/// The certificate authorities that this machine trusts, read once for the process and shared.
///
/// Each pinned client has a TLS context of its own. One that reads the authorities for itself takes a megabyte and some twenty milliseconds; with
/// shared ones it takes ten kilobytes. A new authority counts after a restart.
enum TrustRoots {
    private static let files = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]

    /// The library's own default where the system keeps them elsewhere.
    static let shared: NIOSSLTrustRoots = {
        #if os(Linux)
            for file in files {
                if let certificates = try? NIOSSLCertificate.fromPEMFile(file), !certificates.isEmpty { return .certificates(certificates) }
            }
        #endif
        return .default
    }()
}
