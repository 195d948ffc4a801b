#include "bindings/testing/policy_check.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "bindings/testing/policy_harness.h"
#include "bindings/testing/test_report.h"
#include "bindings/testing/test_tables.h"

namespace memcoord::bindings::testing {
namespace {

using namespace memcoord::literals;

// --- the situations, from an empty host to a hundred domains ---

MockDomain guest(std::string name, MemorySize actual, MemorySize unused) {
  MockDomain d;
  d.name = std::move(name);
  d.actual = actual;
  d.maximum = 4_GiB;
  d.unused = unused;
  d.usable = unused;
  return d;
}

MockDomain content(std::string name) {
  return guest(std::move(name), 1_GiB, 220_MiB);
}
MockDomain starved(std::string name) {
  MockDomain d = guest(std::move(name), 512_MiB, 40_MiB);
  d.swap_in = 2000;
  d.swap_out = 4000;
  d.major_faults = 500;
  return d;
}
MockDomain wasteful(std::string name) {
  return guest(std::move(name), 3_GiB, 2_GiB + 512_MiB);
}

MockWorld host_with(MemorySize free, std::vector<MockDomain> domains) {
  MockWorld world;
  world.host.total = 32_GiB;
  world.host.free = free;
  world.host.available = free;
  world.domains = std::move(domains);
  return world;
}

MockWorld roomy(std::vector<MockDomain> domains) {
  return host_with(8_GiB, std::move(domains));
}
/// At its floor: a grow waits for a shrink.
MockWorld full(std::vector<MockDomain> domains) {
  return host_with(200_MiB, std::move(domains));
}

/// A hundred guests between starved and wasteful, each of another size.
MockWorld crowd() {
  std::vector<MockDomain> domains;
  for (unsigned i = 0; i < 100; ++i) {
    const MemorySize unused = MemorySize::from_mib(10 + (i * 37) % 900);
    domains.push_back(guest("guest-" + std::to_string(100 + i), unused + 256_MiB, unused));
  }
  return host_with(1_GiB, std::move(domains));
}

MockWorld old_guests() {
  MockWorld world = roomy({starved("old-1"), wasteful("old-2"), content("old-3")});
  for (MockDomain& d : world.domains) {
    d.usable.reset();
    d.guest.disk_caches.reset();
  }
  return world;
}

MockWorld silent_guests() {
  MockWorld world = roomy({content("web"), starved("paused"), content("mute"), wasteful("hung")});
  world.domains[1].state = DomainState::paused;
  world.domains[2].silent = true;
  world.domains[3].state = DomainState::hung;
  return world;
}

MockWorld stuck_guest() {
  MockWorld world = roomy({starved("hungry"), wasteful("stuck")});
  world.domains[1].follows = false;
  return world;
}

MockWorld with_settings() {
  MockWorld world = full({starved("gold"), starved("lead"), wasteful("reserved")});
  world.domains[0].settings.weight = 4;
  world.domains[0].settings.priority = 10;
  world.domains[1].settings.weight = 0.5;
  world.domains[1].settings.labels["tier"] = "batch";
  world.domains[2].settings.minimum = 3_GiB;
  return world;
}

/// The first guest's need goes up and down again.
void rise_and_fall(MockWorld& world, int tick) {
  MockDomain& d = world.domains[0];
  const MemorySize used =
      MemorySize::from_mib(tick <= 6 ? 300U + 120U * static_cast<unsigned>(tick) : 300U);
  d.unused = d.actual - used;
  d.usable = d.unused;
}

void come_and_go(MockWorld& world, int tick) {
  if (tick % 2 == 0) {
    world.domains.push_back(starved("new-" + std::to_string(tick)));
  } else {
    world.domains.erase(world.domains.begin());
  }
}

/// A world and its changes.
struct HostSituation {
  std::string name;
  std::string description;
  MockWorld world;
  int ticks = 3;
  /// Changes the world before each tick from the second on; may be empty.
  std::function<void(MockWorld&, int tick)> then = {};
};

/// One or two domains that differ from the others, or a full host.
std::vector<HostSituation> needs() {
  return {
      {"empty host", "no domains at all", roomy({}), 2},
      {"all satisfied", "three domains, each with 220 MiB of headroom",
       roomy({content("db"), content("mail"), content("web")})},
      {"one starved", "one of three domains is short and swaps; the host has plenty",
       roomy({content("db"), starved("hungry"), content("web")})},
      {"one wasteful", "one of three domains has far more than it needs",
       roomy({content("db"), wasteful("idle"), content("web")})},
      {"starved and wasteful", "one domain is short, and another has that much to spare",
       roomy({content("db"), starved("hungry"), wasteful("idle")})},
      {"crunch", "two domains are short, one has plenty, and the host is at its floor",
       full({starved("hungry-1"), starved("hungry-2"), wasteful("idle")}), 4},
      {"all starved", "all domains are short, and the host is at its floor",
       full({starved("hungry-1"), starved("hungry-2"), starved("hungry-3")})},
      {"rise and fall", "one domain's need grows tick by tick, then ends",
       roomy({guest("batch", 512_MiB, 200_MiB), content("web")}), 10, rise_and_fall},
  };
}

/// Domains with their own settings, with few or no statistics, with a stuck balloon; domains that
/// come and go; very many domains.
std::vector<HostSituation> peculiarities() {
  return {
      {"settings", "minimum, weight, priority and labels, on a host at its floor", with_settings()},
      {"old guests", "guests that do not report usable memory", old_guests()},
      {"silent guests", "a paused domain, a hung domain, and a guest without statistics",
       silent_guests()},
      {"stuck guest", "a balloon that takes targets and does not move", stuck_guest(), 4},
      {"come and go", "domains start and end all the time",
       roomy({content("db"), wasteful("idle"), starved("hungry")}), 6, come_and_go},
      {"a hundred domains", "a hundred domains between starved and wasteful", crowd()},
  };
}

/// Plays one situation to a freshly loaded policy.
CheckedSituation play(HostSituation situation, std::unique_ptr<Policy> policy,
                      const Limits& limits) {
  CheckedSituation checked{situation.name, situation.description, {}};
  PolicyHarness harness(std::move(policy), limits, std::move(situation.world));
  for (int tick = 1; tick <= situation.ticks; ++tick) {
    if (tick > 1 && situation.then) situation.then(harness.world(), tick);
    checked.ticks.push_back(harness.play());
  }
  return checked;
}

// --- the text ---

constexpr std::size_t kMaxMoves = 4;
constexpr std::size_t kMaxLogLines = 3;

class Printer {
 public:
  Printer(TextOut out, bool color) : out_(out), paint_{color} {}

