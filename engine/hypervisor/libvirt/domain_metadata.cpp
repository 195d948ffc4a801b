// The operator's settings as an XML element, as text, as commands and as changes.

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <pugixml.hpp>
#include <sstream>
#include <system_error>
#include <utility>

#include "engine/core/names.h"
#include "engine/core/printable.h"
#include "engine/hypervisor/libvirt/domain_configuration.h"

namespace memcoord::libvirt {
namespace {

/// Longest quotation of metadata in a message, in bytes.
constexpr std::size_t kShown = 60;
constexpr std::string_view kKeys = "minimum, maximum, weight, priority, exclude and label elements";

tl::unexpected<Error> malformed(std::string_view domain, std::string problem, std::string hint) {
  return fail(ErrorCode::invalid_input, fmt::format("memcoord settings of domain '{}'", domain),
              std::move(problem), std::move(hint));
}

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

/// The number that a text consists of; none: it is no number, or more than one.
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || text.empty()) return std::nullopt;
  return value;
}

std::optional<bool> yes_or_no(std::string_view text) {
  if (text == "yes" || text == "true" || text == "on" || text == "1") return true;
  if (text == "no" || text == "false" || text == "off" || text == "0") return false;
  return std::nullopt;
}

Status read_attribute(std::string_view key, std::string_view value, DomainSettings& settings,
                      std::string_view domain) {
  const auto wrong = [&](std::string_view expected) {
    return malformed(domain,
                     fmt::format("{}=\"{}\" is not {}", key, excerpt(value, kShown), expected),
                     "start afresh with: " + clear_command(domain));
  };
  if (key == "minimum" || key == "maximum") {
    const Result<MemorySize> size = MemorySize::parse_with_unit_or_kib(value);
    if (!size || size->is_zero()) return wrong("a size such as 512MiB");
    (key == "minimum" ? settings.minimum : settings.maximum) = *size;
    return {};
  }
  if (key == "weight") {
    const std::optional<double> weight = number<double>(value);
    if (!weight || !std::isfinite(*weight) || *weight <= 0) return wrong("a number over 0");
    settings.weight = *weight;
    return {};
  }
  if (key == "priority") {
    const std::optional<int> priority = number<int>(value);
    if (!priority) return wrong("a whole number");
    settings.priority = *priority;
    return {};
  }
  if (key == "exclude") {
    const std::optional<bool> exclude = yes_or_no(value);
    if (!exclude) return wrong("yes or no");
    settings.exclude = *exclude;
    return {};
  }
  const std::vector<std::string> known = {"minimum", "maximum", "weight", "priority", "exclude"};
  const auto near = suggest_name(key, known);
  return malformed(
      domain, fmt::format("unknown key '{}'", excerpt(key, kShown)),
      near ? fmt::format("did you mean '{}'?", *near) : fmt::format("known are {}", kKeys));
}

Status read_label(const pugi::xml_node& node, DomainSettings& settings, std::string_view domain) {
  if (local_name(node.name()) != "label") {
    return malformed(domain, fmt::format("unknown element <{}>", excerpt(node.name(), kShown)),
                     "expected <label name=\"...\" value=\"...\"/>");
  }
  const std::string name = node.attribute("name").value();
  if (name.empty() || !node.attribute("value")) {
    return malformed(domain, "a label without a name or a value",
                     "expected <label name=\"...\" value=\"...\"/>");
  }
  settings.labels[name] = node.attribute("value").value();
  return {};
}

Status check_settings(const DomainSettings& settings, std::string_view domain) {
  if (settings.minimum && settings.maximum && *settings.minimum > *settings.maximum) {
    return malformed(domain,
                     fmt::format("the minimum {} is over the maximum {}", settings.minimum->exact(),
                                 settings.maximum->exact()),
                     "lower the minimum or raise the maximum");
  }
  if (!std::isfinite(settings.weight) || settings.weight <= 0) {
    return malformed(domain, fmt::format("a weight of {} cannot be used", settings.weight),
                     "give a number over 0");
  }
  return {};
}

Status clear_key(DomainSettings& settings, const std::string& key, std::string_view domain) {
  const DomainSettings defaults;
  if (key == "all") {
    settings = defaults;
  } else if (key == "minimum") {
    settings.minimum = defaults.minimum;
  } else if (key == "maximum") {
    settings.maximum = defaults.maximum;
  } else if (key == "weight") {
    settings.weight = defaults.weight;
  } else if (key == "priority") {
    settings.priority = defaults.priority;
  } else if (key == "exclude") {
    settings.exclude = defaults.exclude;
  } else if (key == "labels") {
    settings.labels.clear();
  } else if (key.starts_with("label:")) {
    settings.labels.erase(key.substr(6));
  } else {
    return malformed(domain, fmt::format("cannot clear '{}'", excerpt(key, kShown)),
                     "one of minimum, maximum, weight, priority, exclude, labels, label:NAME, all");
  }
  return {};
}

/// A setting that differs from its default.
struct SetValue {
  const char* key;
  std::string exact;  ///< as parse_settings() and the command line read it
  std::string text;   ///< for people
  bool is_flag = false;
};

