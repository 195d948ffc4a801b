// Configuration files. The only user of toml++; its exceptions end here.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "engine/cli/command.h"
#include "engine/cli/configuration_line.h"
#include "engine/core/names.h"
#include "engine/core/printable.h"
#include "engine/files/open_file.h"

namespace memcoord::cli {
namespace {

constexpr std::size_t kLargestFile = 1U << 20U;
/// toml++ makes a table of each part of the key "a.b.c" and destroys these tables recursively. More
/// dots in a line, in values nested as deeply as toml++ allows, could overflow the stack.
constexpr std::size_t kMaxDots = 100;
constexpr std::size_t kLongestExcerpt = 60;
constexpr const char* kParameters = "set";

/// Where an error is, in the file and on the command line.
struct ConfigurationFile {
  const std::string& path;
  const Command& command;
  Origins& origins;
};

/// A key and its value.
struct Setting {
  std::string key;
  toml::source_position key_at;
  const toml::node* value = nullptr;
};

std::string place_at(const ConfigurationFile& file, const toml::source_position& at) {
  return fmt::format("{}:{}:{}", file.path, at.line, at.column);
}

Error error_at(const ConfigurationFile& file, const toml::source_position& at, Error error) {
  const std::string where = place_at(file, at);
  error.object = error.object.empty() ? where : where + ": " + error.object;
  return error;
}

tl::unexpected<Error> refuse(const ConfigurationFile& file, const toml::source_position& at,
                             const std::string& key, std::string message, std::string hint = {}) {
  return fail(error_at(file, at,
                       {ErrorCode::invalid_input, excerpt(key, kLongestExcerpt), std::move(message),
                        std::move(hint), ""}));
}

// --- Reading ---

Result<std::string> read_file(const std::string& path) {
  auto text = files::read_up_to(kLargestFile + 1, path, "configuration");
  if (!text) {
    const ErrorCode code = text.error().code;
    const bool missing = code == ErrorCode::not_found;
    if (!missing && code != ErrorCode::permission_denied) return text;
    return fail(code, path,
                std::string("cannot read the configuration: ") +
                    (missing ? "No such file or directory" : "Permission denied"));
  }
  if (text->size() > kLargestFile) {
    return fail(ErrorCode::invalid_input, path, "the configuration is too large",
                "the limit is 1 MiB");
  }
  return text;
}

const Option* configurable_option(const Command& command, std::string_view key) {
  for (const Option& option : command.options) {
    const auto& names = option.names;
    if (!option.configurable) continue;
    if (std::find(names.begin(), names.end(), "--" + std::string(key)) != names.end())
      return &option;
  }
  return nullptr;
}

/// "cannot redefine existing string 'policy'" names the key; "set = 1" before "[set]" ends in "as
/// table".
std::optional<std::string> redefined_key(std::string_view description) {
  constexpr std::string_view kRedefined = "cannot redefine existing ";
  const std::size_t found = description.find(kRedefined);
  if (found == std::string_view::npos) return std::nullopt;
  const std::size_t first = description.find('\'', found);
  const std::size_t last = description.rfind('\'');
  if (first == std::string_view::npos || last <= first) return std::nullopt;
  const std::string_view key = description.substr(first + 1, last - first - 1);
  // toml++ garbles a key in quotes: it names "a" as "\"a\"a\"". The position remains.
  if (key.find_first_of("\"'") != std::string_view::npos) return "";
  return std::string(key);
}

Error set_twice(const ConfigurationFile& file, const toml::source_position& at,
                const std::string& key) {
  const Option* option = configurable_option(file.command, key);
  const bool several = option != nullptr && option->takes_several() && key != kParameters;
  return refuse(file, at, key, "set twice",
                several ? "write a list: " + key + " = [\"a\", \"b\"]" : "")
      .value();
}

Error missing_quotation_mark(const ConfigurationFile& file, const toml::source_position& at,
                             const WrittenSetting& found) {
  const std::string key = excerpt(found.key, kLongestExcerpt);
  std::string value(found.value);
  std::erase_if(value, [](char c) { return c == '"' || c == '\''; });
  // In a list, several marks are possible.
  const bool one_value = value.find_first_of("[,#") == std::string::npos;
  return refuse(file, at, key, "a quotation mark is missing",
                one_value ? fmt::format("write {} = \"{}\"", key, excerpt(value, kLongestExcerpt))
                          : "each text in a list has one before and one behind it")
      .value();
}

Error missing_quotes(const ConfigurationFile& file, const toml::source_position& at,
                     const WrittenSetting& unquoted) {
  const Option* option = configurable_option(file.command, unquoted.key);
  const bool flag = option != nullptr && !option->takes_value();
  const std::string value = excerpt(unquoted.value, kLongestExcerpt);
  const std::string key = excerpt(unquoted.key, kLongestExcerpt);
  if (flag) return refuse(file, at, key, value + " is neither true nor false").value();
  return refuse(file, at, key, "the value " + value + " has no quotes",
                fmt::format("write {} = \"{}\"", key, value))
      .value();
}

std::string_view hint_for_syntax(std::string_view description, std::string_view line) {
  if (description.find("escape sequence") != std::string_view::npos) {
    return "write text with backslashes in 'single quotes'";
  }
  if (trimmed(line).starts_with('[')) return "the only table is [set]";
  if (description.starts_with("array") || line.find('[') < line.find_first_of("\"'")) {
    return "expected a list such as exclude = [\"build-*\", \"scratch\"]";
  }
  return "expected a line such as policy = \"halving\"";
}

/// The error for text that is not TOML.
Error syntax_error(const ConfigurationFile& file, std::string_view text,
                   const toml::parse_error& error) {
  constexpr std::string_view kPrefix = "Error while parsing ";
  const toml::source_position at = error.source().begin;
  std::string_view description = error.description();
  if (const auto key = redefined_key(description)) return set_twice(file, at, *key);
  const std::string_view line = line_of(text, at.line);
  if (const auto unquoted = unquoted_value(line)) {
    const auto column = static_cast<toml::source_index>(unquoted->column);
    return missing_quotes(file, {at.line, column}, *unquoted);
  }
  if (const auto half = half_quoted_value(line)) {
    const auto column = static_cast<toml::source_index>(half->column);
    return missing_quotation_mark(file, {at.line, column}, *half);
  }
  if (description.starts_with(kPrefix)) description.remove_prefix(kPrefix.size());
  std::string problem(description);
  if (!problem.empty()) problem[0] = static_cast<char>(std::tolower(problem[0]));
  return refuse(file, at, "", "not TOML: " + problem,
                std::string(hint_for_syntax(description, line)))
      .value();
}

/// The settings of the file in their order; those of [set] stand under its key.
std::vector<Setting> settings_of(const toml::table& table) {
  std::vector<Setting> settings;
  for (const auto& [key, value] : table) {
    settings.push_back({std::string(key.str()), key.source().begin, &value});
  }
  std::sort(settings.begin(), settings.end(), [](const Setting& a, const Setting& b) {
    return std::pair(a.key_at.line, a.key_at.column) < std::pair(b.key_at.line, b.key_at.column);
  });
  return settings;
}

// --- Applying ---

std::string_view kind_of(const toml::node& value) {
  if (value.is_string()) return "a string";
  if (value.is_number()) return "a number";
  if (value.is_boolean()) return "a boolean";
  if (value.is_array()) return "a list";
  if (value.is_table()) return "a table";
  return "a date or a time of day";
}

/// A string, or the text of a number. Integral floats keep their point, so that an option for whole
/// numbers refuses them.
std::optional<std::string> text_of(const toml::node& value) {
  if (const auto* text = value.as_string()) return text->get();
  if (const auto* number = value.as_integer()) return std::to_string(number->get());
  const auto* number = value.as_floating_point();
  if (number == nullptr) return std::nullopt;
  std::string text = fmt::format("{}", number->get());
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

Origin origin_of(const ConfigurationFile& file, const Option& option, const toml::node& value,
                 const std::string& text) {
  Origin origin{option.name().substr(2), text, place_at(file, value.source().begin)};
  if (origin.key != kParameters) return origin;
  if (const auto parameter = parse_assignment(text)) {
    origin.key += "." + parameter->first;
    origin.value = parameter->second;
  }
  return origin;
}

Status take(const ConfigurationFile& file, const Option& option, const toml::node& value,
            const std::string& text) {
  Status taken = option.check_in_file ? option.check_in_file(text) : Status();
  if (taken) taken = option.take(text);
  if (taken) {
    file.origins.push_back(origin_of(file, option, value, text));
    return taken;
  }
  Error error = taken.error();
  if (error.object.starts_with("--")) error.object.erase(0, 2);  // here an option is a key
  return fail(error_at(file, value.source().begin, std::move(error)));
}

Status take_text(const ConfigurationFile& file, const Option& option, const Setting& setting,
                 const toml::node& value) {
  if (const auto text = text_of(value)) return take(file, option, value, *text);
  return refuse(file, value.source().begin, setting.key, fmt::format("is {}", kind_of(value)),
                "expected a string or a number");
}

Status take_list(const ConfigurationFile& file, const Option& option, const Setting& setting,
                 const toml::array& list) {
  if (!option.takes_several()) {
    return refuse(file, list.source().begin, setting.key, "is a list", "expected one value");
  }
  if (list.empty()) {
    return refuse(file, list.source().begin, setting.key, "the list is empty",
                  "leave the line out");
  }
  for (const toml::node& value : list) {
    if (Status taken = take_text(file, option, setting, value); !taken) return taken;
  }
  return {};
}

/// [set]: each entry becomes "--set NAME=VALUE".
Status take_parameters(const ConfigurationFile& file, const Option& option,
                       const toml::table& table) {
  for (const Setting& parameter : settings_of(table)) {
    std::optional<std::string> text = text_of(*parameter.value);
    if (const auto* flag = parameter.value->as_boolean()) text = flag->get() ? "true" : "false";
    if (!text) {
      return refuse(file, parameter.value->source().begin, "set." + parameter.key,
                    fmt::format("is {}", kind_of(*parameter.value)),
                    "expected a string, a number or a boolean");
    }
    Status taken = take(file, option, *parameter.value, parameter.key + "=" + *text);
    if (!taken) return taken;
  }
  return {};
}

Status unknown_key(const ConfigurationFile& file, const Setting& setting) {
  if (setting.value->is_table() || setting.value->is_array_of_tables()) {
    return refuse(file, setting.key_at, setting.key, "no such table", "the only table is [set]");
  }
  std::vector<std::string> keys;
  for (const Option& option : file.command.options) {
    if (!option.configurable) continue;
    for (const std::string& name : option.names) {
      if (name.starts_with("--")) keys.push_back(name.substr(2));
    }
  }
  const auto nearest = suggest_name(setting.key, keys);
  return refuse(file, setting.key_at, setting.key, "no such setting",
                nearest ? "did you mean " + *nearest + "?"
                        : "settings are the long options, see 'memcoord --help'");
}

Status apply_setting(const ConfigurationFile& file, const Setting& setting) {
  const Option* option = configurable_option(file.command, setting.key);
  if (option == nullptr) return unknown_key(file, setting);
  if (setting.key == kParameters && setting.value->is_table()) {
    return take_parameters(file, *option, *setting.value->as_table());
  }
  // The command line wins. It wins over parameters one by one, which the caller does.
  if (option->given > 0 && setting.key != kParameters) return {};
  if (const auto* list = setting.value->as_array()) {
    return take_list(file, *option, setting, *list);
  }
  if (option->takes_value()) return take_text(file, *option, setting, *setting.value);
  const auto* flag = setting.value->as_boolean();
  if (flag == nullptr) {
    return refuse(file, setting.value->source().begin, setting.key,
                  fmt::format("is {}", kind_of(*setting.value)), "expected true or false");
  }
  return take(file, *option, *setting.value, flag->get() ? "true" : "false");
}

/// The dots of a line that may be part of a key. Where a string of several lines begins or ends,
/// all dots count.
std::size_t count_dots(std::string_view line) {
  constexpr auto kNone = std::string_view::npos;
  const bool long_string = line.find("\"\"\"") != kNone || line.find("'''") != kNone;
  if (long_string) return static_cast<std::size_t>(std::count(line.begin(), line.end(), '.'));
  std::size_t dots = 0;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
      if (c == '\\' && quote == '"') ++i;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      break;
    } else if (c == '.') {
      ++dots;
    }
  }
  return dots;
}

Status check_dots(const ConfigurationFile& file, std::string_view text) {
  for (toml::source_index number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (count_dots(text.substr(0, end)) > kMaxDots) {
      return refuse(file, {number, 1}, "",
                    fmt::format("a line with more than {} dots outside strings", kMaxDots));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

Result<toml::table> parse(const ConfigurationFile& file, std::string_view text) {
  if (Status checked = check_dots(file, text); !checked) return fail(checked.error());
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return fail(syntax_error(file, text, error));
  }
}

}  // namespace

Result<Origins> apply_configuration(const std::string& path, const Command& command) {
  const auto text = read_file(path);
  if (!text) return fail(text.error());
  return apply_configuration_text(*text, path, command);
}

Result<Origins> apply_configuration_text(std::string_view text, const std::string& path,
                                         const Command& command) {
  Origins origins;
  const ConfigurationFile file{path, command, origins};
  const auto table = parse(file, text);
  if (!table) return fail(table.error());
  for (const Setting& setting : settings_of(*table)) {
    if (Status applied = apply_setting(file, setting); !applied) return fail(applied.error());
  }
  return origins;
}

Error with_origin(Error error, const Origins& origins) {
  constexpr std::string_view kSimulated = "sim:";
  for (const Origin& origin : origins) {
    const bool parameter = origin.key.starts_with("set.");
    if (parameter && error.object == "--set " + origin.key.substr(4)) {
      error.object = origin.place + ": " + origin.key;
      return error;
    }
    if (!parameter && error.object == "--" + origin.key) {
      error.object = origin.place + ": " + origin.key;
      return error;
    }
    std::string_view value = origin.value;
    if (value.starts_with(kSimulated)) value.remove_prefix(kSimulated.size());
    const bool of_value =
        error.object == value || error.object == fmt::format("--{} {}", origin.key, value);
    if (parameter || value.empty() || !of_value) continue;
    error.object = fmt::format("{}: {}: {}", origin.place, origin.key, value);
    return error;
  }
  return error;
}

}  // namespace memcoord::cli
