// The libvirt hypervisor on libvirt's test driver in this process.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <thread>

#include "engine/hypervisor/libvirt/domain_configuration.h"
#include "tests/integration/libvirt/test_host.h"
#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::libvirt;

namespace {

constexpr const char* kDefault = "test:///default";

/// All connections of a process to test:///default share one host while any is open.
class DefaultHost {
 public:
  DefaultHost() : connection_(virConnectOpen(kDefault)) { REQUIRE(connection_); }
  [[nodiscard]] DomainHandle domain() const {
    return DomainHandle(virDomainLookupByName(connection_.get(), "test"));
  }
  void start(const std::string& xml) const {
    const DomainHandle started(virDomainCreateXML(connection_.get(), xml.c_str(), 0));
    REQUIRE(started);
  }
  [[nodiscard]] std::string xml() const {
    return CString(virDomainGetXMLDesc(domain().get(), 0)).get();
  }

 private:
  ConnectHandle connection_;
};

/// What a piece of code writes to standard error.
template <class Code>
std::string standard_error_of(const ScratchFolder& folder, Code code) {
  const std::string path = folder.write("stderr", "");
  const int saved = dup(STDERR_FILENO);
  const int file = open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  REQUIRE(dup2(file, STDERR_FILENO) >= 0);
  code();
  (void)dup2(saved, STDERR_FILENO);
  close(saved);
  close(file);
  std::ifstream read(path);
  return {std::istreambuf_iterator<char>(read), {}};
}

}  // namespace

TEST_CASE("memcoord samples and moves the test driver's default host") {
  const DefaultHost host;
  const auto hypervisor = open_or_fail(kDefault);
  const Snapshot before = sample_or_fail(*hypervisor);
  const Domain& domain = named(before, "test");
  CHECK(domain.maximum == MemorySize::from_gib(8));
  CHECK(domain.guest.unused == domain.actual / 2);
  CHECK(domain.guest.last_update == before.wall_time);
  CHECK(move(*hypervisor, domain, MemorySize::from_gib(1)).kind == Outcome::Kind::applied);
  const Snapshot after = sample_or_fail(*hypervisor);
  CHECK(named(after, "test").actual == MemorySize::from_gib(1));
  CHECK(after.host.total == MemorySize::from_gib(3));
  CHECK(after.host.free == MemorySize::from_gib(2));
}

TEST_CASE("a host that a file describes keeps its changes") {
  const ScratchFolder folder;
  const std::string file = folder.write(
      "host.xml", node_xml(domain_xml("a", 4194304, 2097152) + domain_xml("b", 4194304, 4194304)));
  const auto hypervisor = open_or_fail("test://" + file);
  const Snapshot before = sample_or_fail(*hypervisor);
  REQUIRE(before.domains.size() == 2);
  CHECK(before.host.free == MemorySize::from_gib(10));
  CHECK(move(*hypervisor, named(before, "b"), MemorySize::from_gib(1)).kind ==
        Outcome::Kind::applied);
  const Snapshot after = sample_or_fail(*hypervisor);
  CHECK(named(after, "b").actual == MemorySize::from_gib(1));
  CHECK(named(after, "a").actual == MemorySize::from_gib(2));
}

TEST_CASE("libvirt refuses a target over the maximum with one line") {
  const DefaultHost host;
  const auto hypervisor = open_or_fail(kDefault);
  const Snapshot snapshot = sample_or_fail(*hypervisor);
  const Outcome outcome = move(*hypervisor, named(snapshot, "test"), MemorySize::from_gib(9));
  CHECK(outcome.kind == Outcome::Kind::failed);
  REQUIRE(outcome.error);
  CHECK(outcome.error->code == ErrorCode::invalid_input);
  CHECK(outcome.error->object == "test");
}

