#include "engine/cli/manual_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace memcoord::cli {
namespace {

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
.SH FILES
.TP
\fI/etc/memcoord/memcoord.toml\fR
The configuration of the service.
.TP
\fI/run/memcoord/control.sock\fR
The control socket of the service.
.SH SEE ALSO
\fBmemcoord.toml\fR(5), \fBmemcoord\-policy\fR(7), \fBvirsh\fR(1), \fBlibvirtd\fR(8)
)";

constexpr std::string_view kSettingsHead = R"(.SH DESCRIPTION
\fBmemcoord \-\-config\fR \fIFILE\fR reads options from a TOML file; the service reads
\fI/etc/memcoord/memcoord.toml\fR. A key is the long name of an option of \fBmemcoord\fR(1) without
the dashes. The command line wins over the file.
.PP
Names, sizes, times and shares need quotes: "2GiB", "500ms", "50%". Plain numbers, true and false need
none. An option that may be repeated takes a list. A key may appear once. The only table is
\fB[set]\fR.
.PP
If the file has an error, memcoord starts nothing, prints one line and ends with exit code 2. The line
names the file, the line, the column and the key, and says what to write. To check a changed file
while the service runs:
.PP
.RS
memcoord \-\-config \fIFILE\fR \-\-check\-config
.RE
.PP
The service reads its file at its start: \fBsystemctl restart memcoord\fR applies a change.
)";

constexpr std::string_view kSettingsRest = R"(.SH PARAMETERS OF THE POLICY
The table \fB[set]\fR sets parameters of the policy, as \fB\-\-set\fR does. It stands last in the file.
\fBmemcoord check\fR \fIPOLICY\fR prints the parameters of a policy with their defaults.
.PP
.RS
.nf
[set]
low = "120MiB"
.fi
.RE
.SH EXAMPLES
.nf
policy     = "band"
interval   = "5s"
exclude    = ["build\-*", "scratch"]
host\-floor = "2GiB"
.fi
.SH SEE ALSO
\fBmemcoord\fR(1), \fBmemcoord\-policy\fR(7)
)";

/// policy = "FILE|NAME", ticks = N, dry-run = true, exclude = ["GLOB", ...]
std::string setting_form(const Option& option) {
  std::string value = "\\fBtrue\\fR";
  if (option.takes_value()) {
    value = "\\fI" + plain(option.value) + "\\fR";
    if (option.value != "N") value = "\"" + value + "\"";
  }
  if (option.takes_several()) value = "[" + value + ", ...]";
  return "\\fB" + plain(option.name().substr(2)) + "\\fR = " + value;
}

bool is_setting(const Option& option) {
  const bool configured = option.configurable && option.take && option.name().starts_with("--");
  return configured && option.name() != "--set";  // --set is the table [set]
}

std::string settings_of_group(const Command& program, const std::string& group) {
  std::string entries;
  for (const Option& option : program.options) {
    if (option.group != group || !is_setting(option)) continue;
    entries += ".TP\n" + setting_form(option) + "\n" + plain(option.description) + "\n";
  }
  return entries.empty() ? entries : ".SS " + plain(group) + "\n" + entries;
}

/// The title line, and the section NAME. The name is that of the page: "memcoord.toml".
std::string page_head(std::string_view name, int section, std::string_view purpose,
                      const ManualRelease& release) {
  std::string title(name);
  std::transform(title.begin(), title.end(), title.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return fmt::format(".TH {} {} \"{}\" \"memcoord {}\"\n.SH NAME\n{} \\- {}\n", title, section,
                     release.day, release.version, name, purpose);
}

/// The examples without their heading, which the section has.
std::string examples_of(const Command& program) {
  constexpr std::string_view kHeading = "Examples:\n";
  std::string_view text = program.footer;
  if (text.starts_with(kHeading)) text.remove_prefix(kHeading.size());
  return ".SH EXAMPLES\n.nf\n" + plain(text) + "\n.fi\n";
}

}  // namespace

std::string program_page(const Command& program, const ManualRelease& release) {
  std::string text =
      page_head("memcoord", 1, "balance memory between the domains of a KVM host", release);
  text += ".SH SYNOPSIS\n.B memcoord\n[\\fIOPTIONS\\fR] [\\fIINTERVAL\\fR]\n.br\n";
  text += ".B memcoord\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n";
  text += ".SH DESCRIPTION\n" + plain(program.description) + "\n";
  text += ".SH OPTIONS\n";
  for (const std::string& group : program.groups()) {
    text += ".SS " + plain(group) + "\n" + options_of_group(program, group);
  }
  text += ".SH COMMANDS\n" + command_entries(program);
  return text + examples_of(program) + std::string(kRest);
}

std::string configuration_page(const Command& program, const ManualRelease& release) {
  std::string text = page_head("memcoord.toml", 5, "configuration of memcoord", release);
  text += std::string(kSettingsHead) + ".SH SETTINGS\n";
  for (const std::string& group : program.groups()) text += settings_of_group(program, group);
  return text + std::string(kSettingsRest);
}

Result<std::string> manual_page(const Command& program, const std::vector<std::string>& words,
                                const ManualRelease& release) {
  if (words == std::vector<std::string>{"1"}) return program_page(program, release);
  if (words == std::vector<std::string>{"5"}) return configuration_page(program, release);
  return fail(ErrorCode::invalid_input, std::string(kManualWord), "no such page", "1 or 5");
}

}  // namespace memcoord::cli
