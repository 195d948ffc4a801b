// memcoord domain show [NAME], memcoord domain set NAME: the administrator's settings of each
// domain, which libvirt stores with the domain as metadata.

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/terminal.h"
#include "engine/core/names.h"
#include "engine/core/printable.h"
#include "engine/core/text_table.h"
#include "engine/hypervisor/libvirt/domain_configuration.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"
#include "engine/observers/json.h"

namespace memcoord::cli {
namespace {

using libvirt::ConfiguredDomain;
using libvirt::SettingsChange;
using observers::Json;

struct DomainOptions {
  std::string uri;
  std::string name;
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
  SettingsChange change;
};

void add_connect_option(Command& command, DomainOptions& options) {
  add_option(command,
             {"-c,--connect", "URI",
              "the libvirt connection; default LIBVIRT_DEFAULT_URI, else qemu:///system"},
             into_text(options.uri));
}

// Simulated domains have their settings in the scenario file.
Result<std::string> libvirt_uri(const DomainOptions& options) {
  if (options.uri.empty()) return libvirt::default_uri();
  if (!options.uri.starts_with("sim:")) return options.uri;
  return fail(ErrorCode::invalid_input, options.uri,
              "a simulated domain's settings are in its scenario", "edit the scenario file");
}

std::string labels_text(const DomainSettings& settings) {
  std::string text;
  for (const auto& [name, value] : settings.labels) {
    if (!text.empty()) text += ' ';
    text.append(name).append("=").append(value);
  }
  return text;
}

/// The longest labels in the table, in bytes. Labels may have 64 KiB; JSON has them all.
constexpr std::size_t kLongestLabels = 200;

std::string size_text(const std::optional<MemorySize>& size) {
  return size ? size->text() : "-";
}

std::vector<std::string> domain_row(const ConfiguredDomain& domain, const std::string& state,
                                    const DomainSettings& settings, std::string note) {
  if (settings.exclude) note = "excluded" + (note.empty() ? "" : ": " + note);
  return {domain.identity.name,
          state,
          size_text(settings.minimum),
          size_text(settings.maximum ? settings.maximum : domain.maximum),
          fmt::format("{:g}", settings.weight),
          std::to_string(settings.priority),
          excerpt(labels_text(settings), kLongestLabels),
          std::move(note)};
}

std::string nodes_text(const std::vector<NodeBinding>& bound_to) {
  std::string text;
  for (const NodeBinding& binding : bound_to) {
    text += text.empty() ? "bound to node" : ", node";
    text += (binding.nodes.size() == 1 ? " " : "s ") + memcoord::to_text(binding.nodes);
    if (binding.size) text += " (" + binding.size->text() + ")";
  }
  return text;
}

/// `note`, and the parts of the domain's XML that matter to memcoord.
std::string note_of(const ConfiguredDomain& domain, std::string note) {
  const auto add = [&](const std::string& part) {
    if (!part.empty()) note += (note.empty() ? "" : "; ") + part;
  };
  add(domain.identity.unsuitable);
  add(nodes_text(domain.identity.bound_to));
  add(domain.free_page_reporting ? "free page reporting" : "");
  add(domain.deflates_by_itself ? "autodeflate" : "");
  return note;
}

/// A row for the settings in force, and one for the next start if its settings differ.
void add_rows(TextTable& table, const ConfiguredDomain& domain, const std::string& uri) {
  const DomainIdentity& identity = domain.identity;
  table.add_row(domain_row(domain, domain.active ? "running" : "shut off", identity.settings,
                           note_of(domain, domain.next_start ? "in force now" : "")));
  if (!domain.next_start) return;
  const std::string named = uri == libvirt::default_uri() ? std::string() : uri;
  table.add_row(domain_row(domain, "next start", *domain.next_start,
                           "configured, not in force; to apply now: " +
                               libvirt::set_command(identity.name, *domain.next_start, named)));
}

Json settings_json(const DomainSettings& settings) {
  const auto kib = [](const std::optional<MemorySize>& size) {
    return size ? Json(size->kib()) : Json();
  };
  Json labels = Json::object();
  for (const auto& [name, value] : settings.labels) labels.set(name, value);
  return Json::object({{"minimum_kib", kib(settings.minimum)},
                       {"maximum_kib", kib(settings.maximum)},
                       {"weight", settings.weight},
                       {"priority", settings.priority},
                       {"exclude", settings.exclude},
                       {"labels", std::move(labels)}});
}

Json domain_json(const ConfiguredDomain& domain) {
  Json json = Json::object({{"name", domain.identity.name},
                            {"uuid", domain.identity.uuid.text()},
                            {"active", domain.active},
                            {"persistent", domain.persistent},
                            {"domain_maximum_kib", domain.maximum.kib()}});
  json.update(settings_json(domain.identity.settings));
  if (domain.next_start) json.set("next_start", settings_json(*domain.next_start));
  json.set("unsuitable", domain.identity.unsuitable);
  auto bound_to = Json::array();
  for (const NodeBinding& binding : domain.identity.bound_to) {
    auto nodes = Json::array();
    for (const int node : binding.nodes) nodes.push_back(node);
    Json entry = Json::object({{"nodes", std::move(nodes)}});
    if (binding.size) entry.set("size_kib", binding.size->kib());
    bound_to.push_back(std::move(entry));
  }
  json.set("bound_to", std::move(bound_to));
  json.set("free_page_reporting", domain.free_page_reporting);
  json.set("deflates_by_itself", domain.deflates_by_itself);
  return json;
}

void print(const std::vector<ConfiguredDomain>& domains, const std::string& uri,
           const DomainOptions& options) {
  if (options.json) {
    auto list = Json::array();
    for (const ConfiguredDomain& domain : domains) list.push_back(domain_json(domain));
    standard_output().lines(list.text()) << '\n';
    return;
  }
  using enum TextTable::Align;
  TextTable table({{"DOMAIN", left},
                   {"STATE", left},
                   {"MINIMUM", right},
                   {"MAXIMUM", right},
                   {"WEIGHT", right},
                   {"PRIORITY", right},
                   {"LABELS", left},
                   {"NOTE", left}});
  for (const ConfiguredDomain& domain : domains) add_rows(table, domain, uri);
  table.print(standard_output(), wants_color(options.color, Stream::output));
}

Result<ExitCode> show_domains(const DomainOptions& options) {
  const auto uri = libvirt_uri(options);
  if (!uri) return fail(uri.error());
  std::vector<ConfiguredDomain> domains;
  if (options.name.empty()) {
    auto all = libvirt::read_all_domain_settings(*uri);
    if (!all) return fail(all.error());
    domains = *std::move(all);
  } else {
    auto one = libvirt::read_domain_settings(*uri, options.name);
    if (!one) return fail(one.error());
    domains.push_back(*std::move(one));
  }
  print(domains, *uri, options);
  return ExitCode::ok;
}

bool is_empty(const SettingsChange& change) {
  return !change.minimum && !change.maximum && !change.weight && !change.priority &&
         !change.exclude && change.labels.empty() && change.clear.empty();
}

Result<ExitCode> set(const DomainOptions& options) {
  const auto uri = libvirt_uri(options);
  if (!uri) return fail(uri.error());
  if (is_empty(options.change)) {
    return fail(ErrorCode::invalid_input, options.name, "nothing to set",
                "give a setting such as --minimum 1GiB, see 'memcoord domain set --help'");
  }
  auto domain = libvirt::write_domain_settings(*uri, options.name, options.change);
  if (!domain) return fail(domain.error());
  print({*std::move(domain)}, *uri, options);
  return ExitCode::ok;
}

void add_domain_output_options(Command& command, DomainOptions& options) {
  add_connect_option(command, options);
  add_flag(command, {"--json", "print JSON"}, options.json);
  add_color_option(command, options.color);
}

void add_show(Command& domain) {
  const auto options = std::make_shared<DomainOptions>();
  Command& command = domain.add("show", "Show the settings of one domain or of all domains.",
                                [options] { return show_domains(*options); });
  add_argument(command, {"NAME", "NAME", "a domain's name or UUID; default all domains"},
               options->name);
  add_domain_output_options(command, *options);
}

Status add_cleared(SettingsChange& change, const std::string& key) {
  static const std::vector<std::string> kKeys{"minimum", "maximum", "weight", "priority",
                                              "exclude", "labels",  "all"};
  const bool known = std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
  if (known || key.starts_with("label:")) {
    change.clear.insert(key);
    return {};
  }
  const auto nearest = suggest_name(key, kKeys);
  return fail(ErrorCode::invalid_input, "", "'" + key + "' is not a setting",
              nearest ? "did you mean " + *nearest + "?"
                      : fmt::format("expected {} or label:NAME", fmt::join(kKeys, ", ")));
}

void add_setting_options(Command& command, SettingsChange& change) {
  add_option(command, {"--minimum", "SIZE", "never shrink the domain below this size"},
             into(change.minimum, parse_size));
  add_option(command,
             {"--maximum", "SIZE", "never grow the domain above this size or its own maximum"},
             into(change.maximum, parse_size));
  add_option(command,
             {"--weight", "NUMBER", "the domain's weight when a policy shares memory; default 1"},
             into(change.weight, parse_weight));
  add_option(
      command,
      {"--priority", "NUMBER",
       "the domain's priority; policies that use priorities serve higher ones first; default 0"},
      into(change.priority, [](const std::string& text) {
        return parse_whole_number(text, {-1000000, 1000000});
      }));
  add_flag_action(command, {"--exclude", "do not touch the domain"},
                  [&change] { change.exclude = true; });
  add_flag_action(
      command,
      {.names = "--no-exclude", .description = "balance the domain again", .excludes = "--exclude"},
      [&change] { change.exclude = false; });
  add_repeated_option(command,
                      {"--label", "NAME=VALUE", "a label that policies can read; repeatable"},
                      [&change](const std::string& text) -> Status {
                        auto label = parse_assignment(text);
                        if (!label) return fail(label.error());
                        change.labels.insert_or_assign(label->first, label->second);
                        return {};
                      });
  add_repeated_option(command,
                      {"--clear", "KEY",
                       "reset to the default: minimum, maximum, weight, priority, exclude, labels, "
                       "label:NAME, all; repeatable"},
                      [&change](const std::string& text) { return add_cleared(change, text); });
}

void add_set(Command& domain) {
  const auto options = std::make_shared<DomainOptions>();
  Command& command =
      domain.add("set",
                 "Change the settings of one domain. The guard and policies use them; "
                 "a running memcoord applies the change by itself.",
                 [options] { return set(*options); });
  add_argument(command,
               {.names = "NAME",
                .value = "NAME",
                .description = "the domain's name or UUID",
                .required = true},
               options->name);
  add_setting_options(command, options->change);
  add_domain_output_options(command, *options);
  command.footer = examples_text({
      {"memcoord domain set web1 --minimum 512MiB --weight 2", "set a minimum and a double weight"},
      {"memcoord domain set db1 --exclude", "exclude a domain"},
      {"memcoord domain set db1 --clear all", "reset all settings"},
      {"memcoord domain set -- -db --exclude", "change a domain whose name begins with a dash"},
  });
}

}  // namespace

void add_domain_command(Command& program) {
  Command& command = program.add(
      "domain", "Show and change the settings of domains: minimum, maximum, weight, priority.", {});
  add_show(command);
  add_set(command);
}

}  // namespace memcoord::cli
