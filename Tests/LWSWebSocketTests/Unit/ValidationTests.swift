// Types with constraints, checked as a whole.

import Foundation
import Testing

@testable import LWSWebSocket

struct CheckedItem: Codable, Validatable {
    var price: Double
    static let constraints: [Constraint<CheckedItem>] = [
        .field("price", \.price, .minimum(0), .exclusiveMaximum(1000), .maxFractionDigits(2))
    ]
}

struct CheckedOrder: Codable, Validatable {
    var name = "abc"
    var note: String?
    var customer: String? = "x"
    var tags: [String] = []
    var items: [CheckedItem] = []
    var spare: CheckedItem?
    var byName: [String: CheckedItem] = [:]
    var start = Date(timeIntervalSince1970: 0)
    var end = Date(timeIntervalSince1970: 1)
    var unchecked: [CheckedItem] = []

    static let constraints: [Constraint<CheckedOrder>] = [
        .field("name", \.name, .minLength(1), .maxLength(5), .pattern("[a-z]+")),
        .field("note", \.note, .maxLength(3)),
        .required("customer", \.customer, .minLength(1)),
        .field("tags", \.tags, .maxCount(3)),
        .each("tags", \.tags, .maxLength(2)),
        .field("items", \.items, .maxCount(3)),
        .nested("spare", \.spare),
        .nested("byName", \.byName),
        .field("start", \.start, .past),
        .field("end", \.end, .past),
        .rule("end", "must be after start") { $0.end > $0.start },
        .rule(nil, "must have items or tags") { !($0.items.isEmpty && $0.tags.count > 3) },
    ]
}

@Suite("Validation")
struct ValidationTests {
    private func violations(_ change: (inout CheckedOrder) -> Void) -> [String] {
        var order = CheckedOrder()
        change(&order)
        return order.constraintViolations().map(\.description)
    }

    @Test("finds nothing wrong with a value that keeps all constraints")
    func valid() {
        #expect(violations { _ in } == [])
        #expect(violations { $0.note = "abc" } == [])
        #expect(violations { $0.unchecked = [CheckedItem(price: -1)] } == [])
    }

    @Test("reports all violations at once, in the order of the constraints")
    func all() {
        let found = violations {
            $0.name = "ABCDEF"
            $0.note = "long"
            $0.customer = nil
            $0.tags = ["ok", "bad", "b", "a"]
            $0.end = $0.start
        }
        #expect(
            found == [
                "name must have at most 5 characters", "name must match [a-z]+",
                "note must have at most 3 characters",
                "customer is required", "tags must have at most 3 elements", "tags[1] must have at most 2 characters",
                "end must be after start", "the value must have items or tags",
            ])
    }

    @Test("applies the rules of a required value to it")
    func required() {
        #expect(violations { $0.customer = "" } == ["customer must have at least 1 characters"])
    }

    @Test("goes into nested values: arrays, dictionaries, optionals")
    func nested() {
        let bad = CheckedItem(price: -1)
        let found = violations {
            $0.items = [CheckedItem(price: 1), bad, CheckedItem(price: 1000.125)]
            $0.spare = bad
            $0.byName = ["b": bad, "a c": bad, "ok": CheckedItem(price: 1)]
        }
        #expect(
            found == [
                "items[1].price must be at least 0.0", "items[2].price must be less than 1000.0",
                "items[2].price must have at most 2 digits after the decimal point",
                "spare.price must be at least 0.0", #"byName["a c"].price must be at least 0.0"#,
                "byName.b.price must be at least 0.0",
            ])
        #expect(["a": [CheckedItem?.none, bad]].constraintViolations().map(\.path) == ["a[1].price"])
    }

    @Test("runs after binding where it is on, and not where it is off")
    func binding() throws {
        let message = WebSocketMessage.text(#"[{"price":1},{"price":-1}]"#)
        let error = failure {
            try MessageBinding(.init(), host: "shop.example").bind(message, as: [CheckedItem].self)
        }
        #expect(error?.code == .payloadValidation)
        #expect(error?.violations == [.init(path: "[1].price", rule: "must be at least 0.0")])
        #expect(error?.rejectedMessage == message)
        #expect(
            error?.description == "The message from shop.example violates constraints of Array<CheckedItem>: "
                + "[1].price must be at least 0.0")
        var configuration = ClientConfiguration()
        configuration.validation = false
        let unchecked = MessageBinding(configuration, host: "h")
        #expect(try unchecked.bind(message, as: [CheckedItem].self).count == 2)
    }

    @Test("asks a clock about dates, once for all rules")
    func clock() throws {
        struct Appointment: Codable, Validatable {
            var at: Date
            static let constraints: [Constraint<Appointment>] = [.field("at", \.at, .future)]
        }
        let now = Date(timeIntervalSinceReferenceDate: 100)
        let binding = MessageBinding(.init(), host: "h", now: { now })
        #expect(try binding.bind(.text(#"{"at":101}"#), as: Appointment.self).at == now + 1)
        #expect(failure { try binding.bind(.text(#"{"at":100}"#), as: Appointment.self) }?.code == .payloadValidation)
    }

    @Test("of a message full of violations stays of moderate size")
    func many() {
        let violations = [CheckedItem](repeating: CheckedItem(price: -1), count: 5000).constraintViolations()
        #expect(violations.count == 1000)
        #expect(ConstraintViolation.list(violations).hasSuffix("; and 980 more"))
    }
}
