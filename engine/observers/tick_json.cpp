#include "engine/observers/tick_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/core/printable.h"

namespace memcoord::observers {
namespace {

// The library itself, not Json: a line's names are sorted, and replay reads millions of lines
// without copying the parts of a value.
using nlohmann::json;

// --- writing ---

void put(json& object, const char* name, MemorySize size) {
  object[name] = size.kib();
}

void put(json& object, const char* name, const std::optional<MemorySize>& size) {
  if (size) object[name] = size->kib();
}

void put(json& object, const char* name, const std::optional<std::uint64_t>& count) {
  if (count) object[name] = *count;
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string iso(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto ms = (time - whole).count();
  const std::time_t stamp = whole.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&stamp, &parts);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                parts.tm_sec, static_cast<int>(ms));
  return text.data();
}

json host_json(const Host& host) {
  json out;
  put(out, "total_kib", host.total);
  put(out, "free_kib", host.free);
  put(out, "available_kib", host.available);
  if (host.available_is_estimate) out["available_is_estimate"] = true;
  put(out, "buffers_kib", host.buffers);
  put(out, "cached_kib", host.cached);
  put(out, "swap_free_kib", host.swap_free);
  put(out, "page_size_kib", host.page_size);
  if (!host.merged.is_zero()) put(out, "merged_kib", host.merged);
  for (const NumaCell& cell : host.cells) {
    json made{{"id", cell.id}, {"total_kib", cell.total.kib()}, {"free_kib", cell.free.kib()}};
    put(made, "available_kib", cell.available);
    out["cells"].push_back(std::move(made));
  }
  return out;
}

json settings_json(const DomainSettings& settings) {
  json out = json::object();
  put(out, "minimum_kib", settings.minimum);
  put(out, "maximum_kib", settings.maximum);
  if (settings.weight != 1.0) out["weight"] = settings.weight;
  if (settings.priority != 0) out["priority"] = settings.priority;
  if (settings.exclude) out["exclude"] = true;
  if (!settings.labels.empty()) out["labels"] = settings.labels;
  return out;
}

json guest_json(const GuestStatistics& guest) {
  json out = json::object();
  put(out, "available_kib", guest.available);
  put(out, "unused_kib", guest.unused);
  put(out, "usable_kib", guest.usable);
  put(out, "disk_caches_kib", guest.disk_caches);
  put(out, "swap_in_kib", guest.swap_in);
  put(out, "swap_out_kib", guest.swap_out);
  put(out, "major_faults", guest.major_faults);
  put(out, "minor_faults", guest.minor_faults);
  if (guest.last_update) out["last_update"] = iso(*guest.last_update);
  out["period_s"] = seconds(guest.period);
  return out;
}

json backing_json(const MemoryBacking& backing) {
  json out{{"kind", to_text(backing.kind)}};
  if (backing.shared) out["shared"] = true;
  if (backing.hugepages) out["hugepages"] = true;
  if (!backing.beside_hugepages.is_zero()) {
    put(out, "beside_hugepages_kib", backing.beside_hugepages);
  }
  if (!backing.unplugged.is_zero()) put(out, "unplugged_kib", backing.unplugged);
  return out;
}

json binding_json(const NodeBinding& binding) {
  json out{{"nodes", binding.nodes}};
  put(out, "size_kib", binding.size);
  return out;
}

json domain_json(const Domain& domain) {
  json out{{"uuid", domain.uuid().text()},        {"name", domain.name()},
           {"state", to_text(domain.state)},      {"actual_kib", domain.actual.kib()},
           {"maximum_kib", domain.maximum.kib()}, {"guest", guest_json(domain.guest)}};
  put(out, "rss_kib", domain.rss);
  if (auto settings = settings_json(domain.settings()); !settings.empty()) {
    out["settings"] = std::move(settings);
  }
  if (!domain.identity->unsuitable.empty()) out["unsuitable"] = domain.identity->unsuitable;
  if (domain.identity->backing != MemoryBacking()) {
    out["backing"] = backing_json(domain.identity->backing);
  }
  put(out, "hard_limit_kib", domain.identity->hard_limit);
  for (const NodeBinding& binding : domain.identity->bound_to) {
    out["bound_to"].push_back(binding_json(binding));
  }
  if (domain.started_at) out["started_at_s"] = seconds(domain.started_at->time_since_epoch());
  if (domain.restored_at) out["restored_at_s"] = seconds(domain.restored_at->time_since_epoch());
  if (domain.deflates_by_itself) out["deflates_by_itself"] = true;
  if (domain.free_page_reporting) out["free_page_reporting"] = true;
  if (domain.id != 0) out["id"] = domain.id;
  return out;
}

json limits_json(const Limits& limits) {
  json out{{"domain_floor_kib", limits.domain_floor.kib()},
           {"host_floor_kib", limits.host_floor.kib()},
           {"max_release", limits.max_release},
           {"headroom", to_text(limits.headroom)},
           {"stale_after_periods", limits.stale_after_periods},
           {"stale_slack_s", seconds(limits.stale_slack)},
           {"grace_s", seconds(limits.grace)}};
  put(out, "host_memory_kib", limits.host_memory);
  if (limits.overcommit != 1.0) out["overcommit"] = limits.overcommit;
  return out;
}

json decision_json(const Decision& decision) {
  json rules = json::array();
  for (const RuleHit& hit : decision.rules) {
    rules.push_back({{"rule", to_text(hit.rule)},
                     {"before_kib", hit.before.kib()},
                     {"after_kib", hit.after.kib()},
                     {"why", hit.why}});
  }
  return {{"uuid", decision.domain.text()},
          {"actual_kib", decision.actual.kib()},
          {"proposed_kib", decision.proposed.kib()},
          {"target_kib", decision.target.kib()},
          {"why", decision.why},
          {"rules", std::move(rules)}};
}

constexpr std::array<const char*, 9> kErrorCodes{
    "invalid_input", "not_found",      "permission_denied", "unavailable", "timed_out",
    "policy_failed", "limit_exceeded", "unsupported",       "internal"};

json error_json(const Error& error) {
  json out{{"code", kErrorCodes.at(static_cast<std::size_t>(error.code))},
           {"object", error.object},
           {"message", error.message}};
  if (!error.hint.empty()) out["hint"] = error.hint;
  if (!error.detail.empty()) out["detail"] = error.detail;
  return out;
}

json outcome_json(const Outcome& outcome) {
  json out{{"uuid", outcome.domain.text()},
           {"from_kib", outcome.from.kib()},
           {"to_kib", outcome.to.kib()},
           {"kind", to_text(outcome.kind)},
           {"at_s", seconds(outcome.at.time_since_epoch())}};
  if (outcome.error) out["error"] = error_json(*outcome.error);
  return out;
}

constexpr std::array<const char*, 3> kSeverities{"info", "warning", "error"};

json held_json(const HeldDomain& held) {
  json out{{"uuid", held.domain.text()}, {"why", held.why}};
  if (held.rule) out["rule"] = to_text(*held.rule);
  return out;
}

json dropped_json(const DroppedFigure& dropped) {
  return {{"uuid", dropped.domain.text()},
          {"figure", dropped.figure},
          {"value", dropped.value},
          {"why", dropped.why}};
}

template <class Items, class Make>
json array_of(const Items& items, Make make) {
  json out = json::array();
  for (const auto& item : items) out.push_back(make(item));
  return out;
}

json proposal_json(const Proposal& proposal) {
  json out{{"uuid", proposal.domain.text()},
           {"target_kib", proposal.target.kib()},
           {"why", proposal.why}};
  if (proposal.rule) out["rule"] = to_text(*proposal.rule);
  return out;
}

json tick_json(const Tick& tick) {
  json out{{"tick", tick.number},
           {"time", iso(tick.snapshot.wall_time)},
           {"monotonic_s", seconds(tick.snapshot.taken_at.time_since_epoch())},
           {"policy", tick.policy},
           {"dry_run", tick.dry_run},
           {"limits", limits_json(tick.limits)},
           {"host", host_json(tick.snapshot.host)},
           {"domains", array_of(tick.snapshot.domains, domain_json)},
           {"grantable_kib", tick.grantable.kib()},
           {"held", array_of(tick.held, held_json)},
           {"decisions", array_of(tick.decisions, decision_json)},
           {"outcomes", array_of(tick.outcomes, outcome_json)}};
  out["proposals"] = array_of(tick.proposals, proposal_json);
  if (tick.restoring) out["restoring"] = true;
  if (!tick.late_outcomes.empty()) {
    out["late_outcomes"] = array_of(tick.late_outcomes, outcome_json);
  }
  out["notes"] = array_of(tick.notes, [](const Note& note) {
    return json{{"severity", kSeverities.at(static_cast<std::size_t>(note.severity))},
                {"text", note.text}};
  });
  if (!tick.dropped.empty()) out["dropped"] = array_of(tick.dropped, dropped_json);
  if (tick.sample_error) out["sample_error"] = error_json(*tick.sample_error);
  if (tick.policy_error) out["policy_error"] = error_json(*tick.policy_error);
  out["timings"] = {{"sample_s", seconds(tick.timings.sample)},
                    {"decide_s", seconds(tick.timings.decide)},
                    {"review_s", seconds(tick.timings.review)},
                    {"apply_s", seconds(tick.timings.apply)}};
  return out;
}

// --- reading: a missing or wrong field throws within this file, and is an Error outside it ---

template <class T>
T need(const json& object, const char* name) {
  return object.at(name).get<T>();
}

MemorySize size_at(const json& object, const char* name) {
  const json& value = object.at(name);
  if (!value.is_number_unsigned()) {
    throw std::invalid_argument(std::string("'") + name + "' is no whole number of KiB");
  }
  return MemorySize::from_kib(value.get<std::uint64_t>());
}

std::optional<MemorySize> maybe_size(const json& object, const char* name) {
  if (!object.contains(name)) return std::nullopt;
  return size_at(object, name);
}

std::optional<std::uint64_t> maybe_count(const json& object, const char* name) {
  if (!object.contains(name)) return std::nullopt;
  return size_at(object, name).kib();
}

/// So far from 0 that no time passes it, and so near that sums and multiples of times stay whole.
constexpr double kMostSeconds = 1e10;

Duration duration_at(const json& object, const char* name) {
  const auto value = need<double>(object, name);
  if (!std::isfinite(value) || std::abs(value) > kMostSeconds) {
    throw std::invalid_argument(std::string("'") + name + "' is no time");
  }
  return Duration(std::llround(value * 1e6));
}

WallTime wall_at(const json& object, const char* name) {
  const auto text = need<std::string>(object, name);
  std::tm parts{};
  int ms = 0;
  const int fields =
      std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &ms);
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const WallTime time =
      WallTime(std::chrono::seconds(timegm(&parts))) + std::chrono::milliseconds(ms);
  // timegm() takes month 99 for one eight years on: what is not written back the same is no time.
  if (fields != 7 || iso(time) != text) {
    throw std::invalid_argument(std::string("'") + name + "' is no time");
  }
  return time;
}

