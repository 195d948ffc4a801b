#include "engine/cli/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "engine/cli/commands.h"
#include "engine/cli/terminal.h"

namespace memcoord::cli {
namespace {

constexpr std::size_t kColumn = 30;
constexpr std::size_t kWidth = 96;

// Breaks a text at blanks into lines that start at column `indent`. The caller indents the first
// line.
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

// "  --name VALUE      description", with the right column wrapped.
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
  // The general options come last.
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

// Escapes a text for roff, so that it has no requests or escapes and dashes stay dashes.
std::string plain(std::string_view text) {
  std::string result;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
    line_start = c == '\n';
  }
  return result;
}

std::string option_entry(const Option& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += (names.empty() ? "\\fB" : ", \\fB") + plain(name) + "\\fR";
  }
  if (names.empty()) {
    names = "\\fI" + plain(option.argument) + "\\fR";
  } else if (option.takes_value()) {
    names += " \\fI" + plain(option.value) + "\\fR";
  }
  return ".TP\n" + names + "\n" + plain(option.description) + "\n";
}

std::string options_of_group(const Command& command, const std::string& group) {
  std::string text;
  for (const Option& option : command.options) {
    if (option.group == group) text += option_entry(option);
  }
  return text;
}

std::string command_entries(const Command& command) {
  std::string text;
  for (const Command& one : command.commands) {
    text += ".SS " + plain(one.called) + "\n" + plain(one.description) + "\n";
    for (const std::string& group : one.groups()) text += options_of_group(one, group);
    text += command_entries(one);
  }
  return text;
}

constexpr std::string_view kRest = R"(.SH SIGNALS
.TP
SIGINT, SIGTERM
End the run: memcoord restores the guests' statistics periods and, with
\fB\-\-restore\-on\-exit\fR, their memory. A second signal ends the process at once, without
restoring anything.
.TP
SIGHUP
Load the policy again and keep its state. If the new policy does not load, memcoord reports the error
and keeps the old one. memcoord also opens the journal anew.
.SH EXIT STATUS
.TP
0
Done as asked; also after a signal that asked for the end.
.TP
1
An error at run time: no connection, a failing test, an unsound policy, a full disk under standard
output.
.TP
2
Unusable input: an option, a configuration, a file, a policy, a scenario.
.TP
130
Ended at once by a second signal, or because a policy's call did not end within a second of the
first signal.
.SH ENVIRONMENT
.TP
LIBVIRT_DEFAULT_URI
The libvirt connection if \fB\-\-connect\fR is not given.
.TP
MEMCOORD_DATA_DIR
A folder with the folders \fIpolicies\fR and \fIscenarios\fR. memcoord searches it before the
installed ones.
.TP
NO_COLOR
If set, \fB\-\-color auto\fR means no colours.
.SH SEE ALSO
\fBvirsh\fR(1), \fBlibvirtd\fR(8)
)";

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

std::string manual_page(const Command& program, std::string_view version) {
  std::string text =
      fmt::format(".TH MEMCOORD 1 \"\" \"memcoord {}\" \"User Commands\"\n", version);
  text += ".SH NAME\nmemcoord \\- balance memory between the domains of a KVM host\n";
  text += ".SH SYNOPSIS\n.B memcoord\n[\\fIOPTIONS\\fR] [\\fIINTERVAL\\fR]\n.br\n";
  text += ".B memcoord\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n";
  text += ".SH DESCRIPTION\n" + plain(program.description) + "\n";
  text += ".SH OPTIONS\n";
  for (const std::string& group : program.groups()) {
    text += ".SS " + plain(group) + "\n" + options_of_group(program, group);
  }
  text += ".SH COMMANDS\n" + command_entries(program);
  text += ".SH EXAMPLES\n.nf\n" + plain(program.footer) + "\n.fi\n";
  return text + std::string(kRest);
}

Result<const Command*> find_command(const Command& program, const std::vector<std::string>& names) {
  const Command* command = &program;
  for (const std::string& name : names) {
    const Command* next = command->find(name);
    if (next == nullptr) {
      Error error = unknown_command(name, *command);
      if (command != &program) error.message += " of '" + command->called + "'";
      return fail(std::move(error));
    }
    command = next;
  }
  return command;
}

void add_help_command(Command& program) {
  const auto names = std::make_shared<std::vector<std::string>>();
  Command& command = program.add("help", "Print the help of memcoord or of a command.",
                                 [names, &program]() -> Result<ExitCode> {
                                   const auto found = find_command(program, *names);
                                   if (!found) return fail(found.error());
                                   standard_output().lines(help_text(**found));
                                   return ExitCode::ok;
                                 });
  add_list(command, {"COMMAND", "COMMAND", "a command, such as explain or domain set"},
           into_list(*names));
  command.footer = examples_text({
      {"memcoord help", "list the commands and the options of a run"},
      {"memcoord help domain set", "show the options of a command"},
  });
}

}  // namespace memcoord::cli
