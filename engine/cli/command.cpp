#include "engine/cli/command.h"

#include <algorithm>
#include <utility>

#include "engine/cli/options.h"

namespace memcoord::cli {

std::string Option::name() const {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [](const std::string& one) { return one.starts_with("--"); });
  if (found != names.end()) return *found;
  return names.empty() ? argument : names.front();
}

Command::Command(std::string its_name, std::string its_description)
    : name(std::move(its_name)), called(name), description(std::move(its_description)) {}

Command& Command::add(const std::string& its_name, std::string its_description, Action its_action) {
  Command& command = commands.emplace_back(its_name, std::move(its_description));
  command.called = called + " " + its_name;
  command.action = std::move(its_action);
  add_help_option(command);
  return command;
}

const Command* Command::find(const std::string& its_name) const {
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [&](const Command& one) { return one.name == its_name; });
  return found == commands.end() ? nullptr : &*found;
}

std::vector<std::string> Command::long_names() const {
  std::vector<std::string> result;
  for (const Option& option : options) {
    std::copy_if(option.names.begin(), option.names.end(), std::back_inserter(result),
                 [](const std::string& one) { return one.starts_with("--"); });
  }
  return result;
}

std::vector<std::string> Command::groups() const {
  std::vector<std::string> result;
  for (const Option& option : options) {
    if (std::find(result.begin(), result.end(), option.group) == result.end()) {
      result.push_back(option.group);
    }
  }
  return result;
}

std::vector<const Option*> Command::arguments() const {
  std::vector<const Option*> result;
  for (const Option& option : options) {
    if (!option.argument.empty()) result.push_back(&option);
  }
  return result;
}

}  // namespace memcoord::cli
