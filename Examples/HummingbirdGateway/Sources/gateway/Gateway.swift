// The HTTP server: its routes.

import Hummingbird
import LWSWebSocket

enum Gateway {
    /// `GET /ask/NAME/QUESTION` asks the upstream of that name; `GET /health` asks nobody.
    static func router(_ upstreams: [String: Upstream]) -> Router<BasicRequestContext> {
        let router = Router()
        router.get("health") { _, _ in "well" }
        router.get("ask/:name/:question") { _, context in
            guard let upstream = upstreams[try context.parameters.require("name")] else {
                throw HTTPError(.notFound)
            }
            do {
                return try await upstream.ask(try context.parameters.require("question"))
            } catch let error as WebSocketError {
                throw HTTPError(error.code == .readTimedOut ? .gatewayTimeout : .badGateway, message: "\(error)")
            }
        }
        return router
    }
}