Uuid uuid_at(const json& object, const char* name = "uuid") {
  const auto uuid = Uuid::parse(need<std::string>(object, name));
  if (!uuid) throw std::invalid_argument(uuid.error().text());
  return *uuid;
}

/// The value of an enumeration by its text, among all `count` of them.
template <class Enum>
Enum enum_at(const json& object, const char* name, int count) {
  const auto text = need<std::string>(object, name);
  for (int i = 0; i < count; ++i) {
    if (to_text(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  }
  throw std::invalid_argument(std::string("'") + name + "' is '" + text.substr(0, 40) + "'");
}

template <std::size_t N>
std::size_t name_at(const json& object, const char* name, const std::array<const char*, N>& names) {
  const auto text = need<std::string>(object, name);
  for (std::size_t i = 0; i < N; ++i) {
    if (names.at(i) == text) return i;
  }
  throw std::invalid_argument(std::string("'") + name + "' is '" + text.substr(0, 40) + "'");
}

std::optional<Rule> rule_at(const json& object) {
  if (!object.contains("rule")) return std::nullopt;
  return enum_at<Rule>(object, "rule", static_cast<int>(kRuleCount));
}

Host read_host(const json& in) {
  Host host;
  host.total = size_at(in, "total_kib");
  host.free = size_at(in, "free_kib");
  host.available = maybe_size(in, "available_kib");
  host.available_is_estimate = in.value("available_is_estimate", false);
  host.buffers = size_at(in, "buffers_kib");
  host.cached = size_at(in, "cached_kib");
  host.swap_free = maybe_size(in, "swap_free_kib");
  host.page_size = size_at(in, "page_size_kib");
  host.merged = maybe_size(in, "merged_kib").value_or(MemorySize());
  for (const json& cell : in.value("cells", json::array())) {
    host.cells.push_back({need<int>(cell, "id"), size_at(cell, "total_kib"),
                          size_at(cell, "free_kib"), maybe_size(cell, "available_kib")});
  }
  return host;
}

DomainSettings read_settings(const json& in) {
  DomainSettings settings;
  settings.minimum = maybe_size(in, "minimum_kib");
  settings.maximum = maybe_size(in, "maximum_kib");
  settings.weight = in.value("weight", 1.0);
  settings.priority = in.value("priority", 0);
  settings.exclude = in.value("exclude", false);
  settings.labels = in.value("labels", settings.labels);
  return settings;
}

GuestStatistics read_guest(const json& in) {
  GuestStatistics guest;
  guest.available = maybe_size(in, "available_kib");
  guest.unused = maybe_size(in, "unused_kib");
  guest.usable = maybe_size(in, "usable_kib");
  guest.disk_caches = maybe_size(in, "disk_caches_kib");
  guest.swap_in = maybe_size(in, "swap_in_kib");
  guest.swap_out = maybe_size(in, "swap_out_kib");
  guest.major_faults = maybe_count(in, "major_faults");
  guest.minor_faults = maybe_count(in, "minor_faults");
  if (in.contains("last_update")) guest.last_update = wall_at(in, "last_update");
  guest.period = duration_at(in, "period_s");
  return guest;
}

MemoryBacking read_backing(const json& in) {
  MemoryBacking backing;
  backing.kind = enum_at<MemoryBacking::Kind>(in, "kind", 3);
  backing.shared = in.value("shared", false);
  backing.hugepages = in.value("hugepages", false);
  backing.beside_hugepages = maybe_size(in, "beside_hugepages_kib").value_or(MemorySize());
  backing.unplugged = maybe_size(in, "unplugged_kib").value_or(MemorySize());
  return backing;
}

NodeBinding read_binding(const json& in) {
  NodeBinding binding{need<NodeSet>(in, "nodes"), maybe_size(in, "size_kib")};
  // Nodes are looked up by their order.
  std::sort(binding.nodes.begin(), binding.nodes.end());
  return binding;
}

Domain read_domain(const json& in) {
  DomainIdentity identity;
  identity.uuid = uuid_at(in);
  identity.name = need<std::string>(in, "name");
  identity.settings = read_settings(in.value("settings", json::object()));
  identity.unsuitable = in.value("unsuitable", std::string());
  if (in.contains("backing")) identity.backing = read_backing(in.at("backing"));
  identity.hard_limit = maybe_size(in, "hard_limit_kib");
  for (const json& binding : in.value("bound_to", json::array())) {
    identity.bound_to.push_back(read_binding(binding));
  }
  Domain domain;
  domain.identity = std::make_shared<const DomainIdentity>(std::move(identity));
  domain.state = enum_at<DomainState>(in, "state", 8);
  domain.actual = size_at(in, "actual_kib");
  domain.maximum = size_at(in, "maximum_kib");
  domain.rss = maybe_size(in, "rss_kib");
  domain.guest = read_guest(in.at("guest"));
  if (in.contains("started_at_s")) {
    domain.started_at = MonotonicTime(duration_at(in, "started_at_s"));
  }
  if (in.contains("restored_at_s")) {
    domain.restored_at = MonotonicTime(duration_at(in, "restored_at_s"));
  }
  domain.deflates_by_itself = in.value("deflates_by_itself", false);
  domain.free_page_reporting = in.value("free_page_reporting", false);
  domain.id = in.value("id", 0);
  return domain;
}

Limits read_limits(const json& in) {
  Limits limits;
  limits.domain_floor = size_at(in, "domain_floor_kib");
  limits.host_floor = size_at(in, "host_floor_kib");
  limits.max_release = need<double>(in, "max_release");
  limits.headroom = enum_at<Headroom>(in, "headroom", kHeadroomCount);
  const auto periods = need<std::int64_t>(in, "stale_after_periods");
  if (periods < 0 || periods > 100) {
    throw std::invalid_argument("'stale_after_periods' is not between 0 and 100");
  }
  limits.stale_after_periods = static_cast<int>(periods);
  limits.stale_slack = duration_at(in, "stale_slack_s");
  limits.grace = duration_at(in, "grace_s");
  limits.host_memory = maybe_size(in, "host_memory_kib");
  limits.overcommit = in.value("overcommit", 1.0);
  return limits;
}

Decision read_decision(const json& in) {
  Decision decision{uuid_at(in),
                    size_at(in, "actual_kib"),
                    size_at(in, "proposed_kib"),
                    size_at(in, "target_kib"),
                    need<std::string>(in, "why"),
                    {}};
  for (const json& hit : in.at("rules")) {
    decision.rules.push_back({*rule_at(hit.contains("rule") ? hit : json{{"rule", ""}}),
                              size_at(hit, "before_kib"), size_at(hit, "after_kib"),
                              need<std::string>(hit, "why")});
  }
  return decision;
}

Error read_error(const json& in) {
  return {static_cast<ErrorCode>(name_at(in, "code", kErrorCodes)), need<std::string>(in, "object"),
          need<std::string>(in, "message"), in.value("hint", std::string()),
          in.value("detail", std::string())};
}

Outcome read_outcome(const json& in) {
  Outcome outcome{uuid_at(in),           size_at(in, "from_kib"),
                  size_at(in, "to_kib"), enum_at<Outcome::Kind>(in, "kind", 6),
                  std::nullopt,          MonotonicTime(duration_at(in, "at_s"))};
  if (in.contains("error")) outcome.error = read_error(in.at("error"));
  return outcome;
}

Tick read_tick(const json& in) {
  Tick tick;
  tick.number = need<std::uint64_t>(in, "tick");
  tick.policy = need<std::string>(in, "policy");
  tick.dry_run = need<bool>(in, "dry_run");
  tick.restoring = in.value("restoring", false);
  tick.limits = read_limits(in.at("limits"));
  tick.snapshot.wall_time = wall_at(in, "time");
  tick.snapshot.taken_at = MonotonicTime(duration_at(in, "monotonic_s"));
  tick.snapshot.host = read_host(in.at("host"));
  for (const json& domain : in.at("domains")) tick.snapshot.domains.push_back(read_domain(domain));
  tick.grantable = size_at(in, "grantable_kib");
  for (const json& held : in.at("held")) {
    tick.held.push_back({uuid_at(held), rule_at(held), need<std::string>(held, "why")});
  }
  for (const json& one : in.at("proposals")) {
    tick.proposals.push_back(
        {uuid_at(one), size_at(one, "target_kib"), need<std::string>(one, "why"), rule_at(one)});
  }
  for (const json& one : in.at("decisions")) tick.decisions.push_back(read_decision(one));
  for (const json& one : in.at("outcomes")) tick.outcomes.push_back(read_outcome(one));
  for (const json& one : in.value("late_outcomes", json::array())) {
    tick.late_outcomes.push_back(read_outcome(one));
  }
  for (const json& one : in.at("notes")) {
    tick.notes.push_back({static_cast<Note::Severity>(name_at(one, "severity", kSeverities)),
                          need<std::string>(one, "text")});
  }
  for (const json& one : in.value("dropped", json::array())) {
    tick.dropped.push_back({uuid_at(one), need<std::string>(one, "figure"),
                            need<std::uint64_t>(one, "value"), need<std::string>(one, "why")});
  }
  if (in.contains("sample_error")) tick.sample_error = read_error(in.at("sample_error"));
  if (in.contains("policy_error")) tick.policy_error = read_error(in.at("policy_error"));
  const json& timings = in.at("timings");
  tick.timings = {duration_at(timings, "sample_s"), duration_at(timings, "decide_s"),
                  duration_at(timings, "review_s"), duration_at(timings, "apply_s")};
  return tick;
}

/// Parsed, a line can take a hundred times its size in memory, so it is counted first: how deep it
/// nests, and how many values it has. A tick of 10,000 domains has a million, five levels deep.
bool has_the_size_of_a_tick(std::string_view line) {
  constexpr std::size_t kDeepest = 32;
  constexpr std::size_t kMostValues = 2'000'000;
  std::size_t depth = 0;
  std::size_t values = 0;
  bool within_text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (within_text) {
      if (c == '\\') ++i;
      within_text = c != '"';
      continue;
    }
    within_text = c == '"';
    const bool opens = c == '[' || c == '{';
    if (opens || c == ',') ++values;
    if (opens) ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (depth > kDeepest || values > kMostValues) return false;
  }
  return true;
}

}  // namespace

