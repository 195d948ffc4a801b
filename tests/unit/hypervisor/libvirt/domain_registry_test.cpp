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

Roster with(const std::vector<ListedDomain>& listed) {
  Roster roster;
  roster.take_listing(listed, at(0));
  return roster;
}

std::string xml(const std::string& metadata) {
  return "<domain><name>a</name><memory unit='KiB'>1024</memory><metadata>" + metadata +
         "</metadata><devices><memballoon model='virtio'/></devices></domain>";
}
std::optional<Note> take_xml(Roster& roster, const std::string& text) {
  return roster.take_xml({kA, roster.find(kA)->xml_version}, text);
}
std::vector<Uuid> stale(const Roster& roster) {
  std::vector<Uuid> uuids;
  for (const Roster::Stale& one : roster.stale()) uuids.push_back(one.uuid);
  return uuids;
}
const std::string kMalformed =
    "<m:domain xmlns:m='https://memcoord.org/xmlns/domain/1.0' minimum='much'/>";

}  // namespace

TEST_CASE("domains of the first listing have no known start") {
  Roster roster = with({{kA, "a", 1}});
  CHECK_FALSE(roster.find(kA)->started_at);
}

TEST_CASE("a domain that a later listing adds has started then") {
  Roster roster = with({{kA, "a", 1}});
  roster.take_listing({{kA, "a", 1}, {kB, "b", 2}}, at(5));
  CHECK(roster.find(kB)->started_at == at(5));
  CHECK_FALSE(roster.find(kA)->started_at);
}

TEST_CASE("a domain with a new id has restarted, even without an event") {
  Roster roster = with({{kA, "a", 1}});
  roster.take_listing({{kA, "a", 7}}, at(5));
  CHECK(roster.find(kA)->started_at == at(5));
}

TEST_CASE("a restart discards what was learnt of the last start") {
  Roster roster = with({{kA, "a", 1}});
  (void)roster.take_xml(roster.stale().front(), xml(""));
  roster.find(kA)->balloon_moved_at = at(1);
  roster.take_report(kA, WallTime(std::chrono::hours(1)), at(1));
  roster.take_listing({{kA, "a", 7}}, at(5));
  CHECK_FALSE(roster.find(kA)->described);
  CHECK(roster.find(kA)->stale);
  CHECK_FALSE(roster.find(kA)->balloon_moved_at.has_value());
  CHECK_FALSE(roster.find(kA)->last_report.has_value());
}

TEST_CASE("an event gives the moment of a start") {
  Roster roster = with({{kA, "a", 1}});
  roster.take_event({kA, DomainEvent::Kind::stopped, at(2)});
  roster.take_event({kA, DomainEvent::Kind::started, at(3)});
  roster.take_listing({{kA, "a", 7}}, at(5));
  CHECK(roster.find(kA)->started_at == at(3));
}

TEST_CASE("a reboot counts as a start") {
  Roster roster = with({{kA, "a", 1}});
  roster.take_event({kA, DomainEvent::Kind::rebooted, at(3)});
  CHECK(roster.find(kA)->started_at == at(3));
}

TEST_CASE("a restored domain has not started") {
  // Reverting a running domain gives it another process, or keeps the same one.
  for (const int id : {7, 1}) {
    Roster roster = with({{kA, "a", 1}});
    roster.take_event({kA, DomainEvent::Kind::stopped, at(2)});
    roster.take_event({kA, DomainEvent::Kind::restored, at(3)});
    roster.take_listing({{kA, "a", id}}, at(5));
    CHECK_FALSE(roster.find(kA)->started_at);
    CHECK(roster.find(kA)->restored_at == at(3));
    CHECK(roster.find(kA)->stale);
  }
}

TEST_CASE("a domain that was restored before it was listed has not started") {
  Roster roster = with({{kB, "b", 1}});
  roster.take_event({kA, DomainEvent::Kind::restored, at(3)});
  roster.take_listing({{kA, "a", 7}, {kB, "b", 1}}, at(5));
  CHECK_FALSE(roster.find(kA)->started_at);
  CHECK(roster.find(kA)->restored_at == at(3));
  // The next start counts as one.
  roster.take_listing({{kA, "a", 8}, {kB, "b", 1}}, at(9));
  CHECK(roster.find(kA)->started_at == at(9));
}

TEST_CASE("the registry forgets a domain that is not listed any more") {
  Roster roster = with({{kA, "a", 1}, {kB, "b", 2}});
  roster.take_listing({{kB, "b", 2}}, at(1));
  CHECK(roster.find(kA) == nullptr);
  CHECK(roster.find(kB) != nullptr);
}

TEST_CASE("a domain's size is at most its maximum, whatever the balloon driver reports") {
  Roster roster = with({{kA, "a", 1}});
  const auto told = [&](MemorySize actual) {
    roster.take_sizes(kA, actual, MemorySize::from_gib(4), at(1));
    return roster.find(kA)->actual;
  };
  CHECK(told(MemorySize::from_gib(3)) == MemorySize::from_gib(3));
  CHECK(told(MemorySize::from_kib(18014398509481000U)) == MemorySize::from_gib(4));
}