TEST_CASE("a snapshot shows a domain without a balloon and one of 3 TiB") {
  const ScratchFolder folder;
  const std::uint64_t huge = 3ULL << 30U;
  const std::string file = folder.write(
      "host.xml", node_xml(domain_xml("none", 4194304, 2097152, "", "<memballoon model='none'/>") +
                           domain_xml("huge", huge, huge)));
  const auto hypervisor = open_or_fail("test://" + file);
  const Snapshot snapshot = sample_or_fail(*hypervisor);
  CHECK(contains(named(snapshot, "none").identity->unsuitable, "no balloon device"));
  CHECK(named(snapshot, "none").actual == MemorySize::from_gib(2));
  CHECK(named(snapshot, "huge").actual == MemorySize::from_gib(3072));
  CHECK(named(snapshot, "huge").maximum == MemorySize::from_gib(3072));
  CHECK_FALSE(named(snapshot, "huge").guest.unused);
}

TEST_CASE("a move of a domain that was destroyed since the sample has vanished") {
  const ScratchFolder folder;
  const DefaultHost host;
  const auto hypervisor = open_or_fail(kDefault);
  const Snapshot snapshot = sample_or_fail(*hypervisor);
  REQUIRE(virDomainDestroy(host.domain().get()) == 0);
  CHECK(move(*hypervisor, named(snapshot, "test"), MemorySize::from_gib(1)).kind ==
        Outcome::Kind::vanished);
  CHECK(sample_or_fail(*hypervisor).domains.empty());
  REQUIRE(virDomainCreate(host.domain().get()) == 0);
  const Snapshot again = sample_or_fail(*hypervisor);
  CHECK(named(again, "test").started_at);
}

TEST_CASE("a domain that starts while another stops is in the next sample") {
  const DefaultHost host;
  const auto hypervisor = open_or_fail(kDefault);
  (void)sample_or_fail(*hypervisor);
  REQUIRE(virDomainDestroy(host.domain().get()) == 0);
  host.start(domain_xml("other", 1 << 20, 1 << 20));
  const Snapshot after = sample_or_fail(*hypervisor);
  REQUIRE(after.domains.size() == 1);
  CHECK(after.domains.front().name() == "other");
}

TEST_CASE("a snapshot shows a paused domain as paused") {
  const DefaultHost host;
  const auto hypervisor = open_or_fail(kDefault);
  REQUIRE(virDomainSuspend(host.domain().get()) == 0);
  CHECK(named(sample_or_fail(*hypervisor), "test").state == DomainState::paused);
  REQUIRE(virDomainResume(host.domain().get()) == 0);
  CHECK(named(sample_or_fail(*hypervisor), "test").state == DomainState::running);
}

TEST_CASE("a running memcoord takes up settings that were written") {
  const DefaultHost host;
  const auto hypervisor = open_or_fail(kDefault);
  CHECK(named(sample_or_fail(*hypervisor), "test").settings() == DomainSettings{});
  SettingsChange change;
  change.minimum = MemorySize::from_mib(512);
  change.labels = {{"tier", "web"}};
  const auto written = write_domain_settings(kDefault, "test", change);
  REQUIRE(written);
  const auto read = read_domain_settings(kDefault, "test");
  REQUIRE(read);
  CHECK(read->identity.settings == written->identity.settings);
  CHECK(read->active);
  // The event arrives on another thread, perhaps after a sample or two.
  while (named(sample_or_fail(*hypervisor), "test").settings() != written->identity.settings) {
    std::this_thread::yield();
  }
  SettingsChange clear;
  clear.clear = {"all"};
  REQUIRE(write_domain_settings(kDefault, "test", clear));
  CHECK_FALSE(contains(host.xml(), "memcoord.org"));
}

