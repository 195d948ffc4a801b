#include "engine/cli/command.h"

namespace memcoord::cli {

CLI::App& Commands::add(const std::string& name, const std::string& description, Action action) {
  return add_under(program_, name, description, std::move(action));
}

CLI::App& Commands::add_under(CLI::App& parent, const std::string& name,
                              const std::string& description, Action action) {
  CLI::App& app = *parent.add_subcommand(name, description);
  app.group("Commands");
  app.footer("");  // CLI11 hands the parent's down
  if (action) {
    actions_[&app] = std::move(action);
  } else {
    app.require_subcommand(1);
  }
  return app;
}

Commands::Chosen Commands::chosen() const {
  const CLI::App* app = &program_;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  const auto found = actions_.find(app);
  return {app, found == actions_.end() ? nullptr : &found->second};
}

}  // namespace memcoord::cli
