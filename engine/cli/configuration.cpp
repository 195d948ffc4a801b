#include "engine/cli/configuration.h"

#include <algorithm>
#include <optional>

#include "engine/core/names.h"
#include "engine/files/open_file.h"

namespace memcoord::cli {
namespace {

constexpr std::size_t kLargestFile = 1U << 20U;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '+';
}

// One line of the file, read from left to right.
class Line {
 public:
  Line(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

  [[nodiscard]] bool at_end() {
    skip_blanks();
    return text_.empty() || text_.front() == '#';
  }
  bool take(char c) {
    skip_blanks();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // A run of letters, digits and _ - . +
  std::string take_bare() {
    skip_blanks();
    const auto end = std::find_if_not(text_.begin(), text_.end(), is_bare);
    std::string word(text_.begin(), end);
    text_.remove_prefix(word.size());
    return word;
  }
  Result<std::string> take_value() {
    skip_blanks();
    if (!text_.empty() && (text_.front() == '"' || text_.front() == '\'')) return take_string();
    std::string word = take_bare();
    const bool number = !word.empty() && (std::string_view("+-.").find(word[0]) < 3 ||
                                          (word[0] >= '0' && word[0] <= '9'));
    if (word == "true" || word == "false" || number) return word;
    if (word.empty()) return refuse("a value is missing", "expected one such as \"2s\" or true");
    return refuse("the text " + word + " has no quotes", "write \"" + word + "\"");
  }
  [[nodiscard]] tl::unexpected<Error> refuse(std::string message, std::string hint) const {
    return fail(ErrorCode::invalid_input, where_, std::move(message), std::move(hint));
  }

 private:
  void skip_blanks() {
    while (!text_.empty() && is_blank(text_.front())) text_.remove_prefix(1);
  }
  Result<std::string> take_string() {
    const char quote = text_.front();
    text_.remove_prefix(1);
    std::string value;
    while (!text_.empty() && text_.front() != quote) {
      // TOML: escapes in double quotes, none in single ones.
      if (text_.front() == '\\' && quote == '"') {
        text_.remove_prefix(1);
        const auto escaped = take_escape();
        if (!escaped) return refuse("an unknown escape in a string", "use 'single quotes'");
        value += *escaped;
      } else {
        value += text_.front();
        text_.remove_prefix(1);
      }
    }
    if (text_.empty()) return refuse("a string has no end", std::string("add ") + quote);
    text_.remove_prefix(1);
    return value;
  }
  std::optional<char> take_escape() {
    constexpr std::string_view kNames = "\"\\nt";
    constexpr std::string_view kMeanings = "\"\\\n\t";
    if (text_.empty()) return std::nullopt;
    const std::size_t at = kNames.find(text_.front());
    if (at == std::string_view::npos) return std::nullopt;
    text_.remove_prefix(1);
    return kMeanings[at];
  }

  std::string_view text_;
  std::string where_;
};

Result<std::vector<std::string>> parse_values(Line& line) {
  std::vector<std::string> values;
  if (!line.take('[')) {
    auto value = line.take_value();
    if (!value) return fail(value.error());
    values.push_back(*value);
    return values;
  }
  while (!line.take(']')) {
    auto value = line.take_value();
    if (!value) return fail(value.error());
    values.push_back(*value);
    if (line.take(']')) break;
    if (!line.take(',')) {
      return line.refuse("a list has no end", "expected [\"a\", \"b\"] on one line");
    }
  }
  return values;
}

// "[set]", the one section there is.
Status parse_section(Line& line, std::string& section) {
  section = line.take_bare();
  if (!line.take(']') || !line.at_end()) {
    return line.refuse("a section has no end", "expected [set]");
  }
  if (section != "set") return line.refuse("no section [" + section + "]", "the only one is [set]");
  return {};
}

Result<ConfigurationEntry> parse_entry(Line& line, const std::string& section) {
  ConfigurationEntry entry;
  const std::string key = line.take_bare();
  if (key.empty() || !line.take('=')) {
    return line.refuse("not a setting", "expected a line such as policy = \"halving\"");
  }
  auto values = parse_values(line);
  if (!values) return fail(values.error());
  if (!line.at_end()) return line.refuse("text after the value", "one setting a line");
  entry.key = section.empty() ? key : section;
  for (std::string& value : *values) {
    if (!section.empty()) value.insert(0, key + "=");
    entry.values.push_back(std::move(value));
  }
  return entry;
}

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
    return fail(ErrorCode::invalid_input, path, "too large for a configuration", "at most 1 MiB");
  }
  return text;
}

Status check_values(const Option& option, const ConfigurationEntry& entry) {
  const std::vector<std::string>& values = entry.values;
  if (!option.takes_value()) {
    if (values.size() == 1 && (values[0] == "true" || values[0] == "false")) return {};
    return fail(ErrorCode::invalid_input, entry.key, "not a yes or no", "expected true or false");
  }
  if (!option.takes_several() && values.size() != 1) {
    return fail(ErrorCode::invalid_input, entry.key, "a list where one value is expected", "");
  }
  if (values.empty()) {
    return fail(ErrorCode::invalid_input, entry.key, "an empty list", "leave the line out");
  }
  return {};
}

Status give(const Option& option, const ConfigurationEntry& entry) {
  if (Status usable = check_values(option, entry); !usable) return usable;
  for (const std::string& value : entry.values) {
    if (Status taken = option.take(value); !taken) return taken;
  }
  return {};
}

const Option* configurable_option(const Command& command, const std::string& key) {
  for (const Option& option : command.options) {
    const auto& names = option.names;
    if (!option.configurable) continue;
    if (std::find(names.begin(), names.end(), "--" + key) != names.end()) return &option;
  }
  return nullptr;
}

std::vector<std::string> keys_of(const Command& command) {
  std::vector<std::string> keys;
  for (const Option& option : command.options) {
    if (!option.configurable) continue;
    for (const std::string& name : option.names) {
      if (name.starts_with("--")) keys.push_back(name.substr(2));
    }
  }
  return keys;
}

// The error of one entry, moved to where it stands in the file.
Error at_line(Error error, const std::string& path, const ConfigurationEntry& entry) {
  if (error.object.rfind("--", 0) == 0) error.object.erase(0, 2);  // here it is a key
  error.object = path + ":" + std::to_string(entry.line) + ": " + error.object;
  return error;
}

Status apply_entry(const ConfigurationEntry& entry, const Command& command,
                   std::vector<const Option*>& given) {
  const Option* option = configurable_option(command, entry.key);
  if (option == nullptr) {
    const auto nearest = nearest_name(entry.key, keys_of(command));
    return fail(ErrorCode::invalid_input, entry.key, "no such setting",
                nearest ? "did you mean " + *nearest + "?"
                        : "settings are the long options, see 'memcoord --help'");
  }
  const bool here = std::find(given.begin(), given.end(), option) != given.end();
  if (here && !option->takes_several()) {
    return fail(ErrorCode::invalid_input, entry.key, "set twice", "");
  }
  // The command line wins; of a policy's parameters, one by one, which is the caller's to see to.
  if (!here && option->given > 0 && entry.key != "set") return {};
  if (Status taken = give(*option, entry); !taken) return taken;
  if (!here) given.push_back(option);
  return {};
}

}  // namespace

Result<std::vector<ConfigurationEntry>> parse_configuration(std::string_view text,
                                                            const std::string& path) {
  std::vector<ConfigurationEntry> entries;
  std::string section;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    Line line(text.substr(0, end), path + ":" + std::to_string(number));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.at_end()) continue;
    if (line.take('[')) {
      if (Status parsed = parse_section(line, section); !parsed) return fail(parsed.error());
      continue;
    }
    auto entry = parse_entry(line, section);
    if (!entry) return fail(entry.error());
    entry->line = number;
    entries.push_back(*std::move(entry));
  }
  return entries;
}

Status apply_configuration(const std::string& path, const Command& command) {
  const auto text = read_file(path);
  if (!text) return fail(text.error());
  return apply_configuration_text(*text, path, command);
}

Status apply_configuration_text(std::string_view text, const std::string& path,
                                const Command& command) {
  const auto entries = parse_configuration(text, path);
  if (!entries) return fail(entries.error());
  std::vector<const Option*> given;
  for (const ConfigurationEntry& entry : *entries) {
    if (Status taken = apply_entry(entry, command, given); !taken) {
      return fail(at_line(taken.error(), path, entry));
    }
  }
  return {};
}

}  // namespace memcoord::cli
