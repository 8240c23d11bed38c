// Completions of the default command, which the generated scripts do not know to be one.

/// The scripts of ArgumentParser complete the options of `lwscat connect`, but not those of `lwscat`, which is the same. Here
/// they are made to read the command into a line that has none. Where a later release writes its scripts otherwise they
/// stay as they are.
enum CompletionScript {
    private static let commands = ["connect", "bench", "listen", "help"]

    /// The script with the default command.
    static func completingDefault(_ script: String) -> String {
        for (anchor, addition) in [bash, zsh, fish] where script.contains(anchor) {
            return script.replacing(anchor, with: addition, maxReplacements: 1)
        }
        return script
    }

    private static let bash = (
        anchor: "complete -o filenames -F _lwscat lwscat",
        addition: """
        _lwscat_by_default() {
            case "${COMP_WORDS[1]}" in
            \(commands.joined(separator: "|"))) ;;
            *)
                if ((COMP_CWORD > 1)) || [[ "${COMP_WORDS[1]}" == -* ]]; then
                    COMP_WORDS=("${COMP_WORDS[0]}" connect "${COMP_WORDS[@]:1}")
                    ((COMP_CWORD += 1))
                fi
                ;;
            esac
            _lwscat "${@}"
        }

        complete -o filenames -F _lwscat_by_default lwscat
        """
    )

    private static let zsh = (
        anchor: "_lwscat() {\n    emulate -RL zsh -G\n",
        addition: """
        _lwscat() {
            emulate -RL zsh -G
            case "${words[2]}" in
            (\(commands.joined(separator: "|"))) ;;
            (*)
                if [[ "${CURRENT}" -gt 2 || "${words[2]}" = -* ]]; then
                    words=("${words[1]}" connect "${words[@]:1}")
                    (( CURRENT += 1 ))
                fi
                ;;
            esac

        """
    )

    private static let fish = (
        anchor: "    set -l unparsed_tokens (__lwscat_tokens -pc)\n",
        addition: """
            set -l unparsed_tokens (__lwscat_tokens -pc)
            if not contains -- "$unparsed_tokens[2]" \(commands.joined(separator: " "))
                if test (count $unparsed_tokens) -gt 1; or string match -q -- '-*' (commandline -ct)
                    set unparsed_tokens $unparsed_tokens[1] connect $unparsed_tokens[2..]
                end
            end

        """
    )
}
