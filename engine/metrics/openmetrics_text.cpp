// The OpenMetrics specification, version 1.0.0:
// https://prometheus.io/docs/specs/om/open_metrics_spec/

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "engine/metrics/exposition.h"

namespace memcoord::metrics {
namespace {

std::string_view type_text(FamilyType type) {
  switch (type) {
    case FamilyType::counter:
      return "counter";
    case FamilyType::histogram:
      return "histogram";
    case FamilyType::info:
      return "info";
    case FamilyType::gauge:
      break;
  }
  return "gauge";
}

/// The suffix of the samples' names, which the family's name lacks.
std::string_view ending_of(FamilyType type) {
  if (type == FamilyType::counter) return "_total";
  return type == FamilyType::info ? "_info" : "";
}

/// The last word of a name if that is a base unit; else empty.
std::string_view unit_of(std::string_view name) {
  for (const std::string_view unit : {"bytes", "seconds"}) {
    if (name.ends_with(unit)) return unit;
  }
  return {};
}

/// Without a fraction if it is whole, and never with digits that a reader cannot store.
void append_number(std::string& text, double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (std::floor(value) == value && std::abs(value) < kExact) {
    fmt::format_to(std::back_inserter(text), "{:.0f}", value);
  } else {
    fmt::format_to(std::back_inserter(text), "{}", value);
  }
}

void append_escaped(std::string& text, std::string_view value) {
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
    } else {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
  }
}

/// {stage="sample",le="0.1"}
void append_labels(std::string& text, const std::vector<Label>& labels, std::string_view le = {}) {
  if (labels.empty() && le.empty()) return;
  char separator = '{';
  const auto append = [&](std::string_view name, std::string_view value) {
    text += separator;
    text += name;
    text += "=\"";
    append_escaped(text, value);
    text += '"';
    separator = ',';
  };
  for (const Label& label : labels) append(label.name, label.value);
  if (!le.empty()) append("le", le);
  text += '}';
}

void append_sample(std::string& text, std::string_view name, const std::vector<Label>& labels,
                   double value, std::string_view le = {}) {
  text += name;
  append_labels(text, labels, le);
  text += ' ';
  append_number(text, value);
  text += '\n';
}

/// A bound always has a fraction, so that it reads the same everywhere: "1.0".
std::string bound_text(double bound) {
  std::string text = fmt::format("{}", bound);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

void append_histogram(std::string& text, std::string_view name, const HistogramSample& sample) {
  const std::string bucket_name = std::string(name) + "_bucket";
  for (const HistogramSample::Bucket& bucket : sample.buckets) {
    append_sample(text, bucket_name, sample.labels, static_cast<double>(bucket.up_to_now),
                  bound_text(bucket.bound));
  }
  append_sample(text, bucket_name, sample.labels, static_cast<double>(sample.count), "+Inf");
  append_sample(text, std::string(name) + "_count", sample.labels,
                static_cast<double>(sample.count));
  append_sample(text, std::string(name) + "_sum", sample.labels, sample.sum);
}

}  // namespace

void append_openmetrics(std::string& text, const Family& family) {
  std::string_view name = family.name;
  name.remove_suffix(ending_of(family.type).size());
  const std::string_view unit = unit_of(name);
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "# TYPE {} {}\n", name, type_text(family.type));
  if (!unit.empty()) fmt::format_to(out, "# UNIT {} {}\n", name, unit);
  fmt::format_to(out, "# HELP {} {}\n", name, family.help);
  for (const Sample& sample : family.samples) {
    append_sample(text, family.name, sample.labels, sample.value);
  }
  for (const HistogramSample& sample : family.histograms) append_histogram(text, name, sample);
}

}  // namespace memcoord::metrics
