// memcoord report: what happened on a host, from its journals.

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <tuple>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/journal_reading.h"
#include "engine/cli/past_moment.h"
#include "engine/cli/terminal.h"
#include "engine/core/names.h"
#include "engine/files/atomic_file.h"
#include "engine/observers/journal_files.h"
#include "engine/observers/json.h"
#include "engine/observers/tick_json.h"
#include "engine/workbench/host_recorder.h"
#include "engine/workbench/report/report.h"
#include "engine/workbench/trace.h"

namespace memcoord::cli {
namespace {

using namespace workbench;
using observers::DomainStory;
using observers::Event;
using observers::Json;

struct ReportOptions {
  std::vector<std::string> journals;
  std::string output;
  std::optional<PastMoment> since;
  std::optional<PastMoment> until;
  std::vector<std::string> domains;
  bool json = false;
};

/// What the journals have beside the part that the options choose.
struct Observed {
  std::optional<WallTime> first;
  WallTime newest{};
  std::set<std::string> names;
};

bool is_chosen(const ReportOptions& options, std::string_view name) {
  const auto matches = [&](const std::string& glob) { return glob_matches(glob, name); };
  return options.domains.empty() ||
         std::any_of(options.domains.begin(), options.domains.end(), matches);
}

/// The time of the newest tick: times of day and spans count back from it.
Result<WallTime> newest_time(const std::vector<std::string>& journals) {
  WallTime newest{};
  const Status read = read_journals(
      journals,
      [&](const Tick& tick) {
        newest = std::max(newest, tick.snapshot.wall_time);
        return true;
      },
      FileNotes::drop);
  if (!read) return fail(read.error());
  return newest;
}

Result<TimeSpan> chosen_span(const ReportOptions& options) {
  const auto depends = [](const std::optional<PastMoment>& moment) {
    return moment && !moment->is_absolute();
  };
  // A second reading costs as much as the report: only where it is needed.
  WallTime newest{};
  if (depends(options.until) || (depends(options.since) && !options.until)) {
    const auto found = newest_time(options.journals);
    if (!found) return fail(found.error());
    newest = *found;
  }
  return time_span(options.since, options.until, newest);
}

std::string local_text(WallTime time) {
  return observers::time_text(time, true, true);
}

std::string span_text(const TimeSpan& span) {
  if (span.since && span.until) {
    return "between " + local_text(*span.since) + " and " + local_text(*span.until);
  }
  return span.since ? "since " + local_text(*span.since) : "until " + local_text(*span.until);
}

/// The error for journals without a tick in the span.
Error no_tick(const ReportOptions& options, const TimeSpan& span, const Observed& observed) {
  const std::string object = options.journals.front();
  // Without a span, the journal has nothing but records of a restoration.
  if (!span.since && !span.until) return observers::no_ticks(object);
  return {
      ErrorCode::not_found, object, "has no tick " + span_text(span),
      "its ticks are from " + local_text(*observed.first) + " to " + local_text(observed.newest),
      ""};
}

Error no_domain(const ReportOptions& options, const Observed& observed) {
  constexpr std::size_t kShown = 5;
  std::string list;
  std::size_t count = 0;
  for (const std::string& name : observed.names) {
    if (++count <= kShown) list += (list.empty() ? "" : ", ") + name;
  }
  if (count > kShown) list += fmt::format(" and {} others", count - kShown);
  return {ErrorCode::not_found, "--domain",
          "no domain of this time matches '" + options.domains.front() + "'" +
              (options.domains.size() > 1 ? " or the other patterns" : ""),
          list.empty() ? "there was no domain" : "there are " + list, ""};
}

Result<RunRecord> recorded(const ReportOptions& options) {
  const auto span = chosen_span(options);
  if (!span) return fail(span.error());
  HostRecorder recorder([&](std::string_view name) { return is_chosen(options, name); });
  Observed observed;
  bool chosen = false;
  const Status read = read_journals(options.journals, [&](const Tick& tick) {
    const WallTime time = tick.snapshot.wall_time;
    if (!observed.first) observed.first = time;
    observed.newest = std::max(observed.newest, time);
    if (!span->has(time)) return true;
    for (const Domain& domain : tick.snapshot.domains) {
      chosen = chosen || is_chosen(options, domain.name());
      if (!chosen) observed.names.insert(domain.name());
    }
    recorder.take(tick);
    return recorder.domains() <= kMaxColumns;
  });
  if (!read) return fail(read.error());
  if (recorder.domains() > kMaxColumns) {
    Error error = too_many_domains();
    error.object = options.journals.front();
    error.hint = "choose a shorter time with --since and --until";
    return fail(std::move(error));
  }
  if (recorder.ticks() == 0) return fail(no_tick(options, *span, observed));
  if (!chosen && !options.domains.empty()) return fail(no_domain(options, observed));
  return recorder.finish();
}

// --- Output ---

std::vector<const DomainRecord*> worst_first(const RunRecord& record) {
  std::vector<const DomainRecord*> domains;
  for (const DomainRecord& domain : record.domains) domains.push_back(&domain);
  std::stable_sort(domains.begin(), domains.end(), [](const auto* a, const auto* b) {
    return std::tuple(a->oom_kills, a->stalled, a->story.moved) >
           std::tuple(b->oom_kills, b->stalled, b->story.moved);
  });
  return domains;
}

void print_stories(TextOut& out, const RunRecord& record) {
  constexpr std::size_t kMost = 20;
  const auto domains = worst_first(record);
  std::size_t width = 0;
  for (std::size_t i = 0; i < std::min(kMost, domains.size()); ++i) {
    width = std::max(width, display_width(domains[i]->name));
  }
  for (std::size_t i = 0; i < domains.size(); ++i) {
    if (i == kMost) {
      out << "and " << domains.size() - kMost << " other domains; --json has them all" << '\n';
      break;
    }
    const DomainRecord& one = *domains[i];
    out << one.name << std::string(width - display_width(one.name) + 2, ' ')
        << observers::story_text(one.story, record.limits.units) << '\n';
  }
}

/// The events that matter most; none for a quiet time.
void print_events_of(TextOut& out, const RunRecord& record) {
  constexpr std::size_t kMost = 20;
  std::vector<Event> events;
  std::size_t more = 0;
  for (const Event& event : record.events) {
    const observers::EventGroup group = observers::group_of(event.kind);
    if (group == observers::EventGroup::move || group == observers::EventGroup::limit) continue;
    if (events.size() < kMost) {
      events.push_back(event);
    } else {
      ++more;
    }
  }
  if (events.empty()) return;
  out << '\n';
  for (const std::string& line : observers::lines_of(events, true)) out << line << '\n';
  if (more > 0) out << "and " << more << " later events; -o PAGE and --json have them" << '\n';
}

void print_report(const ReportOptions& options, const RunRecord& record) {
  TextOut out = standard_output();
  const RecordSummary summary = summary_of(record);
  const std::uint64_t ticks = record.recorded->ticks;
  out << summary.time << ", " << ticks << (ticks == 1 ? " tick" : " ticks") << ", policy "
      << record.policy << '\n'
      << summary.text << '\n'
      << '\n';
  print_stories(out, record);
  print_events_of(out, record);
  const std::string left_out = observers::left_out_text(record.events_left_out);
  if (!options.output.empty()) {
    out << '\n'
        << "page: " << options.output << (left_out.empty() ? "" : "; of its events, " + left_out)
        << '\n';
  }
}

Json story_json(const DomainRecord& domain) {
  const DomainStory& story = domain.story;
  return Json::object(
      {{"name", domain.name},
       {"maximum_kib", domain.maximum.kib()},
       {"observed_s", seconds_of(story.observed)},
       {"short_s", seconds_of(story.short_of_memory)},
       {"shortages", story.shortages},
       {"longest_shortage_s", seconds_of(story.longest_shortage)},
       {"longest_shortage_since", story.longest_shortage.count() > 0
                                      ? Json(observers::iso_text(story.longest_since))
                                      : Json()},
       {"signs_of_kills", story.kills},
       {"moves", story.moves},
       {"moved_kib", story.moved.kib()},
       {"limited", story.limits},
       {"smallest_kib", story.smallest.kib()},
       {"largest_kib", story.largest.kib()}});
}

void print_report_json(const RunRecord& record) {
  const RecordedSums& sums = *record.recorded;
  const WallTime end = record.start + std::chrono::floor<WallTime::duration>(record.duration);
  auto domains = Json::array();
  for (const DomainRecord& domain : record.domains) domains.push_back(story_json(domain));
  auto events = Json::array();
  for (const Event& event : record.events) events.push_back(observers::event_json(event));
  std::uint64_t left_out = 0;
  for (const std::uint64_t count : record.events_left_out) left_out += count;
  auto rules = Json::object();
  for (std::size_t i = 0; i < kRuleCount; ++i) {
    const std::uint64_t count = record.rule_limits.at(i);
    if (count > 0) rules.set(std::string(to_text(static_cast<Rule>(i))), count);
  }
  const Json json = Json::object({{"since", observers::iso_text(record.start)},
                                  {"until", observers::iso_text(end)},
                                  {"recorded_s", seconds_of(sums.recorded)},
                                  {"ticks", sums.ticks},
                                  {"runs", sums.runs},
                                  {"failed_samples", sums.failed_samples},
                                  {"policy_errors", sums.policy_errors},
                                  {"under_floor_s", seconds_of(sums.under_floor)},
                                  {"policy", record.policy},
                                  {"host_total_kib", record.host_total.kib()},
                                  {"domains", std::move(domains)},
                                  {"rules", std::move(rules)},
                                  {"events", std::move(events)},
                                  {"events_left_out", left_out}});
  standard_output().lines(json.text()) << '\n';
}

Result<ExitCode> write_report(const ReportOptions& options) {
  if (!options.output.empty()) {
    if (Status writable = files::check_output(options.output, options.journals); !writable)
      return fail(writable.error());
  }
  const auto record = recorded(options);
  if (!record) return fail(record.error());
  if (!options.output.empty()) {
    if (Status written = write_run_report(*record, options.output); !written)
      return fail(written.error());
  }
  if (options.json) {
    print_report_json(*record);
  } else {
    print_report(options, *record);
  }
  return ExitCode::ok;
}

}  // namespace

void add_report_command(Command& program) {
  const auto options = std::make_shared<ReportOptions>();
  Command& command = program.add(
      "report", "Show what happened on a host, from the journals of its runs: as text or a page.",
      [options] { return write_report(*options); });
  add_journals_argument(command, options->journals);
  add_option(command,
             {"-o,--output", "PAGE",
              "write the host's and each domain's memory over time and the events to an HTML page"},
             into_text(options->output));
  add_option(command,
             {"--since", "TIME",
              "only what happened from TIME on: a time of day (22:00), a date and time "
              "(\"2026-01-31 22:00\"), or a span before the newest tick (8h, 7d)"},
             into(options->since, parse_past_moment));
  add_option(command, {"--until", "TIME", "only what happened up to TIME"},
             into(options->until, parse_past_moment));
  add_repeated_option(command, {"--domain", "GLOB", "only domains whose name matches; repeatable"},
                      into_list(options->domains));
  add_flag(command, {"--json", "print JSON"}, options->json);
  command.footer = examples_text({
      {"memcoord report ticks.jsonl --since 22:00", "read what happened since ten in the evening"},
      {"memcoord report ticks.jsonl --since 8h --domain 'web-*' -o night.html",
       "write a page on the web servers' last eight hours"},
  });
}

}  // namespace memcoord::cli
