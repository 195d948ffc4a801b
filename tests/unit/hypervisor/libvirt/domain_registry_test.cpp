#include "engine/hypervisor/libvirt/domain_registry.h"

#include <doctest/doctest.h>

#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::libvirt;

namespace {

constexpr Uuid kA{0, 1};
constexpr Uuid kB{0, 2};

MonotonicTime at(int seconds) {
  return MonotonicTime(std::chrono::seconds(seconds));
}

DomainRegistry with(const std::vector<ListedDomain>& listed) {
  DomainRegistry registry;
  registry.update_listing(listed, at(0));
  return registry;
}

std::string xml(const std::string& metadata) {
  return "<domain><name>a</name><memory unit='KiB'>1024</memory><metadata>" + metadata +
         "</metadata><devices><memballoon model='virtio'/></devices></domain>";
}
std::optional<Note> update_xml(DomainRegistry& registry, const std::string& text) {
  return registry.update_xml({kA, registry.find(kA)->xml_version}, text);
}
std::vector<Uuid> stale(const DomainRegistry& registry) {
  std::vector<Uuid> uuids;
  for (const DomainRegistry::Stale& one : registry.stale()) uuids.push_back(one.uuid);
  return uuids;
}
const std::string kMalformed =
    "<m:domain xmlns:m='https://memcoord.org/xmlns/domain/1.0' minimum='much'/>";

GuestStatistics reported(WallTime stamp) {
  GuestStatistics report;
  report.last_update = stamp;
  return report;
}

}  // namespace

TEST_CASE("domains of the first listing have no known start") {
  DomainRegistry registry = with({{kA, "a", 1}});
  CHECK_FALSE(registry.find(kA)->started_at);
}

TEST_CASE("a domain that a later listing adds has started then") {
  DomainRegistry registry = with({{kA, "a", 1}});
  registry.update_listing({{kA, "a", 1}, {kB, "b", 2}}, at(5));
  CHECK(registry.find(kB)->started_at == at(5));
  CHECK_FALSE(registry.find(kA)->started_at);
}

TEST_CASE("a domain with a new id has restarted, even without an event") {
  DomainRegistry registry = with({{kA, "a", 1}});
  registry.update_listing({{kA, "a", 7}}, at(5));
  CHECK(registry.find(kA)->started_at == at(5));
}

TEST_CASE("a restart discards what was learnt of the last start") {
  DomainRegistry registry = with({{kA, "a", 1}});
  (void)registry.update_xml(registry.stale().front(), xml(""));
  registry.find(kA)->balloon_moved_at = at(1);
  registry.update_report(kA, reported(WallTime(std::chrono::hours(1))), at(1), at(1));
  registry.update_listing({{kA, "a", 7}}, at(5));
  CHECK_FALSE(registry.find(kA)->described);
  CHECK(registry.find(kA)->stale);
  CHECK_FALSE(registry.find(kA)->balloon_moved_at.has_value());
  CHECK_FALSE(registry.find(kA)->last_report.has_value());
}

TEST_CASE("an event gives the moment of a start") {
  DomainRegistry registry = with({{kA, "a", 1}});
  registry.update_from_events({kA, DomainEvent::Kind::stopped, at(2)});
  registry.update_from_events({kA, DomainEvent::Kind::started, at(3)});
  registry.update_listing({{kA, "a", 7}}, at(5));
  CHECK(registry.find(kA)->started_at == at(3));
}

TEST_CASE("a reboot counts as a start") {
  DomainRegistry registry = with({{kA, "a", 1}});
  registry.update_from_events({kA, DomainEvent::Kind::rebooted, at(3)});
  CHECK(registry.find(kA)->started_at == at(3));
}

TEST_CASE("a restored domain has not started") {
  // Reverting a running domain gives it another process, or keeps the same one.
  for (const int id : {7, 1}) {
    DomainRegistry registry = with({{kA, "a", 1}});
    registry.update_from_events({kA, DomainEvent::Kind::stopped, at(2)});
    registry.update_from_events({kA, DomainEvent::Kind::restored, at(3)});
    registry.update_listing({{kA, "a", id}}, at(5));
    CHECK_FALSE(registry.find(kA)->started_at);
    CHECK(registry.find(kA)->restored_at == at(3));
    CHECK(registry.find(kA)->stale);
  }
}

