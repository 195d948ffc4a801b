#include "engine/workbench/recorded_column.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace memcoord::workbench {
namespace {

/// How many domains a note names, and how many domains have a note of their own.
constexpr std::size_t kDomainsNamed = 3;
constexpr std::size_t kMostChanges = 5;

/// "a, b", or "a, b, c and 2 more".
std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kDomainsNamed); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kDomainsNamed)
    text += fmt::format(" and {} more", names.size() - kDomainsNamed);
  return text;
}

std::string domains_text(std::size_t n) {
  return n == 1 ? "1 domain" : fmt::format("{} domains", n);
}

}  // namespace

void note_domains(const std::vector<RecordedColumn>& columns, const std::vector<std::string>& fixed,
                  StartsAndStops count, std::vector<std::string>& notes) {
  if (count.starts + count.stops > 0) {
    notes.push_back(
        fmt::format("domains started {} times and stopped {} times; one that does not run needs "
                    "nothing",
                    count.starts, count.stops));
  }
  std::vector<std::string> silent;
  std::vector<std::string> changes;
  for (const RecordedColumn& column : columns) {
    const TraceColumn& trace = column.trace;
    if (!column.recorded.has_reported) silent.push_back(trace.name);
    if (trace.name != column.first_name) {
      changes.push_back(fmt::format("{} was renamed {}", column.first_name, trace.name));
    }
    if (column.first_maximum != trace.provisioned || column.maximum_fell) {
      changes.push_back(fmt::format("the maximum of {} changed; it counts with the largest, {}",
                                    trace.name, trace.provisioned.text()));
    }
  }
  if (changes.size() > kMostChanges) {
    const std::size_t more = changes.size() - kMostChanges;
    changes.resize(kMostChanges);
    changes.push_back(fmt::format("and {} more renames and changes of maximums", more));
  }
  notes.insert(notes.end(), changes.begin(), changes.end());
  if (!silent.empty()) {
    notes.push_back(
        fmt::format("{} never reported memory figures and count with what their "
                    "processes held: {}",
                    domains_text(silent.size()), names_text(silent)));
  }
  if (!fixed.empty()) {
    notes.push_back(fmt::format("{} that memcoord could not move count as the host's own use: {}",
                                domains_text(fixed.size()), names_text(fixed)));
  }
}

void make_names_unique(std::vector<RecordedColumn>& columns, std::vector<std::string>& notes) {
  std::map<std::string, std::size_t> named;
  for (const RecordedColumn& column : columns) ++named[column.trace.name];
  std::map<std::string, std::size_t> given;
  for (RecordedColumn& column : columns) {
    std::string& name = column.trace.name;
    const std::string original = name;
    const std::size_t number = ++given[original];
    if (number == 1) continue;
    for (std::size_t n = number; named.count(name) > 0; ++n) {
      name = fmt::format("{} ({})", original, n);
    }
    named.emplace(name, 1);
    notes.push_back(fmt::format("another domain was named {} too: it is {}", original, name));
  }
}

}  // namespace memcoord::workbench
