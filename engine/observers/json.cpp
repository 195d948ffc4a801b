#include "engine/observers/json.h"

#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "engine/core/printable.h"

namespace memcoord::observers {

using nlohmann::ordered_json;

struct Json::Value {
  explicit Value(ordered_json from = nullptr) : json(std::move(from)) {}
  ordered_json json;
};

// --- values: no pointer means null, so that a move allocates nothing ---

Json::Json() noexcept = default;
Json::Json(std::unique_ptr<Value> value) : value_(std::move(value)) {}
Json::Json(bool value) : Json(std::make_unique<Value>(value)) {}
Json::Json(long long value) : Json(std::make_unique<Value>(value)) {}
Json::Json(unsigned long long value) : Json(std::make_unique<Value>(value)) {}
Json::Json(double value) : Json(std::make_unique<Value>(value)) {}
Json::Json(std::string text) : Json(std::make_unique<Value>(std::move(text))) {}
Json::Json(const std::vector<std::string>& texts) : Json(std::make_unique<Value>(texts)) {}

Json::Json(const Json& other)
    : value_(other.value_ ? std::make_unique<Value>(other.value_->json) : nullptr) {}
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) {
  if (this != &other) *this = Json(other);
  return *this;
}
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;

Json::Value& Json::value() {
  if (!value_) value_ = std::make_unique<Value>();
  return *value_;
}

const Json::Value& Json::value() const {
  static const Value null;
  return value_ ? *value_ : null;
}

Json Json::array() {
  return Json(std::make_unique<Value>(ordered_json::array()));
}

Json Json::array(std::initializer_list<Json> items) {
  Json result = array();
  for (const Json& item : items) result.push_back(item);
  return result;
}

Json Json::object() {
  return Json(std::make_unique<Value>(ordered_json::object()));
}

Json Json::object(std::initializer_list<Member> members) {
  Json result = object();
  for (const Member& member : members) {
    result.value().json[std::string(member.name)] = std::move(member.value.value().json);
  }
  return result;
}

Result<Json> Json::parse(std::string_view text) {
  try {
    return Json(std::make_unique<Value>(ordered_json::parse(text)));
  } catch (const std::exception& problem) {
    // The library's messages start with "[json.exception...] ".
    const std::string_view what = problem.what();
    const std::size_t start = what.find("] ");
    return fail(ErrorCode::invalid_input, "JSON",
                std::string(what.substr(start == std::string_view::npos ? 0 : start + 2)));
  }
}

void Json::push_back(Json item) {
  value().json.push_back(std::move(item.value().json));
}

void Json::set(const std::string& name, Json value) {
  this->value().json[name] = std::move(value.value().json);
}

void Json::update(const Json& object) {
  value().json.update(object.value().json);
}

// --- writing ---

std::string Json::line() const {
  return printable_json(value().json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

std::string Json::ascii_line() const {
  return value().json.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

std::string Json::text() const {
  return printable_json(value().json.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

std::ostream& operator<<(std::ostream& out, const Json& json) {
  return out << json.line();
}

// --- reading ---

bool Json::is_array() const {
  return value().json.is_array();
}

bool Json::is_object() const {
  return value().json.is_object();
}

bool Json::is_number() const {
  return value().json.is_number();
}

bool Json::is_string() const {
  return value().json.is_string();
}

std::size_t Json::size() const {
  return value().json.size();
}

Json Json::at(std::size_t place) const {
  return Json(std::make_unique<Value>(value().json.at(place)));
}

Json Json::at(const std::string& name) const {
  return Json(std::make_unique<Value>(value().json.at(name)));
}

std::optional<Json> Json::find(const std::string& name) const {
  const ordered_json& json = value().json;
  const auto found = json.find(name);
  if (!json.is_object() || found == json.end()) return std::nullopt;
  return Json(std::make_unique<Value>(*found));
}

std::string Json::string() const {
  return value().json.get<std::string>();
}

double Json::number() const {
  return value().json.get<double>();
}

std::vector<Json> Json::items() const {
  std::vector<Json> items;
  for (const ordered_json& item : value().json)
    items.push_back(Json(std::make_unique<Value>(item)));
  return items;
}

std::vector<std::string> Json::names() const {
  std::vector<std::string> names;
  for (const auto& [name, member] : value().json.items()) names.push_back(name);
  return names;
}

bool Json::operator==(const Json& other) const {
  return value().json == other.value().json;
}

}  // namespace memcoord::observers
