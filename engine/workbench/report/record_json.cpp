#include "engine/workbench/report/record_json.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "engine/observers/json.h"
#include "engine/workbench/report/page.h"

namespace memcoord::workbench::report {
namespace {

using observers::Json;

/// The largest whole number that JavaScript represents exactly.
constexpr std::uint64_t kLargestExact = (std::uint64_t{1} << 53U) - 1;

std::int64_t kib(MemorySize size) {
  return static_cast<std::int64_t>(std::min(size.kib(), kLargestExact));
}

/// "[first,difference,difference,...]" of value(0) to value(count - 1).
template <class Value>
std::string differences(std::size_t count, Value value) {
  std::string out = "[";
  std::int64_t before = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t now = value(i);
    if (i > 0) out += ',';
    out += std::to_string(now - before);
    before = now;
  }
  return out + "]";
}

/// "[first,end,first,end,...]": the runs of positions from 0 to count - 1 for which `holds`.
template <class Holds>
std::string runs(std::size_t count, Holds holds) {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i) {
    if (!holds(i)) continue;
    const std::size_t first = i;
    while (i < count && holds(i)) ++i;
    out += (out.size() > 1 ? "," : "") + std::to_string(first) + "," + std::to_string(i);
  }
  return out + "]";
}

std::string rule_masks(const std::vector<DomainMoment>& moments) {
  std::string out = "[";
  for (std::size_t i = 0; i < moments.size(); ++i) {
    if (moments[i].rules == 0) continue;
    out += (out.size() > 1 ? "," : "") + std::to_string(i) + "," + std::to_string(moments[i].rules);
  }
  return out + "]";
}

std::string oom_places(const std::vector<DomainMoment>& moments) {
  std::string out = "[";
  for (std::size_t i = 0; i < moments.size(); ++i) {
    if (moments[i].oom) out += (out.size() > 1 ? "," : "") + std::to_string(i);
  }
  return out + "]";
}

std::string number_json(double value) {
  return Json(value).line();
}

void write_times_and_host(const RunRecord& record, const files::WritePiece& write) {
  const std::size_t count = record.times.size();
  const auto sizes = [&](MemorySize HostMoment::*figure) {
    return differences(count, [&](std::size_t i) { return kib(record.host[i].*figure); });
  };
  write("\"t\":" + differences(count, [&](std::size_t i) {
          return std::chrono::duration_cast<std::chrono::milliseconds>(record.times[i]).count();
        }));
  write(",\"host\":{\"free\":" + sizes(&HostMoment::free));
  write(",\"granted\":" + sizes(&HostMoment::granted));
  write(",\"need\":" + sizes(&HostMoment::need));
  write(",\"awayRuns\":" + runs(count, [&](std::size_t i) { return !record.host[i].active; }) +
        "}");
}

void write_story(const observers::DomainStory& story, const files::WritePiece& write) {
  write(fmt::format(",\"story\":[{},{},{},{},{},{},{}]", kib(story.smallest), kib(story.largest),
                    story.moves, kib(story.moved), story.limits, story.shortages,
                    number_json(seconds_of(story.longest_shortage))));
}

void write_domain(const DomainRecord& domain, const files::WritePiece& write) {
  const std::vector<DomainMoment>& moments = domain.moments;
  const auto sizes = [&](MemorySize DomainMoment::*figure) {
    return differences(moments.size(), [&](std::size_t i) { return kib(moments[i].*figure); });
  };
  write("{\"name\":" + script_json(domain.name));
  write(",\"maximum\":" + std::to_string(kib(domain.maximum)));
  write(",\"stalled\":" + number_json(domain.stalled));
  write(",\"oom\":" + std::to_string(domain.oom_kills));
  write(",\"actual\":" + sizes(&DomainMoment::actual));
  write(",\"need\":" + sizes(&DomainMoment::need));
  write(",\"unused\":" + sizes(&DomainMoment::unused));
  write(",\"usable\":" + sizes(&DomainMoment::usable));
  write(",\"stalledRuns\":" +
        runs(moments.size(), [&](std::size_t i) { return moments[i].stalled; }));
  write(",\"awayRuns\":" + runs(moments.size(), [&](std::size_t i) { return !moments[i].active; }));
  write(",\"ruleMasks\":" + rule_masks(moments));
  write(",\"silentRuns\":" +
        runs(moments.size(), [&](std::size_t i) { return moments[i].silent; }));
  write_story(domain.story, write);
  write(",\"oomAt\":" + oom_places(moments) + "}");
}

/// A strip under the host's chart: for each interval, the number of domains with an event of one
/// kind.
template <class Happened>
std::string strip_json(const RunRecord& record, const std::string& name, const std::string& style,
                       Happened happened) {
  const std::string counts = differences(record.times.size(), [&](std::size_t i) -> std::int64_t {
    return std::count_if(record.domains.begin(), record.domains.end(),
                         [&](const DomainRecord& one) { return happened(one.moments[i]); });
  });
  return R"({"name":")" + name + R"(","style":")" + style + R"(","counts":)" + counts + "}";
}

}  // namespace

void write_record(const RunRecord& record, const files::WritePiece& write) {
  write("{");
  write_times_and_host(record, write);
  write(",\"domains\":[");
  for (std::size_t i = 0; i < record.domains.size(); ++i) {
    write(i > 0 ? ",\n" : "\n");
    write_domain(record.domains[i], write);
  }
  write("]}");
}

void write_compared_record(const RunRecord& record, std::span<const std::size_t> picks,
                           const files::WritePiece& write) {
  write("{\"policy\":" + script_json(record.policy) + ",");
  write_times_and_host(record, write);
  write(",\"strips\":[");
  write(strip_json(record, "stalled", "bad", [](const DomainMoment& m) { return m.stalled; }) +
        ",");
  write(strip_json(record, "kills", "bad", [](const DomainMoment& m) { return m.oom; }) + ",");
  write(strip_json(record, "limited", "", [](const DomainMoment& m) { return m.rules != 0; }));
  write("],\"domains\":[");
  bool first = true;
  for (const std::size_t pick : picks) {
    if (pick >= record.domains.size()) continue;
    write(first ? "\n" : ",\n");
    first = false;
    write_domain(record.domains[pick], write);
  }
  write("]}");
}

std::string rule_names_json() {
  Json names = Json::array();
  for (std::size_t i = 0; i < kRuleCount; ++i) names.push_back(to_text(static_cast<Rule>(i)));
  return names.line();
}

}  // namespace memcoord::workbench::report
