#include "engine/fleet/metrics_text.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

namespace memcoord::fleet {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == ':';
}

void skip_blanks(std::string_view& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
}

bool skip(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

/// Takes a name from the front; empty if there is none.
std::string take_name(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_name_character(text[size])) ++size;
  std::string name(text.substr(0, size));
  text.remove_prefix(size);
  return name;
}

/// Takes the rest of a label's value and the quote at its end.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return value;
    if (c != '\\') {
      value += c;
      continue;
    }
    if (text.empty()) break;
    value += text.front() == 'n' ? '\n' : text.front();
    text.remove_prefix(1);
  }
  return std::nullopt;
}

/// Takes the labels behind an opening brace, and the closing one.
bool take_labels(std::string_view& text, std::map<std::string, std::string>& labels) {
  skip_blanks(text);
  while (!skip(text, '}')) {
    std::string name = take_name(text);
    skip_blanks(text);
    if (name.empty() || !skip(text, '=')) return false;
    skip_blanks(text);
    if (!skip(text, '"')) return false;
    auto value = take_quoted(text);
    if (!value) return false;
    labels.insert_or_assign(std::move(name), *std::move(value));
    skip_blanks(text);
    if (!skip(text, ',') && !text.starts_with('}')) return false;
    skip_blanks(text);
  }
  return true;
}

/// The number in a whole word: "1e+09", "+Inf", "NaN".
std::optional<double> number_in(std::string_view word) {
  if (word.starts_with('+')) word.remove_prefix(1);
  double number = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (end != word.data() + word.size() || word.empty()) return std::nullopt;
  if (code == std::errc::result_out_of_range) return std::numeric_limits<double>::infinity();
  return code == std::errc() ? std::optional(number) : std::nullopt;
}

std::optional<MetricSample> sample_in(std::string_view line) {
  MetricSample sample;
  sample.name = take_name(line);
  if (sample.name.empty()) return std::nullopt;
  skip_blanks(line);
  if (skip(line, '{') && !take_labels(line, sample.labels)) return std::nullopt;
  skip_blanks(line);
  // A timestamp may follow the value.
  const auto value = number_in(line.substr(0, line.find_first_of(" \t")));
  if (!value) return std::nullopt;
  sample.value = *value;
  return sample;
}

}  // namespace

Result<std::vector<MetricSample>> parse_metrics(std::string_view text) {
  std::vector<MetricSample> samples;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    skip_blanks(line);
    if (line.empty() || line.starts_with('#')) continue;
    auto sample = sample_in(line);
    if (!sample) {
      return fail(ErrorCode::invalid_input, "line " + std::to_string(number), "is no metric");
    }
    samples.push_back(*std::move(sample));
  }
  return samples;
}

}  // namespace memcoord::fleet