TEST_CASE("a domain that was restored before it was listed has not started") {
  DomainRegistry registry = with({{kB, "b", 1}});
  registry.update_from_events({kA, DomainEvent::Kind::restored, at(3)});
  registry.update_listing({{kA, "a", 7}, {kB, "b", 1}}, at(5));
  CHECK_FALSE(registry.find(kA)->started_at);
  CHECK(registry.find(kA)->restored_at == at(3));
  // The next start counts.
  registry.update_listing({{kA, "a", 8}, {kB, "b", 1}}, at(9));
  CHECK(registry.find(kA)->started_at == at(9));
}

TEST_CASE("the registry forgets a domain that is not listed any more") {
  DomainRegistry registry = with({{kA, "a", 1}, {kB, "b", 2}});
  registry.update_listing({{kB, "b", 2}}, at(1));
  CHECK(registry.find(kA) == nullptr);
  CHECK(registry.find(kB) != nullptr);
}

TEST_CASE("a domain's size is at most its maximum, whatever the balloon driver reports") {
  DomainRegistry registry = with({{kA, "a", 1}});
  const auto told = [&](MemorySize actual) {
    registry.update_sizes(kA, actual, MemorySize::from_gib(4), at(1));
    return registry.find(kA)->actual;
  };
  CHECK(told(MemorySize::from_gib(3)) == MemorySize::from_gib(3));
  CHECK(told(MemorySize::from_kib(18014398509481000U)) == MemorySize::from_gib(4));
}

TEST_CASE("the registry ignores an event about an unknown domain") {
  DomainRegistry registry;
  registry.update_from_events({kA, DomainEvent::Kind::rebooted, at(3)});
  CHECK(registry.domains().empty());
}

TEST_CASE("new metadata replaces the identity only if it changes it") {
  DomainRegistry registry = with({{kA, "a", 1}});
  CHECK(stale(registry) == std::vector<Uuid>{kA});
  CHECK_FALSE(update_xml(registry, xml("")));
  CHECK(registry.stale().empty());
  const auto before = registry.find(kA)->identity;
  registry.update_from_events({kA, DomainEvent::Kind::redefined, at(1)});
  CHECK(stale(registry) == std::vector<Uuid>{kA});
  (void)update_xml(registry, xml(""));
  CHECK(registry.find(kA)->identity == before);
  (void)update_xml(registry,
                   xml("<m:domain xmlns:m='https://memcoord.org/xmlns/domain/1.0' priority='4'/>"));
  CHECK(registry.find(kA)->identity->settings.priority == 4);
}

TEST_CASE("malformed metadata makes a domain unsuitable, and a note says so once") {
  DomainRegistry registry = with({{kA, "a", 1}});
  const auto note = update_xml(registry, xml(kMalformed));
  REQUIRE(note);
  CHECK(note->text.find("'a'") != std::string::npos);
  CHECK(note->text.find("512MiB") != std::string::npos);
  CHECK(registry.find(kA)->identity->unsuitable.find("settings cannot be used") == 4);
  CHECK_FALSE(update_xml(registry, xml(kMalformed)));
  CHECK_FALSE(update_xml(registry, xml("")));
  CHECK(registry.find(kA)->identity->unsuitable.empty());
}

TEST_CASE(
    "metadata of megabytes makes a domain unsuitable, a note says so once, and the registry does "
    "not keep it") {
  DomainRegistry registry = with({{kA, "a", 1}});
  const auto large = [](std::size_t size) {
    return "<m:domain xmlns:m='https://memcoord.org/xmlns/domain/1.0'><m:label name='l' value='" +
           std::string(size, 'x') + "'/></m:domain>";
  };
  const auto note = update_xml(registry, xml(large(4'000'000)));
  REQUIRE(note);
  CHECK(contains(note->text, "larger than 64 KiB"));
  CHECK(note->text.size() < 400);
  CHECK_FALSE(update_xml(registry, xml(large(5'000'000))));
  const DomainIdentity& identity = *registry.find(kA)->identity;
  CHECK(contains(identity.unsuitable, "larger than 64 KiB"));
  CHECK(identity.unsuitable.size() < 400);
  CHECK(identity.settings == DomainSettings{});
  // Other tools' metadata does not count.
  CHECK_FALSE(update_xml(
      registry, xml("<o:other xmlns:o='urn:o'>" + std::string(4'000'000, 'x') + "</o:other>")));
  CHECK(registry.find(kA)->identity->unsuitable.empty());
}