/// All but the labels.
std::vector<SetValue> set_values(const DomainSettings& settings) {
  const DomainSettings defaults;
  std::vector<SetValue> values;
  const auto add_size = [&](const char* key, const std::optional<MemorySize>& size) {
    if (size) values.push_back({key, size->exact(), size->text()});
  };
  const auto add_number = [&](const char* key, auto number, auto its_default) {
    const std::string text = fmt::format("{}", number);
    if (number != its_default) values.push_back({key, text, text});
  };
  add_size("minimum", settings.minimum);
  add_size("maximum", settings.maximum);
  add_number("weight", settings.weight, defaults.weight);
  add_number("priority", settings.priority, defaults.priority);
  if (settings.exclude) values.push_back({"exclude", "yes", {}, true});
  return values;
}

}  // namespace

Result<DomainSettings> parse_settings(std::string_view element, std::string_view domain) {
  if (element.size() > kMaxMetadata) {
    return malformed(domain, "larger than 64 KiB", "start afresh with: " + clear_command(domain));
  }
  pugi::xml_document document;
  // pugixml skips a document type, so entities that it declares stay as they are written.
  const pugi::xml_parse_result parsed = document.load_buffer(element.data(), element.size());
  if (!parsed) {
    return malformed(domain, fmt::format("not XML: {}", parsed.description()),
                     "start afresh with: " + clear_command(domain));
  }
  const pugi::xml_node root = document.document_element();
  if (local_name(root.name()) != "domain") {
    return malformed(
        domain,
        fmt::format("expected one <domain> element, found <{}>", excerpt(root.name(), kShown)),
        "start afresh with: " + clear_command(domain));
  }
  DomainSettings settings;
  for (const pugi::xml_attribute attribute : root.attributes()) {
    const std::string_view name = attribute.name();
    if (name == "xmlns" || name.starts_with("xmlns:")) continue;
    const Status read = read_attribute(local_name(name), attribute.value(), settings, domain);
    if (!read) return fail(read.error());
  }
  for (const pugi::xml_node child : root.children()) {
    if (child.type() != pugi::node_element) continue;
    if (const Status read = read_label(child, settings, domain); !read) return fail(read.error());
  }
  if (const Status sound = check_settings(settings, domain); !sound) return fail(sound.error());
  return settings;
}

std::string write_settings(const DomainSettings& settings) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("domain");
  for (const SetValue& set : set_values(settings)) {
    root.append_attribute(set.key).set_value(set.exact.c_str());
  }
  for (const auto& [name, value] : settings.labels) {
    pugi::xml_node label = root.append_child("label");
    label.append_attribute("name").set_value(name.c_str());
    label.append_attribute("value").set_value(value.c_str());
  }
  std::ostringstream text;
  document.print(text, "", pugi::format_raw | pugi::format_no_declaration);
  return text.str();
}

std::string settings_text(const DomainSettings& settings) {
  std::vector<std::string> parts;
  for (const SetValue& set : set_values(settings)) {
    parts.push_back(set.is_flag ? set.key : fmt::format("{} {}", set.key, set.text));
  }
  for (const auto& [name, value] : settings.labels) {
    parts.push_back(fmt::format("label {}={}", name, value));
  }
  return parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ", "));
}

void add_clear_command(Error& error, const std::string& command) {
  constexpr std::string_view kStartAfresh = "start afresh with: ";
  std::string& hint = error.hint;
  if (hint.empty() || hint.starts_with(kStartAfresh)) {
    hint.clear();
  } else {
    hint += hint.ends_with('?') ? " or " : ", or ";
  }
  hint.append(kStartAfresh).append(command);
}

std::string clear_command(std::string_view domain, std::string_view uri) {
  return fmt::format("memcoord domain set {}{} --clear all",
                     uri.empty() ? "" : "-c " + shell_word(uri) + " ", shell_argument(domain));
}

std::string set_command(std::string_view domain, const DomainSettings& settings,
                        std::string_view uri) {
  std::string command = clear_command(domain, uri);
  for (const SetValue& set : set_values(settings)) {
    // A priority may be negative; as a word of its own it would be read as an option.
    const bool joined = std::string_view(set.key) == "priority";
    command += fmt::format(" --{}", set.key);
    if (!set.is_flag) command += (joined ? "=" : " ") + set.exact;
  }
  for (const auto& [name, value] : settings.labels) {
    command += " --label=" + shell_word(fmt::format("{}={}", name, value));
  }
  return command;
}

Result<DomainSettings> changed(DomainSettings settings, const SettingsChange& change,
                               std::string_view domain) {
  for (const std::string& key : change.clear) {
    if (const Status cleared = clear_key(settings, key, domain); !cleared) {
      return fail(cleared.error());
    }
  }
  if (change.minimum) settings.minimum = change.minimum;
  if (change.maximum) settings.maximum = change.maximum;
  settings.weight = change.weight.value_or(settings.weight);
  settings.priority = change.priority.value_or(settings.priority);
  settings.exclude = change.exclude.value_or(settings.exclude);
  for (const auto& [name, value] : change.labels) settings.labels[name] = value;
  if (const Status sound = check_settings(settings, domain); !sound) return fail(sound.error());
  return settings;
}

}  // namespace memcoord::libvirt
