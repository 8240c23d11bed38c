// Laying out JSON.

import Testing

@testable import LWSCatKit

@Suite("Laying out JSON")
struct JSONLayoutTests {
    @Test("puts each member and element on a line, and changes nothing else")
    func layout() {
        let text = #" { "b" : [1.50, -2E+3,{}, [ ] ] ,"a":{"x":null},"ü\n\u00e9\"":true , "a":"" } "#
        #expect(
            JSONLayout.format(text) == #"""
                {
                  "b": [
                    1.50,
                    -2E+3,
                    {},
                    []
                  ],
                  "a": {
                    "x": null
                  },
                  "ü\n\u00e9\"": true,
                  "a": ""
                }
                """#)
        for scalar in ["0", "-0.5", "12345678901234567890123", "\"a\"", "null", "true"] {
            #expect(JSONLayout.format("\n\(scalar)\t") == scalar)
        }
    }

    @Test(
        "takes nothing for JSON that is not",
        arguments: [
            "", " ", "hello", "{", "[", "[1", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "[1 2]",
            "1 2", "[1]]", "{\"a\":1]", "[1}", "01", "+1", "1.", ".5", "1e", "--1", "truex", "True", "nul", "\"a",
            "\"\\x\"", "\"\\u12g4\"", "\"\\u12", "\"a\nb\"", "'a'", "NaN", "[,1]", "{,}", "]", "}", ",",
        ])
    func notJSON(text: String) {
        #expect(JSONLayout.format(text) == nil)
    }

    @Test("takes any nesting", arguments: [64, 100_000])
    func deep(depth: Int) {
        let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let lines = JSONLayout.format(text)?.split(separator: "\n") ?? []
        #expect(lines.count == 2 * depth - 1)
        #expect(lines.last == "]")
        #expect(JSONLayout.format(String(repeating: "[", count: depth)) == nil)
    }
}