TEST_CASE("the registry ignores an event about an unknown domain") {
  Roster roster;
  roster.take_event({kA, DomainEvent::Kind::rebooted, at(3)});
  CHECK(roster.domains().empty());
}

TEST_CASE("new metadata replaces the identity only if it changes it") {
  Roster roster = with({{kA, "a", 1}});
  CHECK(stale(roster) == std::vector<Uuid>{kA});
  CHECK_FALSE(take_xml(roster, xml("")));
  CHECK(roster.stale().empty());
  const auto before = roster.find(kA)->identity;
  roster.take_event({kA, DomainEvent::Kind::redefined, at(1)});
  CHECK(stale(roster) == std::vector<Uuid>{kA});
  (void)take_xml(roster, xml(""));
  CHECK(roster.find(kA)->identity == before);
  (void)take_xml(roster,
                 xml("<m:domain xmlns:m='https://memcoord.org/xmlns/domain/1.0' priority='4'/>"));
  CHECK(roster.find(kA)->identity->settings.priority == 4);
}

TEST_CASE("malformed metadata makes a domain unsuitable, and a note says so once") {
  Roster roster = with({{kA, "a", 1}});
  const auto note = take_xml(roster, xml(kMalformed));
  REQUIRE(note);
  CHECK(note->text.find("'a'") != std::string::npos);
  CHECK(note->text.find("512MiB") != std::string::npos);
  CHECK(roster.find(kA)->identity->unsuitable.find("settings cannot be used") == 4);
  CHECK_FALSE(take_xml(roster, xml(kMalformed)));
  CHECK_FALSE(take_xml(roster, xml("")));
  CHECK(roster.find(kA)->identity->unsuitable.empty());
}

TEST_CASE(
    "metadata of megabytes makes a domain unsuitable, a note says so once, and the registry does "
    "not keep it") {
  Roster roster = with({{kA, "a", 1}});
  const auto large = [](std::size_t size) {
    return "<m:domain xmlns:m='https://memcoord.org/xmlns/domain/1.0'><m:label name='l' value='" +
           std::string(size, 'x') + "'/></m:domain>";
  };
  const auto note = take_xml(roster, xml(large(4'000'000)));
  REQUIRE(note);
  CHECK(contains(note->text, "larger than 64 KiB"));
  CHECK(note->text.size() < 400);
  CHECK_FALSE(take_xml(roster, xml(large(5'000'000))));
  const DomainIdentity& identity = *roster.find(kA)->identity;
  CHECK(contains(identity.unsuitable, "larger than 64 KiB"));
  CHECK(identity.unsuitable.size() < 400);
  CHECK(identity.settings == DomainSettings{});
  // Other tools' metadata does not count.
  CHECK_FALSE(take_xml(
      roster, xml("<o:other xmlns:o='urn:o'>" + std::string(4'000'000, 'x') + "</o:other>")));
  CHECK(roster.find(kA)->identity->unsuitable.empty());
}

TEST_CASE("a note tells settings that wait for the next start once, and again when they change") {
  Roster roster = with({{kA, "a", 1}});
  (void)take_xml(roster, xml(""));
  CHECK_FALSE(roster.take_configured(kA, std::nullopt));
  CHECK_FALSE(roster.take_configured(kA, ""));
  CHECK(roster.take_configured(kA, "<domain weight='5'/>"));
  CHECK_FALSE(roster.take_configured(kA, "<domain weight='5'/>"));
  CHECK(roster.take_configured(kA, "<domain weight='6'/>"));
  const auto malformed = roster.take_configured(kA, "<domain weight='heavy'/>");
  REQUIRE(malformed);
  CHECK(malformed->text ==
        "a: the settings configured for its next start cannot be used: weight=\"heavy\" is "
        "not a number over 0; start afresh with: memcoord domain set a --clear all");
  CHECK_FALSE(roster.take_configured(kA, ""));
  CHECK(roster.take_configured(kA, "<domain weight='6'/>"));
  CHECK(roster.find(kA)->identity->settings.weight == 1);
}

TEST_CASE(
    "a domain whose guest reports no statistics says what the guest lacks, until it reports") {
  const std::string windows =
      "<domain><features><hyperv/></features><devices><memballoon model='virtio'>"
      "<stats period='1'/></memballoon></devices></domain>";
  Roster roster = with({{kA, "a", 1}});
  (void)take_xml(roster, windows);
  const auto why = [&] { return roster.find(kA)->identity->unsuitable; };
  roster.take_statistics(kA, {}, at(1));
  roster.take_statistics(kA, {}, at(5));
  CHECK(why().empty());
  roster.take_statistics(kA, {}, at(7));
  CHECK(why() ==
        "its guest reports no statistics: install its balloon driver and the balloon service "
        "(virtio-win: blnsvr.exe -i)");
  const auto said = roster.find(kA)->identity;
  roster.take_statistics(kA, {}, at(8));
  CHECK(roster.find(kA)->identity == said);
  // The XML is read again from time to time.
  (void)take_xml(roster, windows);
  roster.take_statistics(kA, {}, at(9));
  CHECK_FALSE(why().empty());
  GuestStatistics report;
  report.last_update = WallTime(std::chrono::hours(1));
  roster.take_statistics(kA, report, at(10));
  CHECK(why().starts_with("its guest does not report its unused memory"));
  report.unused = MemorySize::from_mib(100);
  roster.take_statistics(kA, report, at(11));
  CHECK(why().empty());
}