TEST_CASE("a note names settings that wait for the next start, once and again when they change") {
  DomainRegistry registry = with({{kA, "a", 1}});
  (void)update_xml(registry, xml(""));
  CHECK_FALSE(registry.update_configured(kA, std::nullopt));
  CHECK_FALSE(registry.update_configured(kA, ""));
  CHECK(registry.update_configured(kA, "<domain weight='5'/>"));
  CHECK_FALSE(registry.update_configured(kA, "<domain weight='5'/>"));
  CHECK(registry.update_configured(kA, "<domain weight='6'/>"));
  const auto malformed = registry.update_configured(kA, "<domain weight='heavy'/>");
  REQUIRE(malformed);
  CHECK(malformed->text ==
        "a: the settings configured for its next start cannot be used: weight=\"heavy\" is "
        "not a number over 0; start afresh with: memcoord domain set a --clear all");
  CHECK_FALSE(registry.update_configured(kA, ""));
  CHECK(registry.update_configured(kA, "<domain weight='6'/>"));
  CHECK(registry.find(kA)->identity->settings.weight == 1);
}

TEST_CASE(
    "a domain whose guest reports no statistics says what the guest lacks, until it reports") {
  const std::string windows =
      "<domain><features><hyperv/></features><devices><memballoon model='virtio'>"
      "<stats period='1'/></memballoon></devices></domain>";
  DomainRegistry registry = with({{kA, "a", 1}});
  (void)update_xml(registry, windows);
  const auto why = [&] { return registry.find(kA)->identity->unsuitable; };
  registry.update_statistics(kA, {}, at(1));
  registry.update_statistics(kA, {}, at(5));
  CHECK(why().empty());
  registry.update_statistics(kA, {}, at(7));
  CHECK(why() ==
        "its guest reports no statistics: install its balloon driver and the balloon service "
        "(virtio-win: blnsvr.exe -i)");
  const auto said = registry.find(kA)->identity;
  registry.update_statistics(kA, {}, at(8));
  CHECK(registry.find(kA)->identity == said);
  // The XML is read again from time to time.
  (void)update_xml(registry, windows);
  registry.update_statistics(kA, {}, at(9));
  CHECK_FALSE(why().empty());
  GuestStatistics report;
  report.last_update = WallTime(std::chrono::hours(1));
  registry.update_statistics(kA, report, at(10));
  CHECK(why().starts_with("its guest does not report its unused memory"));
  report.unused = MemorySize::from_mib(100);
  registry.update_statistics(kA, report, at(11));
  CHECK(why().empty());
}

TEST_CASE("a guest has time to boot before it counts as lacking a driver") {
  DomainRegistry registry = with({{kA, "a", 1}});
  (void)update_xml(registry, xml(""));
  registry.update_from_events({kA, DomainEvent::Kind::started, at(1)});
  registry.update_statistics(kA, {}, at(1));
  registry.update_statistics(kA, {}, at(59));
  CHECK(registry.find(kA)->identity->unsuitable.empty());
  registry.update_statistics(kA, {}, at(61));
  CHECK(contains(registry.find(kA)->identity->unsuitable,
                 "set a period: virsh dommemstat a --period 1 --live"));
}

TEST_CASE("after a reconnection every domain is stale") {
  DomainRegistry registry = with({{kA, "a", 1}});
  (void)update_xml(registry, xml(""));
  registry.mark_all_stale();
  CHECK(stale(registry) == std::vector<Uuid>{kA});
}

TEST_CASE("a domain that does not answer is busy, later hung, and a note reports its return") {
  DomainRegistry registry = with({{kA, "a", 1}});
  using Kind = ControlState::Kind;
  using std::chrono::milliseconds;
  registry.mark_unresponsive(kA, {Kind::occupied, milliseconds(200)}, at(1));
  REQUIRE(registry.find(kA)->unresponsive);
  CHECK_FALSE(registry.find(kA)->unresponsive->hung);
  CHECK_FALSE(registry.update_control_state(kA, {Kind::occupied, milliseconds(1200)}, at(2)));
  CHECK(registry.find(kA)->unresponsive->hung);
  const auto note = registry.update_control_state(kA, {Kind::ok, {}}, at(9));
  REQUIRE(note);
  CHECK(note->text == "a: answers again, after 8 s");
  CHECK_FALSE(registry.find(kA)->unresponsive);
}

