#include "bindings/document.h"

#include <lua.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "engine/core/names.h"

namespace memcoord::bindings {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Whether a single "=" follows a key that ends at `end`, or follows its '"]'.
bool is_assigned(std::string_view line, std::size_t end) {
  while (end < line.size() && (line[end] == ' ' || line[end] == '"' || line[end] == '\'' ||
                               line[end] == ']' || line[end] == '\t')) {
    ++end;
  }
  return end < line.size() && line[end] == '=' && (end + 1 >= line.size() || line[end + 1] != '=');
}

bool line_assigns(std::string_view line, std::string_view key) {
  for (std::size_t at = line.find(key); at != std::string_view::npos; at = line.find(key, at + 1)) {
    const bool starts = at == 0 || !is_word(line[at - 1]);
    const std::size_t end = at + key.size();
    const bool ends = end >= line.size() || !is_word(line[end]);
    if (starts && ends && is_assigned(line, end)) return true;
  }
  return false;
}

template <class Wanted>
std::optional<std::size_t> find_line(std::string_view source, std::size_t from, Wanted wanted) {
  std::size_t number = 0;
  for (std::size_t start = 0; start < source.size();) {
    const std::size_t end = std::min(source.find('\n', start), source.size());
    const std::string_view line = source.substr(start, end - start);
    if (++number >= from && wanted(line.substr(0, line.find("--")))) return number;
    start = end + 1;
  }
  return std::nullopt;
}

}  // namespace

Result<Document> Document::load(const std::string& path, const std::string& kind,
                                SandboxLimits limits) {
  auto source = read_script(path, kind);
  if (!source) return fail(source.error());
  return load_text(std::move(*source), path, limits);
}

Result<Document> Document::load_text(std::string source, std::string name, SandboxLimits limits) {
  Document document;
  document.name_ = std::move(name);
  document.source_ = std::move(source);
  Sandbox sandbox(limits);
  const Status status = sandbox.run([&](lua_State* lua) {
    Sandbox::load_chunk(lua, document.source_, document.name_);
    lua_call(lua, 0, 1);
    document.value_ = read_value(lua, -1, NotPlain::raise);
  });
  if (!status) {
    Error error = status.error();
    if (error.object.empty()) error.object = document.name_;
    return fail(std::move(error));
  }
  if (!document.value_.as<Value::Table>()) {
    return fail(ErrorCode::invalid_input, document.name_,
                "returns " + std::string(document.value_.kind()) + " where a table is expected",
                "end the file with `return { ... }`");
  }
  return document;
}

std::string Document::place_of(std::string_view key, std::size_t after_line) const {
  const auto line = line_that_assigns(source_, key, after_line + 1);
  return line ? name_ + ":" + std::to_string(*line) : name_;
}

std::optional<std::size_t> line_that_assigns(std::string_view source, std::string_view key,
                                             std::size_t from) {
  return find_line(source, from, [&](std::string_view line) { return line_assigns(line, key); });
}

std::optional<std::size_t> line_with(std::string_view source, std::string_view text,
                                     std::size_t from) {
  return find_line(source, from, [&](std::string_view line) {
    return line.find(text) != std::string_view::npos;
  });
}

Status check_keys(const Document& document, const Value& table,
                  const std::vector<std::string>& known, const std::string& where) {
  const auto* fields = table.as<Value::Table>();
  if (!fields) {
    return fail(ErrorCode::invalid_input, document.name(),
                where + " is " + std::string(table.kind()) + " where a table is expected");
  }
  for (const auto& [key, value] : fields->fields) {
    bool found = false;
    for (const auto& name : known) found = found || name == key;
    if (found) continue;
    const auto near = suggest_name(key, known);
    std::string hint;
    if (near) {
      hint = "did you mean '" + *near + "'?";
    } else {
      for (const auto& name : known)
        hint.append(hint.empty() ? "the known keys are " : ", ").append(name);
    }
    return fail(ErrorCode::invalid_input, document.place_of(key),
                "unknown key '" + printable(key, 40) + "' in " + where, hint);
  }
  return {};
}

}  // namespace memcoord::bindings
