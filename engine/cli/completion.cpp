// Shell completion: `memcoord completion SHELL`, and `memcoord __complete`, which its scripts call.
// __complete prints a line for each candidate: its text, a tab, its description. The lines ":files"
// and ":lua" tell the shell to add files.

#include <algorithm>
#include <cctype>
#include <memory>
#include <span>

#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/terminal.h"

namespace memcoord::cli {
namespace {

// The position of the last word of an unfinished line, and its text so far.
struct Place {
  const Command* command;
  const Option* option = nullptr;  // the option whose value the word is, or null
  std::string prefix;              // "--policy=" in "--policy=hal"
  std::string word;
  std::size_t positionals = 0;
};

const Option* find_option(const Command& command, const std::string& name) {
  for (const Option& option : command.options) {
    const auto& names = option.names;
    if (std::find(names.begin(), names.end(), name) != names.end()) return &option;
  }
  return nullptr;
}

Place find_place(const Command& program, const std::vector<std::string>& words) {
  Place place{&program, nullptr, "", words.empty() ? "" : words.back()};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (place.option != nullptr) {
      place.option = nullptr;  // this word was its value
    } else if (words[i].starts_with("-")) {
      const Option* option = find_option(*place.command, words[i]);
      if (option != nullptr && option->takes_value()) place.option = option;
    } else if (const Command* command = place.command->find(words[i])) {
      place.command = command;
    } else {
      ++place.positionals;
    }
  }
  const std::size_t equals = place.word.find('=');
  if (place.option == nullptr && place.word.starts_with("--") && equals != std::string::npos) {
    place.option = find_option(*place.command, place.word.substr(0, equals));
    place.prefix = place.word.substr(0, equals + 1);
    place.word.erase(0, equals + 1);
  }
  return place;
}

// An option whose values are fixed words has the name "auto|always|never" for its value.
std::vector<std::string> choices_of(const std::string& value) {
  const bool words = std::all_of(value.begin(), value.end(),
                                 [](unsigned char c) { return std::islower(c) != 0 || c == '|'; });
  std::vector<std::string> choices;
  if (!words || value.find('|') == std::string::npos) return choices;
  std::size_t start = 0;
  while (start <= value.size()) {
    const std::size_t end = std::min(value.find('|', start), value.size());
    choices.push_back(value.substr(start, end - start));
    start = end + 1;
  }
  return choices;
}

class Answer {
 public:
  explicit Answer(const Place& place) : place_(place) {}
  void add(const std::string& text, const std::string& description = {}) {
    if (!text.starts_with(place_.word)) return;
    answer_.candidates.push_back({place_.prefix + text, description});
  }
  void add_all(std::span<const std::string> texts) {
    for (const std::string& text : texts) add(text);
  }
  void add_value(const std::string& kind, const CompletionNames& names) {
    add_all(choices_of(kind));
    if (kind == "FILE|NAME" || kind == "POLICY") {
      add_all(names.policies);
      answer_.files = FileCandidates::lua;
    } else if (kind == "URI") {
      add("qemu:///system", "the domains of this host");
      add("qemu:///session", "the domains of your session");
      for (const std::string& scenario : names.scenarios)
        add("sim:" + scenario, "a simulated host");
    } else if (kind == "FILE" || kind == "PATH") {
      answer_.files = FileCandidates::any;
    }
  }
  void add_options() {
    for (const Option& option : place_.command->options) {
      for (const std::string& name : option.names) {
        if (name.starts_with("--")) add(name, option.description);
      }
    }
  }
  void add_commands() {
    for (const Command& command : place_.command->commands) {
      add(command.name, command.description);
    }
  }
  Completions take() { return std::move(answer_); }

 private:
  const Place& place_;
  Completions answer_;
};

// The argument that a word without a dash would be. The last argument may take several words.
const Option* argument_at(const Place& place) {
  const std::vector<const Option*> arguments = place.command->arguments();
  if (arguments.empty()) return nullptr;
  if (place.positionals < arguments.size()) return arguments[place.positionals];
  return arguments.back()->takes_several() ? arguments.back() : nullptr;
}

constexpr std::string_view kBash = R"(# bash completion for memcoord

_memcoord() {
  local line=${COMP_LINE:0:COMP_POINT} current prefix candidate description file
  local -a words
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[${#words[@]}-1]}
  # bash ends words at "=" and ":"; the line has the text before them already.
  prefix=
  [[ $current == *[:=]* ]] && prefix=${current%"${current##*[:=]}"}
  COMPREPLY=()
  while IFS=$'\t' read -r candidate description; do
    case $candidate in
      :files | :lua)
        compopt -o filenames
        while IFS= read -r file; do
          [[ $candidate == :files || -d $file || $file == *.lua ]] && COMPREPLY+=("$file")
        done < <(compgen -f -- "${current#"$prefix"}")
        ;;
      *) COMPREPLY+=("${candidate#"$prefix"}") ;;
    esac
  done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _memcoord memcoord
)";

constexpr std::string_view kZsh = R"(#compdef memcoord

_memcoord() {
  local candidate description
  local -a described
  while IFS=$'\t' read -r candidate description; do
    case $candidate in
      :files) _files ;;
      :lua) _files -g '*.lua' ;;
      *) described+=("${candidate//:/\\:}:$description") ;;
    esac
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( ${#described} )) && _describe 'memcoord' described
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
    for line in ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case ':files' ':lua'
                __fish_complete_path "$current"
            case '*'
                echo $line
        end
    end
end
complete -c memcoord -f -a '(__memcoord_complete)'
)";

}  // namespace

Completions complete(const Command& program, const std::vector<std::string>& words,
                     const CompletionNames& names) {
  const Place place = find_place(program, words);
  Answer answer(place);
  if (place.option != nullptr) {
    answer.add_value(place.option->value, names);
  } else if (place.word.starts_with("-")) {
    answer.add_options();
  } else {
    if (place.positionals == 0) answer.add_commands();
    const Option* argument = argument_at(place);
    if (argument != nullptr) answer.add_value(argument->value, names);
  }
  return answer.take();
}

std::optional<std::string> completion_script(std::string_view shell) {
  if (shell == "bash") return std::string(kBash);
  if (shell == "zsh") return std::string(kZsh);
  if (shell == "fish") return std::string(kFish);
  return std::nullopt;
}

void add_completion_command(Command& program) {
  const auto shell = std::make_shared<std::string>();
  Command& command = program.add(
      "completion", "Print the script that completes memcoord's command lines in a shell.",
      [shell]() -> Result<ExitCode> {
        const auto script = completion_script(*shell);
        if (!script) {
          return fail(ErrorCode::invalid_input, *shell, "unknown shell",
                      "expected bash, zsh or fish");
        }
        standard_output().lines(*script);
        return ExitCode::ok;
      });
  add_argument(command,
               {.names = "SHELL",
                .value = "bash|zsh|fish",
                .description = "bash, zsh or fish",
                .required = true},
               *shell);
  command.footer = examples_text({
      {"source <(memcoord completion bash)", "turn completion on in this shell"},
      {"memcoord completion bash > ~/.local/share/bash-completion/completions/memcoord",
       "turn it on for your user; the package does so for all users"},
  });
}

}  // namespace memcoord::cli
