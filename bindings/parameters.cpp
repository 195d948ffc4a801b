// The parameters that a policy declares, and `--set name=value` applied to them.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "bindings/document.h"
#include "bindings/lua_policy.h"
#include "engine/core/memory_size.h"
#include "engine/core/names.h"
#include "engine/core/printable.h"

namespace memcoord::bindings {
namespace {

// In messages: the maximum number of names, and of each name's bytes.
constexpr std::size_t kNamesShown = 40;
constexpr std::size_t kNameShown = 60;

/// The number, if the whole text is a number.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A size with its unit; none for a bare number, so that a string of digits stays a string.
std::optional<MemorySize> size_with_unit(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789. ") == std::string::npos) {
    return std::nullopt;
  }
  const auto size = MemorySize::parse_with_unit(text);
  return size ? std::optional(*size) : std::nullopt;
}

Value size_value(MemorySize size) {
  return {static_cast<std::int64_t>(size.kib())};
}

std::string number_text(double number) {
  char text[40];
  const auto [end, problem] = std::to_chars(text, text + sizeof text, number);
  return problem == std::errc() ? std::string(text, end) : "?";
}

std::string text_of(const Value& value) {
  if (const auto* flag = value.as<bool>()) return *flag ? "true" : "false";
  if (const auto* integer = value.as<std::int64_t>()) return std::to_string(*integer);
  if (const auto* number = value.as<double>()) return number_text(*number);
  if (const auto* text = value.as<std::string>()) return *text;
  return {};
}

/// The error of a string that is meant to be a size and is malformed. A string without a unit, such
/// as "2024", stays a string, and so does one of several choices.
std::optional<Error> unreadable_size(const std::string& text, bool has_choices) {
  if (has_choices || !MemorySize::is_meant_by(text)) return std::nullopt;
  const auto size = MemorySize::parse_with_unit(text);
  return size ? std::nullopt : std::optional(size.error());
}

/// Sets the type and the value of a declared default; returns false if no parameter has such
/// values.
bool take_default(const Value& value, ParameterInfo& info, Value& current) {
  info.default_text = text_of(value);
  current = value;
  if (value.as<bool>()) {
    info.type = "boolean";
  } else if (value.as<std::int64_t>()) {
    info.type = "integer";
  } else if (value.as<double>()) {
    info.type = "number";
  } else if (const auto* text = value.as<std::string>()) {
    const auto size = size_with_unit(*text);
    info.type = size ? "size" : "string";
    if (size) current = size_value(*size);
  } else {
    return false;
  }
  info.value_text = info.default_text;
  return true;
}

std::string expected(const ParameterInfo& info) {
  if (info.type == "integer") return "a whole number";
  if (info.type == "number") return "a number";
  if (info.type == "boolean") return "true or false";
  std::string choices;
  for (const auto& choice : info.choices)
    choices.append(choices.empty() ? "" : ", ").append(choice);
  return choices.empty() ? "a string" : "one of " + choices;
}

/// The value of a parameter that is not a size.
std::optional<Value> value_in(const ParameterInfo& info, const std::string& text) {
  if (info.type == "integer") {
    if (const auto integer = number_in<std::int64_t>(text)) return Value{*integer};
    const auto size = size_with_unit(text);
    return size ? std::optional(size_value(*size)) : std::nullopt;
  }
  if (info.type == "number") {
    const auto number = number_in<double>(text);
    return number && std::isfinite(*number) ? std::optional(Value{*number}) : std::nullopt;
  }
  if (info.type == "boolean") {
    if (text == "true" || text == "yes" || text == "on") return Value{true};
    if (text == "false" || text == "no" || text == "off") return Value{false};
    return std::nullopt;
  }
  const bool known = info.choices.empty() || std::find(info.choices.begin(), info.choices.end(),
                                                       text) != info.choices.end();
  return known ? std::optional(Value{text}) : std::nullopt;
}

/// Errors: invalid_input without an object.
Result<Value> parse_setting(const ParameterInfo& info, const std::string& text,
                            NumberAsSize number) {
  if (info.type == "size") {
    const auto size = number == NumberAsSize::kib ? MemorySize::parse_with_unit_or_kib(text)
                                                  : MemorySize::parse_with_unit(text);
    return size.map(size_value);
  }
  if (auto value = value_in(info, text)) return *std::move(value);
  return fail(ErrorCode::invalid_input, "", "'" + text + "' is not accepted",
              "give " + expected(info));
}

tl::unexpected<Error> wrong(const std::string& path, std::string message, std::string hint = {}) {
  return fail(ErrorCode::invalid_input, path, std::move(message), std::move(hint));
}

/// "file:line" of a parameter's default, or else of its declaration; the file alone where neither
/// stands as `name = ...`.
std::string place_of(const std::string& name, const char* key, const PolicySource& policy) {
  const auto params = line_that_assigns(policy.text, "params", 1);
  const auto declaration = line_that_assigns(policy.text, name, params.value_or(1));
  if (!declaration) return policy.path;
  const auto line = line_that_assigns(policy.text, key, *declaration);
  return policy.path + ":" + std::to_string(line.value_or(*declaration));
}

Result<std::pair<ParameterInfo, Value>> read_one(const std::string& name, const Value& declared,
                                                 const PolicySource& policy) {
  const std::string& path = policy.path;
  const std::string what = "parameter '" + printable(name, kNameShown) + "'";
  const auto* fields = declared.as<Value::Table>();
  if (!fields) {
    return wrong(path, what + " is " + std::string(declared.kind()),
                 "write " + printable(name, kNameShown) + " = { default = ..., doc = \"...\" }");
  }
  static const std::vector<std::string> kKnown{"choices", "default", "doc"};
  for (const auto& [key, value] : fields->fields) {
    if (std::find(kKnown.begin(), kKnown.end(), key) != kKnown.end()) continue;
    const auto near = suggest_name(key, kKnown);
    std::string message = what;
    message.append(" has an unknown key '").append(printable(key, kNameShown)).append("'");
    return wrong(
        path, std::move(message),
        near ? "did you mean '" + *near + "'?" : "the known keys are default, doc and choices");
  }
  ParameterInfo info;
  info.name = name;
  Value current;
  const Value* value = declared.field("default");
  const auto* text = value ? value->as<std::string>() : nullptr;
  if (const auto size =
          text ? unreadable_size(*text, declared.field("choices") != nullptr) : std::nullopt) {
    return wrong(place_of(name, "default", policy), what + ": its default " + size->message,
                 size->hint);
  }
  if (!value || !take_default(*value, info, current)) {
    return wrong(path, what + " has no default",
                 "its default determines its type: \"150MiB\", 3, 0.5, true or another string");
  }
  const Value* doc = declared.field("doc");
  if (!doc || !doc->as<std::string>()) return wrong(path, what + " has no doc, a string");
  info.doc = *doc->as<std::string>();
  if (const Value* choices = declared.field("choices")) {
    const auto* table = choices->as<Value::Table>();
    for (const Value& choice : table ? table->items : std::vector<Value>{}) {
      info.choices.push_back(text_of(choice));
    }
    if (!parse_setting(info, info.default_text, NumberAsSize::refused)) {
      return wrong(path, what + " has a default that is not among its choices");
    }
  }
  return std::pair{std::move(info), std::move(current)};
}

}  // namespace

