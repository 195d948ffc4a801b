// The page of one run.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <string>
#include <vector>

#include "engine/files/atomic_file.h"
#include "engine/observers/json.h"
#include "engine/workbench/report/page.h"
#include "engine/workbench/report/record_json.h"
#include "engine/workbench/report/recorded.h"
#include "engine/workbench/report/report.h"

namespace memcoord::workbench {
namespace report {
namespace {

std::string limit_items(const RunRecord& record) {
  const Limits& limits = record.limits;
  std::string items =
      item("domain floor", limits.domain_floor.text(limits.units)) +
      item("host floor", limits.host_floor.text(limits.units)) +
      item("headroom metric", to_text(limits.headroom)) +
      item("maximum reclaimed per tick", fmt::format("{:.0f} %", limits.max_reclaim * 100));
  if (limits.host_memory) items += item("guests' budget", limits.host_memory->text(limits.units));
  return items;
}

std::string run_page_start(const RunRecord& record) {
  std::string items = item("host", record.host_total.text(record.limits.units)) +
                      item("domains", std::to_string(record.domains.size()));
  if (!record.recorded) {
    items += item("duration", time_text(record.duration)) +
             item("interval", time_text(record.interval)) + limit_items(record);
    return page_start({record.policy + " on " + record.scenario,
                       escaped(record.policy) + " <i>on</i> " + escaped(record.scenario),
                       record.summary, items});
  }
  const RecordedSums& sums = *record.recorded;
  items += item("recorded", time_text(sums.recorded)) + item("ticks", std::to_string(sums.ticks)) +
           item("runs", std::to_string(sums.runs)) +
           item("policy", record.policy + (sums.dry_run ? " (dry run)" : "")) +
           item("a point of a curve", time_text(record.interval)) + limit_items(record);
  const std::string title = time_span_text(record);
  return page_start({title, escaped(title), summary_text(record), items});
}

std::string figures_table(const std::vector<Figure>& figures) {
  std::string rows;
  for (const Figure& figure : figures) {
    rows += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"{}\">{}</td><td class=\"left\">{}</td></tr>\n",
        figure.name, figure.alarming ? "value bad" : "value", figure.text, figure.meaning);
  }
  return "<section>\n<h2>Figures</h2>\n<div class=\"wide\"><table class=\"data figures meanings\">"
         "\n" +
         rows + "</table></div>\n</section>\n";
}

/// How many moves each guard rule limited or refused, the most frequent first.
std::string rules_table(const RunRecord& record) {
  std::array<std::size_t, kRuleCount> order{};
  std::iota(order.begin(), order.end(), 0);
  const auto& counts = record.rule_limits;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return counts.at(a) > counts.at(b); });
  const double largest = static_cast<double>(std::max<std::uint64_t>(1, counts.at(order.front())));
  std::string rows;
  for (const std::size_t rule : order) {
    if (counts.at(rule) == 0) break;
    rows += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"value\">{}</td>"
        "<td class=\"left\"><span class=\"share-bar\" style=\"width:{:.1f}%\"></span></td></tr>\n",
        to_text(static_cast<Rule>(rule)), counts.at(rule),
        100 * static_cast<double>(counts.at(rule)) / largest);
  }
  if (rows.empty()) rows = "<tr><td>No guard rule limited or refused a move.</td></tr>\n";
  return "<section>\n<h2>Guard <small>moves that each rule limited or refused</small></h2>\n<div "
         "class=\"wide\">"
         "<table class=\"data figures\">\n" +
         rows + "</table></div>\n</section>\n";
}

/// A cell with its value for sorting.
std::string number_cell(double value, const std::string& text, bool bad = false) {
  return fmt::format("<td{} data-v=\"{}\">{}</td>", bad ? " class=\"bad\"" : "", value,
                     escaped(text));
}

std::string domain_row(const DomainRecord& domain, Units units) {
  const observers::DomainStory& story = domain.story;
  const auto size_cell = [&](MemorySize size) {
    return number_cell(static_cast<double>(size.kib()), size.text(units));
  };
  const auto count_cell = [](std::uint64_t count, bool bad = false) {
    return number_cell(static_cast<double>(count), std::to_string(count), bad);
  };
  const auto longest = seconds_of(story.longest_shortage);
  return "<tr><td class=\"name\">" + escaped(domain.name) + "</td>" + size_cell(domain.maximum) +
         number_cell(domain.stalled, percent(domain.stalled), domain.stalled > 0) +
         number_cell(domain.oom_kills, std::to_string(domain.oom_kills), domain.oom_kills > 0) +
         count_cell(story.shortages) +
         number_cell(longest, longest > 0 ? time_text(story.longest_shortage) : "0") +
         count_cell(story.moves) + size_cell(story.moved) + count_cell(story.limits) +
         size_cell(story.smallest) + size_cell(story.largest) + "</tr>\n";
}

