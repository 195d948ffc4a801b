// memcoord completion bash|zsh|fish

#include <memory>

#include "engine/cli/commands.h"
#include "engine/cli/completion.h"
#include "engine/cli/help.h"
#include "engine/cli/options.h"
#include "engine/cli/terminal.h"

namespace memcoord::cli {

void add_completion_command(Command& program) {
  const auto shell = std::make_shared<std::string>();
  Command& command = program.add(
      "completion", "Print the script that completes memcoord's command lines in a shell.",
      [shell]() -> Result<ExitCode> {
        const auto script = completion_script(*shell);
        if (!script) {
          return fail(ErrorCode::invalid_input, *shell, "no completion for this shell",
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
      {"source <(memcoord completion bash)", "try it in this shell"},
      {"memcoord completion bash > ~/.local/share/bash-completion/completions/memcoord",
       "keep it for yourself (packages install it for everyone)"},
  });
}

}  // namespace memcoord::cli
