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
  local program=${(Q)words[1]} files kept candidate text ret=1
  local -a whole begun
  whence -p -- "$program" >/dev/null || program=memcoord
  {
    IFS= read -r files && IFS= read -r kept || return
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

constexpr std::string_view kFish = R"(# fish completion for memcoord

function __memcoord_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program memcoord
    command -q -- $words[1]; and set program $words[1]
    command $program __complete fish $words[2..-1] "$current" 2>/dev/null
end
complete -c memcoord -f -a '(__memcoord_complete)'
)";

/// Adds a line, unless its characters would act on the shell's script or the terminal.
void add_line(std::string& answer, const std::string& text, const std::string& rest = {}) {
  if (printable(text) == text) answer += text + rest + "\n";
}

std::string described_line(const Candidate& candidate) {
  return "\t" + printable(candidate.description);
}

/// The candidates with the files that fit, which `line` has begun.
std::vector<Candidate> with_files(Completions found, const ShellLine& line,
                                  const CompletionSources& sources) {
  if (found.files.empty()) return std::move(found.candidates);
  const std::string begun = line.words.back().substr(found.prefix.size());
  for (const std::string& file : sources.files({begun, found.files, line.tilde})) {
    found.candidates.push_back({found.prefix + file, ""});
  }
  return std::move(found.candidates);
}

std::string bash_answer(const Command& program, const ShellLine& line,
                        const CompletionSources& sources) {
  if (line.words.size() < 2) return {};  // the program's name is unfinished
  Completions found{{}, "*", ""};
  if (!line.redirects) {
    found = complete(program, {line.words.begin() + 1, line.words.end()}, sources);
  }
  std::string answer;
  for (const Candidate& candidate : with_files(std::move(found), line, sources)) {
    if (candidate.text.size() <= line.kept) continue;
    const auto word = shell_word_in(line, std::string_view(candidate.text).substr(line.kept));
    if (word) add_line(answer, *word);
  }
  return answer;
}

std::string fish_answer(const Command& program, std::vector<std::string> words,
                        const CompletionSources& sources) {
  const ShellLine last = split_shell_line(words.back(), "");
  words.back() = last.words.back();
  std::string answer;
  for (const Candidate& one : with_files(complete(program, words, sources), last, sources)) {
    add_line(answer, one.text, described_line(one));
  }
  return answer;
}

/// zsh lists files itself, as its users have set it up.
std::string zsh_answer(const Command& program, const std::vector<std::string>& words,
                       const CompletionSources& sources) {
  const Completions found = complete(program, words, sources);
  std::string answer = found.files + "\n" + printable(found.prefix) + "\n";
  for (const Candidate& one : found.candidates) add_line(answer, one.text, described_line(one));
  return answer;
}

}  // namespace

std::string completion_answer(const Command& program, const std::vector<std::string>& request,
                              const CompletionSources& sources) {
  if (request.size() < 2) return {};
  const std::string& shell = request.front();
  if (shell == "bash" && request.size() == 3) {
    return bash_answer(program, split_shell_line(request[2], request[1]), sources);
  }
  const std::vector<std::string> words(request.begin() + 1, request.end());
  if (shell == "zsh") return zsh_answer(program, words, sources);
  if (shell == "fish") return fish_answer(program, words, sources);
  return {};
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