Result<Parameters> read_parameters(const Value& declared, const PolicySource& policy,
                                   const std::map<std::string, std::string>& settings,
                                   NumberAsSize number) {
  const std::string& path = policy.path;
  Parameters parameters;
  Value::Table values;
  std::vector<std::string> names;
  const auto* table = declared.as<Value::Table>();
  if (!table && !declared.is_nil()) {
    return wrong(path, "params is " + std::string(declared.kind()),
                 "write params = { name = { default = ..., doc = ... } }");
  }
  for (const auto& [name, one] : table ? table->fields : decltype(table->fields){}) {
    auto read = read_one(name, one, policy);
    if (!read) return fail(read.error());
    auto& [info, value] = *read;
    if (const auto setting = settings.find(name); setting != settings.end()) {
      auto parsed = parse_setting(info, setting->second, number);
      if (!parsed) return wrong("--set " + name, parsed.error().message, parsed.error().hint);
      value = std::move(*parsed);
      info.value_text = setting->second;
    }
    names.push_back(name);
    values.fields.emplace_back(name, std::move(value));
    parameters.infos.push_back(std::move(info));
  }
  for (const auto& [name, text] : settings) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const auto near = suggest_name(name, names);
    std::string known;
    for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) {
      known.append(known.empty() ? "it has " : ", ").append(printable(names[i], kNameShown));
    }
    if (names.size() > kNamesShown) known += ", ...";
    return wrong("--set " + name, path + " has no such parameter",
                 near            ? "did you mean '" + *near + "'?"
                 : known.empty() ? "it has no parameters"
                                 : known);
  }
  parameters.values.data = std::move(values);
  return parameters;
}

}  // namespace memcoord::bindings
