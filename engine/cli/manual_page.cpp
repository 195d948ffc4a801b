#include "engine/cli/manual_page.h"

#include <fmt/format.h>

#include "engine/cli/options.h"
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

std::string option_text(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) names += "\\fB\\-" + name + "\\fR, ";
  for (const std::string& name : option.get_lnames()) {
    names += "\\fB" + plain("--" + name) + "\\fR, ";
  }
  if (names.empty()) names = "\\fI" + plain(option.get_name(true, false)) + "\\fR, ";
  names.resize(names.size() - 2);
  const bool takes_value = option.nonpositional() && option.get_items_expected_max() > 0;
  if (takes_value) names += " \\fI" + plain(option.get_type_name()) + "\\fR";
  return ".TP\n" + names + "\n" + plain(option.get_description()) + "\n";
}

std::string options_text(const CLI::App& app) {
  std::string text;
  for (const std::string& group : app.get_groups()) {
    if (group.empty()) continue;
    std::string options;
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group() == group) options += option_text(*option);
    }
    if (options.empty()) continue;
    if (app.get_parent() == nullptr) text += ".SS " + plain(group) + "\n";
    text += options;
  }
  return text;
}

std::string commands_text(const CLI::App& app) {
  std::string text;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    text +=
        ".SS " + plain(command_name(*command)) + "\n" + plain(command->get_description()) + "\n";
    text += options_text(*command) + commands_text(*command);
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
Ended at once by a second signal.
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

std::string manual_page(const CLI::App& program) {
  std::string text =
      fmt::format(".TH MEMCOORD 1 \"\" \"memcoord {}\" \"User Commands\"\n", kVersion);
  text += ".SH NAME\nmemcoord \\- balance memory between the domains of a KVM host\n";
  text += ".SH SYNOPSIS\n.B memcoord\n[\\fIOPTIONS\\fR] [\\fIINTERVAL\\fR]\n.br\n";
  text += ".B memcoord\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n";
  text += ".SH DESCRIPTION\n" + plain(program.get_description()) + "\n";
  text += ".SH OPTIONS\n" + options_text(program);
  text += ".SH COMMANDS\n" + commands_text(program);
  text += ".SH EXAMPLES\n.nf\n" + plain(program.get_footer()) + "\n.fi\n";
  return text + std::string(kRest);
}

}  // namespace memcoord::cli
