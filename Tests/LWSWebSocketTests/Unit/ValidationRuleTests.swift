// Every rule: a value that keeps it, one that does not, and the boundary.

import Foundation
import Testing

@testable import LWSWebSocket

@Suite("A rule")
struct ValidationRuleTests {
    let now = Date(timeIntervalSince1970: 1_000_000)

    private func holds<Value>(_ rule: ValidationRule<Value>, _ value: Value) -> Bool {
        var run = ValidationRun(now: now)
        rule.check(value, &run)
        return run.violations.isEmpty
    }

    @Test("limits numbers")
    func limits() {
        #expect([-1, 0, 1].map { holds(.minimum(0), $0) } == [false, true, true])
        #expect([-1, 0, 1].map { holds(.maximum(0), $0) } == [true, true, false])
        #expect([-1, 0, 1].map { holds(.exclusiveMinimum(0), $0) } == [false, false, true])
        #expect([-1, 0, 1].map { holds(.exclusiveMaximum(0), $0) } == [true, false, false])
        #expect([0.49, 0.5, 0.51].map { holds(.minimum(0.5), $0) } == [false, true, true])
        #expect(holds(.maximum(Decimal(1)), Decimal(1)))
        #expect(holds(.minimum(1 as UInt8), 255))
        for rule in [.minimum(0), .maximum(0), .exclusiveMinimum(0), .exclusiveMaximum(0)] as [ValidationRule<Double>]
        {
            #expect(!holds(rule, .nan))
        }
    }

    @Test("counts digits before the decimal point")
    func integerDigits() {
        #expect([0, 99, 100, -99, -100].map { holds(.maxIntegerDigits(2), $0) } == [true, true, false, true, false])
        #expect([99.9, 100.0, 1e20, 1e-7].map { holds(.maxIntegerDigits(2), $0) } == [true, false, false, true])
        #expect(holds(.maxIntegerDigits(0), 0.5))
        #expect(!holds(.maxIntegerDigits(20), Double.infinity))
        #expect(holds(.maxIntegerDigits(19), Int64.min))
        #expect(!holds(.maxIntegerDigits(18), Int64.min))
    }

    @Test("counts digits after the decimal point")
    func fractionDigits() {
        #expect([1.0, 1.5, 1.25, 1.125].map { holds(.maxFractionDigits(2), $0) } == [true, true, true, false])
        #expect([1e-2, 1e-3, 1.5e-7, 1e20].map { holds(.maxFractionDigits(2), $0) } == [true, false, false, true])
        #expect([7, 0].map { holds(.maxFractionDigits(0), $0) } == [true, true])
        #expect(holds(.maxFractionDigits(3), Decimal(string: "0.125") ?? .nan))
        #expect(!holds(.maxFractionDigits(2), Decimal(string: "0.125") ?? .nan))
        #expect(!holds(.maxFractionDigits(9), Double.nan))
        #expect(!holds(.maxFractionDigits(9), Decimal.nan))
    }

    @Test("limits the length of a string, in characters")
    func lengths() {
        #expect(["a", "ab", "abc"].map { holds(.minLength(2), $0) } == [false, true, true])
        #expect(["a", "ab", "abc"].map { holds(.maxLength(2), $0) } == [true, true, false])
        #expect(["a", "ab", "abc"].map { holds(.length(2), $0) } == [false, true, false])
        #expect(holds(.length(2), "👩‍👩‍👧e\u{301}"))
        #expect(holds(.minLength(0), ""))
    }

    @Test("matches the whole of a string")
    func patterns() {
        #expect(
            ["abc", "", "abc1", "1abc", "ABC"].map { holds(.pattern("[a-z]+"), $0) } == [
                true, false, false, false, false,
            ])
        #expect(["", "a", "aa"].map { holds(.pattern("a?"), $0) } == [true, true, false])
        #expect(["ab", "abc"].map { holds(.matches { #/a(b)/# }, $0) } == [true, false])
        var run = ValidationRun(now: now)
        ValidationRule<String>.pattern("[").check("x", &run)
        #expect(run.violations.first?.rule.contains("no regular expression") == true)
    }

    @Test("limits the elements of a collection")
    func counts() {
        #expect([[1], [1, 2], [1, 2, 3]].map { holds(.minCount(2), $0) } == [false, true, true])
        #expect([[1], [1, 2], [1, 2, 3]].map { holds(.maxCount(2), $0) } == [true, true, false])
        #expect([[1], [1, 2], [1, 2, 3]].map { holds(.length(2), $0) } == [false, true, false])
        #expect(holds(.minCount(1), ["a": 1]))
        #expect(!holds(.minCount(1), Set<Int>()))
    }

    @Test("compares dates with now")
    func dates() {
        let dates = [now - 1, now, now + 1]
        #expect(dates.map { holds(.past, $0) } == [true, false, false])
        #expect(dates.map { holds(.pastOrPresent, $0) } == [true, true, false])
        #expect(dates.map { holds(.future, $0) } == [false, false, true])
        #expect(dates.map { holds(.futureOrPresent, $0) } == [false, true, true])
    }

    @Test("can be the application's own")
    func own() {
        #expect([1, 2].map { holds(ValidationRule("must be even") { $0.isMultiple(of: 2) }, $0) } == [false, true])
    }
}

@Suite("The digits of a number")
struct DecimalDigitsTests {
    @Test(
        "are counted where they matter",
        arguments: [
            ("0", 0, 0), ("-0.0", 0, 0), ("12", 2, 0), ("-12.50", 2, 1), ("0.05", 0, 2), ("1e-05", 0, 5),
            ("1.25e+20", 21, 0), ("1.25e1", 2, 1), ("5e-324", 0, 324), ("100", 3, 0), ("007.100", 1, 1),
        ])
    func counted(_ text: String, _ integer: Int, _ fraction: Int) {
        #expect(DecimalDigits(text)?.integer == integer)
        #expect(DecimalDigits(text)?.fraction == fraction)
    }

    @Test("are none where it is no number", arguments: ["nan", "inf", "-inf", "", "NaN", "1e", "abc"])
    func none(_ text: String) { #expect(DecimalDigits(text) == nil) }
}
