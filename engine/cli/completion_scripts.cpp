// The shells' scripts, the command that prints them, and the answers that they read.

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/cli/commands.h"
#include "engine/cli/completion.h"
#include "engine/cli/help.h"
#include "engine/cli/terminal.h"
#include "engine/core/printable.h"

namespace memcoord::cli {
namespace {

// "compopt -o filenames" would let bash quote the candidates, but bash leaves a name that looks
// like an expansion ("$(...)") as it is. So memcoord quotes them, and lists the files.
constexpr std::string_view kBash = R"(# bash completion for memcoord

_memcoord() {
  local program=${COMP_WORDS[0]} text
  type -P -- "$program" >/dev/null || program=memcoord
  COMPREPLY=()
  while IFS= read -r text; do
    COMPREPLY+=("$text")
    [[ $text != *[=:,/] ]] || compopt -o nospace
  done < <(command -- "$program" __complete bash "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -F _memcoord memcoord
)";

constexpr std::string_view kZsh = R"(#compdef memcoord

_memcoord() {
  local program=${(Q)words[1]} files kept name candidate text ret=1
  local -a whole begun
  whence -p -- "$program" >/dev/null || program=memcoord
  {
    IFS= read -r files && IFS= read -r kept && IFS= read -r name || return
    while IFS= read -r candidate; do
      text=${candidate%%$'\t'*}
      # _describe reads "name:description", with backslashes before colons of the name.
      candidate=${${text//\\/\\\\}//:/\\:}:${candidate#*$'\t'}
      if [[ $text == *[=:,/] ]]; then begun+=("$candidate"); else whole+=("$candidate"); fi
    done
  } < <(command "$program" __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
  (( ! $#whole )) || { _describe -t values memcoord whole && ret=0 }
  (( ! $#begun )) || { _describe -t values memcoord begun -S '' && ret=0 }
  if [[ -n $files ]]; then
    [[ -z $kept ]] || compset -P "${(b)kept}"
    _files -g "$files" && ret=0
  fi
  return ret
}

if [[ $funcstack[1] == _memcoord ]]; then
  _memcoord "$@"
else
  compdef _memcoord memcoord
fi
)";

// fish lists files as for a command without completions of its own.
constexpr std::string_view kFish = R"(# fish completion for memcoord

function __memcoord_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program memcoord
    command -q -- $words[1]; and set program $words[1]
    set -l answer (command $program __complete fish $words[2..-1] "$current" 2>/dev/null)
    set -q answer[3]; or return
    set -l files $answer[1]
    set -l kept $answer[2]
    set -e answer[1..3]
    set -q answer[1]; and printf '%s\n' $answer
    test -n "$files"; or return
    set -l name (string sub -s (math 1 + (string length -- "$kept")) -- "$current")
    set -l found (complete -C "__memcoord_file $name")
    set -l ending (string escape --style=regex -- (string replace '*' '' -- $files))
    set -l fitting (string match -r -- '^.*/$|^.*'"$ending"'$' $found)
    set -q fitting[1]; or set fitting $found
    set -q fitting[1]; and printf '%s\n' "$kept"$fitting
end
complete -c memcoord -f -a '(__memcoord_complete)'
)";

/// Adds a line, unless its characters would act on the shell's script or the terminal.
void add_line(std::string& answer, const std::string& text, const std::string& rest = {}) {
  if (printable(text) == text) answer += text + rest + "\n";
}

/// The first three lines. No files if their beginning would come out as another text.
std::string file_lines(const std::string& glob, const std::string& kept, const std::string& name) {
  const bool exact = printable(kept + name) == kept + name;
  return exact ? glob + "\n" + kept + "\n" + name + "\n" : "\n\n\n";
}

std::string bash_answer(const Command& program, const ShellLine& line,
                        const CompletionSources& sources) {
  Completions found{{}, "*", ""};
  if (!line.redirects) {
    found = complete(program, {line.words.begin() + 1, line.words.end()}, sources);
  }
  if (!found.files.empty()) {
    const std::string begun = line.words.back().substr(found.prefix.size());
    for (std::string& file : sources.files({begun, found.files, line.tilde})) {
      found.candidates.push_back({found.prefix + std::move(file), ""});
    }
  }
  std::string answer;
  for (const Candidate& candidate : found.candidates) {
    if (candidate.text.size() <= line.kept) continue;
    const auto word = shell_word_in(line, std::string_view(candidate.text).substr(line.kept));
    if (word) add_line(answer, *word);
  }
  return answer;
}

std::string described_answer(const Command& program, const std::vector<std::string>& words,
                             const CompletionSources& sources) {
  const Completions found = complete(program, words, sources);
  std::string answer =
      file_lines(found.files, found.prefix, words.back().substr(found.prefix.size()));
  for (const Candidate& candidate : found.candidates) {
    add_line(answer, candidate.text, "\t" + printable(candidate.description));
  }
  return answer;
}

}  // namespace

std::string completion_answer(const Command& program, std::vector<std::string> request,
                              const CompletionSources& sources) {
  if (request.size() < 2) return {};
  const std::string shell = request.front();
  request.erase(request.begin());
  if (shell == "bash" && request.size() == 2) {
    const ShellLine line = split_shell_line(request.back(), request.front());
    return line.words.size() < 2 ? std::string() : bash_answer(program, line, sources);
  }
  if (shell == "fish") request.back() = split_shell_line(request.back(), "").words.back();
  const bool words = shell == "zsh" || shell == "fish";
  return words ? described_answer(program, request, sources) : std::string();
}

std::string_view completion_script(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return {};
}

void add_completion_command(Command& program) {
  const auto shell = std::make_shared<std::string>();
  Command& command = program.add(
      "completion", "Print the script that completes memcoord's command lines in a shell.",
      [shell]() -> Result<ExitCode> {
        const std::string_view script = completion_script(*shell);
        if (script.empty()) {
          return fail(ErrorCode::invalid_input, *shell, "unknown shell",
                      "expected bash, zsh or fish");
        }
        standard_output().lines(script);
        return ExitCode::ok;
      });
  add_argument(command,
               {.names = "SHELL",
                .value = "bash|zsh|fish",
                .description = "bash, zsh or fish",
                .required = true},
               *shell);
  command.footer = examples_text({
      {"source <(memcoord completion bash)",
       "turn completion on in this bash or, with zsh, in zsh"},
      {"memcoord completion fish | source", "turn it on in this fish"},
      {"memcoord completion bash > ~/.local/share/bash-completion/completions/memcoord",
       "turn it on for your user; the package does so for all users"},
  });
}

}  // namespace memcoord::cli
