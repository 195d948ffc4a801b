#include "engine/cli/manual_page.h"

#include <fmt/format.h>

#include "engine/cli/version.h"

namespace memcoord::cli {
namespace {

// Text as roff takes it: nothing in it is a request or an escape, and dashes stay what they are.
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
End the run cleanly: statistics periods are put back, with \fB\-\-restore\-on\-exit\fR the balloons
too. A second one ends the process at once.
.TP
SIGHUP
Load the policy again, keeping its state; one that does not load is reported and the old one stays.
The journal is reopened.
.SH EXIT STATUS
.TP
0
Done as asked, also where a signal asked for the end.
.TP
1
Something went wrong: no connection, a failing test, an unsound policy.
.TP
2
Something given cannot be used: an option, a configuration, a file, a policy, a scenario.
.TP
130
Ended at once by a second signal, or because a policy's call did not end within a second of the
first.
.SH ENVIRONMENT
.TP
LIBVIRT_DEFAULT_URI
The connection where \fB\-\-connect\fR is not given.
.TP
MEMCOORD_DATA_DIR
A folder whose \fIpolicies\fR and \fIscenarios\fR come before the bundled ones.
.TP
NO_COLOR
No colours, whatever the terminal.
.SH SEE ALSO
\fBvirsh\fR(1), \fBlibvirtd\fR(8)
)";

}  // namespace

std::string manual_page(const Command& program) {
  std::string text =
      fmt::format(".TH MEMCOORD 1 \"\" \"memcoord {}\" \"User Commands\"\n", kVersion);
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

}  // namespace memcoord::cli
