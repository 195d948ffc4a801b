#include "engine/cli/help.h"

#include <algorithm>
#include <sstream>

#include "engine/cli/options.h"

namespace memcoord::cli {
namespace {

constexpr std::size_t kColumn = 30;
constexpr std::size_t kWidth = 96;

// Breaks text at blanks into lines that start at column `indent`; the caller has indented the
// first.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string result;
  std::size_t column = indent;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const bool first = result.empty();
    if (!first && column + 1 + word.size() > kWidth) {
      result += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!first) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

// "  --name VALUE      what it does", the right column wrapped.
std::string row(std::string name, const std::string& description) {
  name = "  " + name;
  if (name.size() + 2 > kColumn) {
    name += "\n" + std::string(kColumn, ' ');
  } else {
    name.resize(kColumn, ' ');
  }
  return name + wrapped(description, kColumn) + "\n";
}

// "INTERVAL", "POLICY..."
std::string argument_name(const Option& argument) {
  return argument.takes_several() ? argument.argument + "..." : argument.argument;
}

std::string option_row(const Option& option) {
  std::string name;
  for (const std::string& one : option.names) name += (name.empty() ? "" : ", ") + one;
  if (option.takes_value()) name += " " + option.value;
  return row(name, option.argument.empty() ? option.description : "the same as " + option.argument);
}

std::string usage_text(const Command& command) {
  const std::string usage = "\nUsage: " + command.called;
  if (command.needs_command()) return usage + " COMMAND [OPTIONS]\n";
  std::string text = usage + " [OPTIONS]";
  for (const Option* argument : command.arguments()) {
    const std::string name = argument_name(*argument);
    text += argument->required ? " " + name : " [" + name + "]";
  }
  if (!command.commands.empty()) text += "\n       " + command.called + " COMMAND [OPTIONS]";
  return text + "\n";
}

std::string arguments_text(const Command& command) {
  std::string rows;
  for (const Option* argument : command.arguments()) {
    rows += row(argument_name(*argument), argument->description);
  }
  return rows.empty() ? rows : "\nArguments:\n" + rows;
}

std::string options_text(const Command& command) {
  std::string text;
  std::vector<std::string> groups = command.groups();
  // What every program has comes last.
  std::stable_partition(groups.begin(), groups.end(),
                        [](const std::string& group) { return group != kGeneralGroup; });
  for (const std::string& group : groups) {
    std::string rows;
    for (const Option& option : command.options) {
      if (option.group == group && !option.names.empty()) rows += option_row(option);
    }
    if (!rows.empty()) text.append("\n").append(group).append(":\n").append(rows);
  }
  return text;
}

std::string commands_text(const Command& command) {
  std::string rows;
  for (const Command& one : command.commands) rows += row(one.name, one.description);
  return rows.empty() ? rows : "\nCommands:\n" + rows;
}

}  // namespace

std::string examples_text(const std::vector<Example>& examples) {
  std::string text = "Examples:\n";
  for (const Example& example : examples) {
    text += "  " + example.command + "\n";
    text += "      " + wrapped(example.purpose, 6) + "\n";
  }
  text.pop_back();
  return text;
}

std::string help_text(const Command& command) {
  std::string text = wrapped(command.description, 0) + "\n" + usage_text(command);
  text += arguments_text(command) + options_text(command) + commands_text(command);
  return command.footer.empty() ? text : text + "\n" + command.footer + "\n";
}

}  // namespace memcoord::cli
