// What each shell needs to ask `memcoord __complete`. The answer is a line a candidate, text and
// description with a tab between; ":files" and ":lua" ask the shell to add files.

#include "engine/cli/completion.h"

namespace memcoord::cli {
namespace {

constexpr std::string_view kBash = R"(# bash completion for memcoord

_memcoord() {
  local line=${COMP_LINE:0:COMP_POINT} current prefix candidate description file
  local -a words
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[${#words[@]}-1]}
  # bash takes "=" and ":" as the ends of words; what stands before them is there already.
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

std::optional<std::string> completion_script(std::string_view shell) {
  if (shell == "bash") return std::string(kBash);
  if (shell == "zsh") return std::string(kZsh);
  if (shell == "fish") return std::string(kFish);
  return std::nullopt;
}

}  // namespace memcoord::cli