TEST_CASE("a guest has time to boot before it counts as lacking a driver") {
  Roster roster = with({{kA, "a", 1}});
  (void)take_xml(roster, xml(""));
  roster.take_event({kA, DomainEvent::Kind::started, at(1)});
  roster.take_statistics(kA, {}, at(1));
  roster.take_statistics(kA, {}, at(59));
  CHECK(roster.find(kA)->identity->unsuitable.empty());
  roster.take_statistics(kA, {}, at(61));
  CHECK(contains(roster.find(kA)->identity->unsuitable,
                 "set a period: virsh dommemstat a --period 1 --live"));
}

TEST_CASE("after a reconnection every domain is stale") {
  Roster roster = with({{kA, "a", 1}});
  (void)take_xml(roster, xml(""));
  roster.mark_all_stale();
  CHECK(stale(roster) == std::vector<Uuid>{kA});
}

TEST_CASE("a short silence makes a domain busy, a longer one hung, and a note tells its return") {
  Roster roster = with({{kA, "a", 1}});
  using Kind = ControlState::Kind;
  using std::chrono::milliseconds;
  roster.take_trouble(kA, {Kind::occupied, milliseconds(200)}, at(1));
  REQUIRE(roster.find(kA)->trouble);
  CHECK_FALSE(roster.find(kA)->trouble->hung);
  CHECK_FALSE(roster.take_control_state(kA, {Kind::occupied, milliseconds(1200)}, at(2)));
  CHECK(roster.find(kA)->trouble->hung);
  const auto note = roster.take_control_state(kA, {Kind::ok, {}}, at(9));
  REQUIRE(note);
  CHECK(note->text == "a: answers again, after 8 s");
  CHECK_FALSE(roster.find(kA)->trouble);
}

TEST_CASE("no note tells the end of a short silence") {
  Roster roster = with({{kA, "a", 1}});
  roster.take_trouble(kA, {ControlState::Kind::occupied, std::chrono::milliseconds(200)}, at(1));
  CHECK_FALSE(roster.take_control_state(kA, {ControlState::Kind::ok, {}}, at(2)));
}

TEST_CASE("a domain with a broken monitor is hung at once") {
  Roster roster = with({{kA, "a", 1}});
  roster.take_trouble(kA, {ControlState::Kind::broken, {}}, at(1));
  CHECK(roster.find(kA)->trouble->hung);
}

TEST_CASE("a restarted domain is not unresponsive any more") {
  Roster roster = with({{kA, "a", 1}});
  roster.take_trouble(kA, {ControlState::Kind::broken, {}}, at(1));
  roster.take_listing({{kA, "a", 2}}, at(2));
  CHECK_FALSE(roster.find(kA)->trouble);
}

TEST_CASE("the registry reads a limit that changed without an event within two minutes") {
  std::vector<ListedDomain> listed;
  for (std::uint64_t i = 1; i <= 90; ++i) listed.push_back({Uuid{0, i}, "vm", static_cast<int>(i)});
  Roster roster = with(listed);
  for (const ListedDomain& one : listed) {
    (void)roster.take_xml({one.uuid, roster.find(one.uuid)->xml_version}, xml(""));
  }
  roster.renew(at(59));
  CHECK(roster.stale().empty());
  // renew() makes a few domains stale at each call.
  roster.renew(at(60));
  CHECK(roster.stale().size() == 4);
  for (int second = 61; second < 90; ++second) roster.renew(at(second));
  CHECK(roster.stale().size() == 90);
  const std::string limited =
      "<domain><name>vm</name><memory unit='GiB'>8</memory><memtune><hard_limit "
      "unit='GiB'>3</hard_limit></memtune><devices><memballoon model='virtio'/></devices></domain>";
  (void)roster.take_xml(roster.stale().front(), limited);
  CHECK(roster.find(kA)->identity->hard_limit == MemorySize::from_gib(3));
  CHECK(roster.stale().size() == 89);
}

TEST_CASE("a domain whose guest misses more than three reports is stale, once in ten seconds") {
  Roster roster = with({{kA, "a", 1}});
  const auto read = [&] { (void)take_xml(roster, xml("")); };
  const auto report = [&](int seen, int made) {
    roster.find(kA)->description.period = std::chrono::seconds(1);
    roster.take_report(kA, WallTime(std::chrono::seconds(made)), at(seen));
  };
  read();
  for (int second = 100; second <= 110; ++second) report(second, second);
  CHECK(roster.stale().empty());
  report(113, 110);
  CHECK(roster.stale().empty());
  report(114, 110);
  CHECK(stale(roster) == std::vector<Uuid>{kA});
  read();
  report(123, 110);
  CHECK(roster.stale().empty());
  report(124, 110);
  CHECK(stale(roster) == std::vector<Uuid>{kA});
}