TEST_CASE(
    "a change applies to the settings in force and to those for the next start, and keeps the "
    "others") {
  const DefaultHost host;
  const auto set = [&](const std::string& element, unsigned where) {
    REQUIRE(virDomainSetMetadata(host.domain().get(), VIR_DOMAIN_METADATA_ELEMENT,
                                 element.empty() ? nullptr : element.c_str(), "memcoord",
                                 std::string(kMetadataUri).c_str(), where) == 0);
  };
  set("<domain weight='2'/>", VIR_DOMAIN_AFFECT_LIVE);
  set("<domain minimum='900MiB' weight='5'/>", VIR_DOMAIN_AFFECT_CONFIG);
  const auto before = read_domain_settings(kDefault, "test");
  REQUIRE(before);
  CHECK(before->identity.settings.weight == 2);
  CHECK_FALSE(before->identity.settings.minimum);
  REQUIRE(before->next_start);
  CHECK(before->next_start->weight == 5);
  SettingsChange change;
  change.priority = 3;
  const auto written = write_domain_settings(kDefault, "test", change);
  REQUIRE(written);
  const auto after = read_domain_settings(kDefault, "test");
  REQUIRE(after);
  for (const ConfiguredDomain& domain : {*written, *after}) {
    CHECK(domain.identity.settings.weight == 2);
    CHECK(domain.identity.settings.priority == 3);
    REQUIRE(domain.next_start);
    CHECK(domain.next_start->minimum == MemorySize::from_mib(900));
    CHECK(domain.next_start->weight == 5);
    CHECK(domain.next_start->priority == 3);
  }
  // A change does not overwrite malformed settings for the next start either.
  set("<domain minimum='lots'/>", VIR_DOMAIN_AFFECT_CONFIG);
  const auto refused = write_domain_settings(kDefault, "test", change);
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().hint, "memcoord domain set -c test:///default test --clear all"));
  change.clear = {"all"};
  const auto same = write_domain_settings(kDefault, "test", change);
  REQUIRE(same);
  CHECK_FALSE(same->next_start);
  set("", VIR_DOMAIN_AFFECT_LIVE);
  set("", VIR_DOMAIN_AFFECT_CONFIG);
}

TEST_CASE("a running memcoord says once which settings wait for the next start") {
  const DefaultHost host;
  REQUIRE(virDomainSetMetadata(host.domain().get(), VIR_DOMAIN_METADATA_ELEMENT,
                               "<domain minimum='900MiB'/>", "memcoord",
                               std::string(kMetadataUri).c_str(), VIR_DOMAIN_AFFECT_CONFIG) == 0);
  const auto hypervisor = open_or_fail(kDefault);
  CHECK_FALSE(named(sample_or_fail(*hypervisor), "test").settings().minimum);
  const auto notes = hypervisor->drain_notes();
  REQUIRE(notes.size() == 1);
  CHECK(contains(notes.front().text,
                 "test: other settings are configured for its next start "
                 "(minimum 900 MiB) than those in force (none)"));
  CHECK(contains(notes.front().text,
                 "memcoord domain set -c test:///default test --clear all --minimum 900MiB"));
  (void)sample_or_fail(*hypervisor);
  CHECK(hypervisor->drain_notes().empty());
  REQUIRE(virDomainSetMetadata(host.domain().get(), VIR_DOMAIN_METADATA_ELEMENT, nullptr,
                               "memcoord", std::string(kMetadataUri).c_str(),
                               VIR_DOMAIN_AFFECT_CONFIG) == 0);
}

TEST_CASE("an error names the domain with malformed metadata, which can be cleared") {
  const DefaultHost host;
  REQUIRE(virDomainSetMetadata(host.domain().get(), VIR_DOMAIN_METADATA_ELEMENT,
                               "<domain minimum='much'/>", "memcoord",
                               std::string(kMetadataUri).c_str(), 0) == 0);
  const auto read = read_domain_settings(kDefault, "test");
  REQUIRE_FALSE(read);
  CHECK(contains(read.error().text(), "'test'"));
  const auto hypervisor = open_or_fail(kDefault);
  CHECK(contains(named(sample_or_fail(*hypervisor), "test").identity->unsuitable, "much"));
  SettingsChange change;
  change.priority = 1;
  CHECK_FALSE(write_domain_settings(kDefault, "test", change));
  change.clear = {"all"};
  CHECK(write_domain_settings(kDefault, "test", change));
  change.clear = {"all"};
  change.priority.reset();
  CHECK(write_domain_settings(kDefault, "test", change));
}