  void parameters(const PolicyInfo& info);
  void situation(const CheckedSituation& situation);
  void verdict(const PolicyCheck& check);
  void heading(const PolicyInfo& info);

 private:
  void tick(const Tick& tick);

  TextOut out_;
  Paint paint_;
};

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, display_width(text)), ' ');
}

std::string counted(std::size_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

void Printer::heading(const PolicyInfo& info) {
  out_ << paint_(Tint::bold, info.name) << ": " << info.summary << '\n'
       << paint_(Tint::dim, info.path + ", policy API " + std::to_string(info.api)) << '\n'
       << '\n';
}

void Printer::parameters(const PolicyInfo& info) {
  if (info.parameters.empty()) {
    out_ << "no parameters" << '\n' << '\n';
    return;
  }
  std::size_t name = 0;
  std::size_t type = 0;
  std::size_t value = 0;
  for (const ParameterInfo& one : info.parameters) {
    name = std::max(name, display_width(one.name));
    type = std::max(type, display_width(one.type));
    value = std::max(value, display_width(one.value_text));
  }
  out_ << "parameters" << '\n';
  for (const ParameterInfo& one : info.parameters) {
    out_ << "  " << padded(one.name, name) << "  " << padded(one.type, type) << "  "
         << padded(one.value_text, value) << "  " << one.doc;
    for (std::size_t i = 0; i < one.choices.size(); ++i) {
      out_ << (i == 0 ? " (" : " | ") << one.choices[i];
    }
    if (!one.choices.empty()) out_ << ')';
    if (one.value_text != one.default_text) out_ << " [default " << one.default_text << ']';
    out_ << '\n';
  }
  out_ << '\n';
}

void Printer::tick(const Tick& tick) {
  std::vector<std::string> lines = tick_lines(tick);
  const std::size_t moves = std::max(tick.decisions.size(), lines.size());
  if (lines.size() > kMaxMoves) lines.resize(kMaxMoves);
  for (const std::string& line : lines) out_ << "    " << line << '\n';
  if (moves > lines.size()) {
    out_ << "    and " << moves - lines.size() << " more" << '\n';
  }
}

void Printer::situation(const CheckedSituation& situation) {
  const Error* error = situation.error();
  out_ << paint_(error ? Tint::red : Tint::green, error ? "FAIL" : "ok  ") << ' '
       << paint_(Tint::bold, situation.name) << ": " << situation.description << '\n';
  if (error) {
    out_ << "    " << error->text() << '\n';
    if (!error->detail.empty()) out_.lines(error->detail) << '\n';
    return;
  }
  // Shows the first tick with proposals.
  const auto active = std::find_if(situation.ticks.begin(), situation.ticks.end(),
                                   [](const Tick& one) { return !one.proposals.empty(); });
  if (active == situation.ticks.end()) {
    out_ << paint_(Tint::dim, "    proposes nothing") << '\n';
  } else {
    tick(*active);
    out_ << paint_(Tint::dim, "    in " + counted(situation.ticks.size(), "tick", "ticks") + ": " +
                                  counted(situation.proposals(), "proposal", "proposals") + ", " +
                                  std::to_string(situation.limited()) + " changed by the guard")
         << '\n';
  }
  const auto log = situation.log();
  for (std::size_t i = 0; i < std::min(log.size(), kMaxLogLines); ++i) {
    out_ << "    log: " << log[i] << '\n';
  }
}

void Printer::verdict(const PolicyCheck& check) {
  const auto failed = static_cast<std::size_t>(
      std::count_if(check.situations.begin(), check.situations.end(),
                    [](const CheckedSituation& one) { return one.error() != nullptr; }));
  const std::string headroom = ", headroom " + std::string(to_text(check.headroom));
  out_ << '\n' << check.info.name << ": ";
  if (failed == 0) {
    out_ << paint_(Tint::green, "sound") << " in "
         << counted(check.situations.size(), "situation", "situations") << headroom << '\n';
  } else {
    out_ << paint_(Tint::red, "fails") << " in " << failed << " of "
         << counted(check.situations.size(), "situation", "situations") << headroom << '\n';
  }
}

}  // namespace