std::string to_json_line(const Tick& tick) {
  // Its format comes first, so that a journal is known by its first bytes.
  const std::string fields = tick_json(tick).dump(-1, ' ', false, json::error_handler_t::replace);
  return printable_json("{\"format\":\"" + std::string(kJournalFormat) + "\",\"version\":" +
                        std::to_string(kJournalVersion) + "," + fields.substr(1));
}

Result<Tick> tick_from_json_line(std::string_view line, const std::string& where) {
  if (!has_the_size_of_a_tick(line)) {
    return fail(ErrorCode::invalid_input, where,
                "damaged: it nests too deep, or has too many values");
  }
  try {
    const json in = json::parse(line);
    if (in.value("format", std::string()) != kJournalFormat) {
      return fail(ErrorCode::unsupported, where, "not a line of a memcoord journal");
    }
    if (in.value("version", 0) != kJournalVersion) {
      return fail(ErrorCode::unsupported, where,
                  "journal version " + in.at("version").dump() + " is not known",
                  "this memcoord reads version 1");
    }
    return read_tick(in);
  } catch (const json::exception& problem) {
    // The library's own words start with "[json.exception...] ".
    const std::string what = problem.what();
    const std::size_t start = what.find("] ");
    return fail(ErrorCode::invalid_input, where,
                "damaged: " + (start == std::string::npos ? what : what.substr(start + 2)));
  } catch (const std::exception& problem) {
    return fail(ErrorCode::invalid_input, where, std::string("damaged: ") + problem.what());
  }
}

}  // namespace memcoord::observers