/// Every domain, the worst first: for browsers without scripts, and for looking up a number.
std::string domains_table(const RunRecord& record) {
  std::vector<const DomainRecord*> domains;
  for (const DomainRecord& domain : record.domains) domains.push_back(&domain);
  std::stable_sort(domains.begin(), domains.end(), [](const auto* a, const auto* b) {
    return std::pair(a->oom_kills, a->stalled) > std::pair(b->oom_kills, b->stalled);
  });
  std::string out =
      "<details id=\"stories\"><summary>All domains as a table</summary>\n<div class=\"scroll\">"
      "<table class=\"data sorts\">\n<thead><tr><th>domain</th><th>maximum</th>";
  out += record.recorded ? "<th>short</th><th>signs of kills</th>"
                         : "<th>stalled</th><th>OOM kills</th>";
  out +=
      "<th>shortages</th><th>longest</th><th>moves</th><th>moved</th><th>limited</th>"
      "<th>smallest</th><th>largest</th></tr></thead>\n<tbody>\n";
  for (const DomainRecord* domain : domains) out += domain_row(*domain, record.limits.units);
  return out + "</tbody></table></div></details>\n";
}

std::string curves_section(const RunRecord& record) {
  return fmt::format(
      "<section id=\"curves\" hidden>\n<div id=\"bar\" class=\"bar\"></div>\n{}"
      "<h2>Host</h2>\n<div id=\"host\" class=\"host\"></div>\n"
      "<h2>Domains <small id=\"domains-count\">{}</small></h2>\n"
      "<div id=\"domains-legend\"></div>\n<ul id=\"cards\" class=\"cards\"></ul>\n"
      "<h2>Events</h2>\n<div id=\"events-kinds\" class=\"seg noprint\"></div>\n"
      "<div class=\"scroll\"><table class=\"data\"><thead><tr><th>at</th><th class=\"left\">event"
      "</th><th class=\"left\">domain</th><th class=\"left\">details</th></tr></thead>"
      "<tbody id=\"events-body\"></tbody></table></div>\n"
      "<p id=\"events-more\" class=\"soft\"></p>\n</section>\n",
      keys_help("; up and down go from domain to domain, and from event to event"),
      record.domains.size());
}

/// [ms since the start, kind, domain, text]
void write_events(const RunRecord& record, const files::WritePiece& write) {
  write("[");
  bool first = true;
  for (const observers::Event& event : record.events) {
    write(first ? "\n" : ",\n");
    first = false;
    write(script_json(
        observers::Json::array({(event.time - record.start).count(),
                                std::string(to_text(event.kind)), event.domain, event.text})));
  }
  write("]");
}

void write_run_data(const RunRecord& record, const files::WritePiece& write) {
  write(fmt::format(
      "{{\"units\":\"{}\",\"hostTotal\":{},\"hostFloor\":{},\"intervalMs\":{},\"eventsLeftOut\":{},"
      "\"start\":{},\"rules\":{},\n",
      to_text(record.limits.units), record.host_total.kib(), record.limits.host_floor.kib(),
      std::chrono::duration_cast<std::chrono::milliseconds>(record.interval).count(),
      script_json(observers::Json(observers::left_out_text(record.events_left_out))),
      record.recorded ? script_json(observers::Json(seconds_of(record.start.time_since_epoch())))
                      : std::string("null"),
      rule_names_json()));
  write("\"record\":");
  write_record(record, write);
  write(",\n\"events\":");
  write_events(record, write);
  write("}");
}

void write_run_page(const RunRecord& record, const files::WritePiece& write) {
  write(run_page_start(record));
  write("<div class=\"two\">\n" +
        figures_table(record.recorded ? figures_of_recorded(record) : figures_of(record.score)) +
        rules_table(record) + "</div>\n");
  write(curves_section(record));
  write(domains_table(record));
  write_page_end(write, [&](const files::WritePiece& piece) { write_run_data(record, piece); },
                 {kEventsJs, kRunJs});
}

}  // namespace
}  // namespace report

Status write_run_report(const RunRecord& record, const std::filesystem::path& path) {
  return files::write_atomically(path, [&](const files::WritePiece& write) -> Status {
    report::write_run_page(record, write);
    return {};
  });
}

}  // namespace memcoord::workbench