const Error* CheckedSituation::error() const {
  for (const Tick& tick : ticks) {
    if (tick.policy_error) return &*tick.policy_error;
  }
  return nullptr;
}

std::size_t CheckedSituation::proposals() const {
  std::size_t count = 0;
  for (const Tick& tick : ticks) count += tick.proposals.size();
  return count;
}

std::size_t CheckedSituation::limited() const {
  std::size_t count = 0;
  for (const Tick& tick : ticks) {
    for (const Decision& decision : tick.decisions) count += decision.rules.empty() ? 0 : 1;
  }
  return count;
}

std::vector<std::string> CheckedSituation::log() const {
  std::vector<std::string> lines;
  for (const Tick& tick : ticks) {
    const auto logged = notes_of(tick, NotesOf::policy);
    lines.insert(lines.end(), logged.begin(), logged.end());
  }
  return lines;
}

bool PolicyCheck::passed() const {
  return std::all_of(situations.begin(), situations.end(),
                     [](const CheckedSituation& one) { return one.error() == nullptr; });
}

Result<PolicyCheck> check_policy(const std::filesystem::path& path,
                                 const LuaPolicy::Settings& settings, SandboxLimits limits) {
  PolicyCheck check;
  const Limits guard_limits;
  check.headroom = guard_limits.headroom;
  for (auto list : {needs(), peculiarities()}) {
    for (HostSituation& situation : list) {
      auto policy = LuaPolicy::load(path, settings, limits);
      if (!policy) return fail(policy.error());
      check.info = (*policy)->info();
      check.situations.push_back(play(std::move(situation), std::move(*policy), guard_limits));
    }
  }
  return check;
}

void print_check(const PolicyCheck& check, bool color, TextOut out) {
  Printer printer(out, color);
  printer.heading(check.info);
  printer.parameters(check.info);
  for (const CheckedSituation& situation : check.situations) printer.situation(situation);
  printer.verdict(check);
}

}  // namespace memcoord::bindings::testing
