import Testing

@testable import weir

@Suite("A backfill on the console") struct BackfillConsoleTests {
    private func tree(_ json: String) throws -> JSONTree { try #require(JSONTree(Array(json.utf8))) }

    @Test("a bar shows what is resolved of what is listed, records, bytes, failures and when it ends")
    func bar() throws {
        let progress = try tree(
            """
            {"pass":1,"restarts":0,"listing":false,"listed":200,"resolved":50,"done":47,"refused":2,"failed":1,"open":150,"failing":3,"records":9000,
            "bytes":3145728,"parked_hosts":2,"repos_per_second":1.0,"records_per_second":180.0,"bytes_per_second":62914.5,"eta_seconds":150}
            """)
        let look = BackfillBar.Look(progress)
        #expect(look.resolved == 50 && look.total == 200)
        #expect(look.note == "9000 records · 3 MiB · 2 refused · 1 failed · 3 failing · 2 hosts parked · ends in 2 min 30 s")
    }

    @Test("a list that is still read is never shown as done, and has no end")
    func listing() throws {
        let look = BackfillBar.Look(try tree("{\"listing\":true,\"listed\":10,\"resolved\":10,\"records\":0,\"bytes\":0}"))
        #expect(look.total == 11)
        #expect(look.note == "listing · 0 records · 0 B")
    }

    @Test("numbers that no event should have paint no nonsense", arguments: ["{}", "{\"resolved\":-5,\"listed\":-1,\"open\":1,\"eta_seconds\":-9}"])
    func nonsense(json: String) throws {
        let look = BackfillBar.Look(try tree(json))
        #expect(look.resolved == 0 && look.total == 0)
    }

    @Test("the status has a line of jobs, a row a host, what went wrong, and hosts that are left alone")
    func status() throws {
        let lines = BackfillReport(
            try tree(
                """
                {"broker":{"queued_jobs":1999},"backfill":{"jobs":{"waiting":100000,"queued":1990,"fetching":9,"streamed":1},"jobs_counted_to":100000,
                "sources":[{"host":"relay.test","state":"listing","pass":1,"listed":120000,"done":18000,"open":102000,"failing":4,"refused":7,"failed":0,
                "records":5,"bytes":2048,"error":"HTTP 502\\u001b[2J"}],
                "parked_hosts":9,"parked":[{"host":"pds.test","ms_left":61000,"failures":2,"reason":"429"}]}}
                """)
        ).lines()
        #expect(lines[1] == "backfill: 100000 or more waiting · 1990 queued · 9 fetching · 1 streamed · job stream 1999")
        #expect(
            lines[3].split(separator: " ").map(String.init) == [
                "relay.test", "listing", "1", "120000", "18000", "102000", "4", "7", "0", "5", "2", "KiB",
            ])
        #expect(lines[4] == "  relay.test: HTTP 502\\u{1b}[2J")
        #expect(lines[5] == "left alone for a while: 9 hosts: pds.test (1 min 01 s, 429), …")
    }

    @Test("a fleet that fetches nothing shows nothing of it", arguments: ["{}", "{\"backfill\":{\"sources\":[],\"jobs\":{\"waiting\":0}}}"])
    func nothing(json: String) throws { #expect(BackfillReport(try tree(json)).lines().isEmpty) }
}