TEST_CASE("no note reports the return of a domain that was busy") {
  DomainRegistry registry = with({{kA, "a", 1}});
  registry.mark_unresponsive(kA, {ControlState::Kind::occupied, std::chrono::milliseconds(200)},
                             at(1));
  CHECK_FALSE(registry.update_control_state(kA, {ControlState::Kind::ok, {}}, at(2)));
}

TEST_CASE("a domain with a broken monitor is hung at once") {
  DomainRegistry registry = with({{kA, "a", 1}});
  registry.mark_unresponsive(kA, {ControlState::Kind::broken, {}}, at(1));
  CHECK(registry.find(kA)->unresponsive->hung);
}

TEST_CASE("a restarted domain is not unresponsive any more") {
  DomainRegistry registry = with({{kA, "a", 1}});
  registry.mark_unresponsive(kA, {ControlState::Kind::broken, {}}, at(1));
  registry.update_listing({{kA, "a", 2}}, at(2));
  CHECK_FALSE(registry.find(kA)->unresponsive);
}

TEST_CASE("the registry reads a limit that changed without an event within two minutes") {
  std::vector<ListedDomain> listed;
  for (std::uint64_t i = 1; i <= 90; ++i) listed.push_back({Uuid{0, i}, "vm", static_cast<int>(i)});
  DomainRegistry registry = with(listed);
  for (const ListedDomain& one : listed) {
    (void)registry.update_xml({one.uuid, registry.find(one.uuid)->xml_version}, xml(""));
  }
  registry.renew(at(59));
  CHECK(registry.stale().empty());
  // renew() makes a few domains stale at each call.
  registry.renew(at(60));
  CHECK(registry.stale().size() == 4);
  for (int second = 61; second < 90; ++second) registry.renew(at(second));
  CHECK(registry.stale().size() == 90);
  const std::string limited =
      "<domain><name>vm</name><memory unit='GiB'>8</memory><memtune><hard_limit "
      "unit='GiB'>3</hard_limit></memtune><devices><memballoon model='virtio'/></devices></domain>";
  (void)registry.update_xml(registry.stale().front(), limited);
  CHECK(registry.find(kA)->identity->hard_limit == MemorySize::from_gib(3));
  CHECK(registry.stale().size() == 89);
}

TEST_CASE("a domain whose guest misses more than three reports is stale, once in ten seconds") {
  DomainRegistry registry = with({{kA, "a", 1}});
  const auto read = [&] { (void)update_xml(registry, xml("")); };
  const auto report = [&](int observed, int made) {
    registry.find(kA)->description.period = std::chrono::seconds(1);
    registry.update_report(kA, reported(WallTime(std::chrono::seconds(made))), at(observed),
                           at(observed));
  };
  read();
  for (int second = 100; second <= 110; ++second) report(second, second);
  CHECK(registry.stale().empty());
  report(113, 110);
  CHECK(registry.stale().empty());
  report(114, 110);
  CHECK(stale(registry) == std::vector<Uuid>{kA});
  read();
  report(123, 110);
  CHECK(registry.stale().empty());
  report(124, 110);
  CHECK(stale(registry) == std::vector<Uuid>{kA});
}

TEST_CASE("a report is newer than the last query that showed another one") {
  DomainRegistry registry = with({{kA, "a", 1}});
  GuestStatistics report = reported(WallTime(std::chrono::seconds(100)));
  report.unused = MemorySize::from_mib(500);
  registry.update_report(kA, report, at(1), at(2));
  CHECK_FALSE(registry.find(kA)->reported_after);
  registry.update_report(kA, report, at(3), at(4));
  // Within the same second its figures show that it is new.
  report.unused = MemorySize::from_mib(400);
  registry.update_report(kA, report, at(5), at(6));
  CHECK(registry.find(kA)->reported_after == at(3));
  registry.update_report(kA, report, at(7), at(8));
  CHECK(registry.find(kA)->reported_after == at(3));
  // Another process has another guest.
  registry.update_listing({{kA, "a", 2}}, at(9));
  CHECK_FALSE(registry.find(kA)->reported_after);
}
