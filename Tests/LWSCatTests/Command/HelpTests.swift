// What lwscat says of itself.

import Foundation
import LWSWebSocket
import TestSupport
import Testing

@Suite("Help", .serialized)
struct HelpTests {
    @Test("--help says it all", arguments: ["--help", "-h", "help"])
    func help(_ argument: String) throws {
        let result = try Cat(argument).run()
        #expect(result.exit == .code(0))
        for text in [
            "lwscat [<options>] <url>", "lwscat bench", "lwscat listen", "EXIT CODES", "--header", "--retry",
            "--config", "cannot connect",
        ] {
            #expect(result.output.contains(text), "\(text)")
        }
    }

    @Test("the other commands have a help with the exit codes too", arguments: ["bench", "listen"])
    func commands(_ command: String) throws {
        for arguments in [[command, "--help"], ["help", command]] {
            var cat = Cat()
            cat.arguments = arguments
            let result = try cat.run()
            #expect(result.exit == .code(0))
            #expect(result.output.contains("lwscat \(command)"))
            #expect(result.output.contains("EXIT CODES"))
        }
    }

    @Test("--version tells its release, and that of libwebsockets")
    func version() throws {
        let result = try Cat("--version").run()
        #expect(result.exit == .code(0))
        #expect(result.output == "0.1.0, \(libraryVersion)\n")
    }

    #if os(Linux)
        @Test(
            "it does not connect by a libwebsockets of another series than it was compiled with",
            .disabled(if: Sanitizer.isActive, "a sanitizer has to be loaded before that"))
        func otherLibrary() throws {
            let process = try OtherLibrary().start("lwscat", "ws://127.0.0.1:\(try FreePort.find())/")
            #expect(try process.waitForExit() == .code(2))
            #expect(
                process.output.contains(
                    "libwebsockets \(OtherLibrary.release) is loaded, but this program was compiled with \(libraryVersion.compiledWith)"
                ),
                "\(process.output)")
        }
    #endif

    @Test("prints completions that the shell can read, with the options", arguments: ["bash", "zsh", "fish"])
    func completions(_ shell: String) throws {
        let result = try Cat("--generate-completion-script", shell).run()
        #expect(result.exit == .code(0))
        for text in ["bench", "listen", "subprotocol", "one-message"] { #expect(result.output.contains(text)) }
        #expect(result.output.contains("connect|bench") || result.output.contains("connect bench listen help\n"))
    }

    @Test(
        "completes in bash what follows lwscat, with the name of its default command or without",
        arguments: [
            ("lwscat b", "bench"), ("lwscat --subp", "--subprotocol"), ("lwscat connect --subp", "--subprotocol"),
            ("lwscat ws://localhost/ --subp", "--subprotocol"), ("lwscat --ocsp s", "soft"),
            ("lwscat bench --dur", "--duration"), ("lwscat listen --tls-k", "--tls-key --tls-key-password-file"),
        ])
    func bash(line: String, expected: String) throws {
        let folder = try TemporaryFolder("lwscat-completion")
        let script = try Cat("--generate-completion-script", "bash").run().output
        let test = """
            \(script)
            COMP_WORDS=(\(line))
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            function=$(complete -p lwscat | sed -E 's/.*-F ([^ ]+).*/\\1/')
            "$function" lwscat "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            echo "completions: ${COMPREPLY[*]}"
            """
        let bash = try PeerProcess("/bin/bash", [try folder.write(test, to: "test.bash")])
        #expect(try bash.waitForLine("completions: ").trimmingCharacters(in: .whitespaces) == expected)
    }
}