TEST_CASE("the error about a misspelt domain suggests the one that was meant") {
  const auto read = read_domain_settings(kDefault, "tset");
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::not_found);
  CHECK(contains(read.error().text(), "did you mean 'test'?"));
}

TEST_CASE("the settings of all domains come in name order") {
  const ScratchFolder folder;
  const std::string file = folder.write(
      "host.xml", node_xml(domain_xml("b", 4194304, 2097152) + domain_xml("a", 4194304, 4194304)));
  const auto all = read_all_domain_settings("test://" + file);
  REQUIRE(all);
  REQUIRE(all->size() == 2);
  CHECK(all->front().identity.name == "a");
}

TEST_CASE("memcoord sets the statistics period and close restores it") {
  const DefaultHost host;
  REQUIRE_FALSE(contains(host.xml(), "period="));
  const auto hypervisor = open_or_fail(kDefault);
  (void)sample_or_fail(*hypervisor);
  CHECK(contains(host.xml(), "period='1'"));
  hypervisor->close();
  CHECK_FALSE(contains(host.xml(), "period='1'"));
}

TEST_CASE("the test driver's guests cannot be asked for reports, and a note says so once") {
  const DefaultHost host;
  const auto hypervisor = open_or_fail(kDefault);
  const Uuid uuid = sample_or_fail(*hypervisor).domains.front().uuid();
  (void)hypervisor->drain_notes();
  const std::string before = host.xml();
  for (int i = 0; i < 2; ++i) hypervisor->refresh({&uuid, 1}, std::chrono::seconds(1));
  const std::vector<Note> notes = hypervisor->drain_notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].text ==
        "test:///default: guests report at their statistics periods alone: libvirt's driver cannot "
        "ask them");
  CHECK(host.xml() == before);
}

TEST_CASE("close may be called twice, and sampling after it is an error") {
  const auto hypervisor = open_or_fail(kDefault);
  hypervisor->close();
  hypervisor->close();
  CHECK_FALSE(hypervisor->sample());
}

TEST_CASE("each failure to open is one line, and libvirt prints nothing") {
  const ScratchFolder folder;
  struct Failure {
    std::string uri;
    ErrorCode code;
    std::string says;
  };
  const std::vector<Failure> failures = {
      {"qemu://system", ErrorCode::invalid_input, "did you mean qemu:///system?"},
      {"foo:///system", ErrorCode::invalid_input, "no such driver"},
      {"test:///no/such.xml", ErrorCode::not_found, "no file /no/such.xml"},
      {"test://" + folder.write("bad.xml", "<node"), ErrorCode::invalid_input, "bad.xml"},
      {"test://" + folder.write("net.xml", "<network/>"), ErrorCode::invalid_input, "net.xml"},
      {"qemu+unix:///system?socket=" + (folder.path() / "none").string(), ErrorCode::unavailable,
       "no libvirt daemon answers"},
  };
  for (const Failure& failure : failures) {
    CAPTURE(failure.uri);
    std::string text;
    const std::string printed = standard_error_of(folder, [&] {
      const auto hypervisor = libvirt::open(failure.uri, {});
      REQUIRE_FALSE(hypervisor);
      CHECK(hypervisor.error().code == failure.code);
      text = hypervisor.error().text();
    });
    CAPTURE(text);
    CHECK(contains(text, failure.says));
    CHECK(contains(text, failure.uri));
    CHECK_FALSE(contains(text, "\n"));
    CHECK(printed == "");
  }
}

TEST_CASE("twenty hypervisors in a row do not disturb each other") {
  for (int i = 0; i < 20; ++i) {
    const auto hypervisor = open_or_fail(kDefault);
    CHECK(sample_or_fail(*hypervisor).domains.size() == 1);
  }
}
