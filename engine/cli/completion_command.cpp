// memcoord completion bash|zsh|fish

#include <iostream>
#include <memory>

#include "engine/cli/commands.h"
#include "engine/cli/completion.h"
#include "engine/cli/help.h"

namespace memcoord::cli {

void add_completion_command(Commands& commands) {
  const auto shell = std::make_shared<std::string>();
  CLI::App& app = commands.add(
      "completion", "Print the script that completes memcoord's command lines in a shell.",
      [shell]() -> Result<ExitCode> {
        const auto script = completion_script(*shell);
        if (!script) {
          return fail(ErrorCode::invalid_input, *shell, "no completion for this shell",
                      "expected bash, zsh or fish");
        }
        std::cout << *script;
        return ExitCode::ok;
      });
  app.add_option("SHELL", *shell, "bash, zsh or fish")->required()->type_name("bash|zsh|fish");
  app.footer(examples_text({
      {"source <(memcoord completion bash)", "try it in this shell"},
      {"memcoord completion bash > ~/.local/share/bash-completion/completions/memcoord",
       "keep it for yourself (packages install it for everyone)"},
  }));
}

}  // namespace memcoord::cli
