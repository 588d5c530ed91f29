import Foundation

/// Where the data of `weir up` is: the flag, else `WEIR_DATA`, else `.weir` here.
enum DataFolderOption {
    static func path(_ flag: String?) -> String {
        let variable = ProcessInfo.processInfo.environment["WEIR_DATA"].flatMap { $0.isEmpty ? nil : $0 }
        return flag ?? variable ?? ".weir"
    }
}
