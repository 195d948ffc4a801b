// Where time is too short for all domains, the answers so far count and the others come next.
#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "tests/unit/hypervisor/libvirt/fake_host.h"

using namespace memcoord;
using namespace memcoord::libvirt;
using namespace memcoord::libvirt::fake;

namespace {

LibvirtOptions hasty() {
  LibvirtOptions options = FakeHost::options(std::chrono::milliseconds(200));
  options.connections = 1;
  return options;
}

std::vector<std::string> twenty() {
  std::vector<std::string> names;
  names.reserve(20);
  for (int i = 0; i < 20; ++i) names.push_back("vm" + std::to_string(10 + i));
  return names;
}

std::set<std::string> in_state(const Snapshot& snapshot, DomainState state) {
  std::set<std::string> names;
  for (const Domain& domain : snapshot.domains) {
    if (domain.state == state) names.insert(domain.name());
  }
  return names;
}

/// The domains that `ticks` samples show as running. The daemon answers `times` more calls of a
/// kind before each.
std::set<std::string> observed_running(FakeHost& host, Call call, int times, int ticks) {
  std::set<std::string> observed;
  for (int i = 0; i < ticks; ++i) {
    host.daemon->answer_only(call, times);
    observed.merge(in_state(host.sample(), DomainState::running));
  }
  host.daemon->answer_all(call);
  return observed;
}

}  // namespace

TEST_CASE("memcoord reads the XML of new domains over several ticks on a slow link") {
  FakeHost host({"first"}, hasty());
  (void)host.sample();
  for (const std::string& name : twenty()) host.daemon->add(name);
  CHECK(observed_running(host, Call::xml, 3, 9).size() == 21);
}

TEST_CASE("memcoord reads the XML over several ticks after a reconnection, too") {
  FakeHost host(twenty(), hasty());
  (void)host.sample();
  host.daemon->restart();
  for (const std::string& name : twenty()) {
    host.daemon->with(name, [](FakeDomain& domain) { domain.maximum = 3_GiB; });
    host.daemon->with(name, [](FakeDomain& domain) {
      domain.metadata = "<m:domain xmlns:m='https://memcoord.org/xmlns/domain/1.0' weight='3'/>";
    });
  }
  (void)observed_running(host, Call::xml, 3, 9);
  for (const Domain& domain : host.sample().domains) CHECK(domain.settings().weight == 3);
}

TEST_CASE("XML that cannot be read does not block the XML of the others") {
  FakeHost host({"first"}, hasty());
  (void)host.sample();
  for (const std::string& name : twenty()) host.daemon->add(name);
  for (int i = 0; i < 10; ++i) {
    host.daemon->with("vm" + std::to_string(10 + i),
                      [](FakeDomain& domain) { domain.xml_refused = true; });
  }
  CHECK(observed_running(host, Call::xml, 3, 14).size() == 11);
}

TEST_CASE("memcoord reads XML again that it had requested before a change") {
  FakeHost host({"a"}, hasty());
  (void)host.sample();
  host.daemon->answer_only(Call::xml, 0);
  host.event("a", DomainEvent::Kind::redefined);
  (void)host.sample();
  host.event("a", DomainEvent::Kind::redefined);
  host.daemon->answer_only(Call::xml, 1);
  (void)host.sample();  // uses the XML requested before the second change
  host.daemon->with("a", [](FakeDomain& domain) {
    domain.metadata = "<m:domain xmlns:m='https://memcoord.org/xmlns/domain/1.0' weight='3'/>";
  });
  host.daemon->answer_all(Call::xml);
  (void)host.sample();
  CHECK(host.sample().domains[0].settings().weight == 3);
}

TEST_CASE("a late list of domains counts") {
  FakeHost host({"a"}, hasty());
  (void)host.sample();
  host.daemon->answer_only(Call::list, 0);
  (void)host.sample();
  host.daemon->add("b");
  host.daemon->answer_only(Call::list, 1);
  CHECK(host.sample().domains.size() == 2);
  host.daemon->answer_all(Call::list);
}

TEST_CASE("a late list does not remove a domain that was moved since") {
  FakeHost host({"a", "b"}, hasty());
  (void)host.sample();
  const FakeDomain b = host.daemon->domain("b");
  // The domain stops, memcoord requests the list, the domain starts again.
  host.daemon->answer_only(Call::list, 0);
  (void)host.sample();
  host.daemon->remove("b");
  host.daemon->answer_only(Call::list, 1);
  while (host.daemon->answers_left(Call::list) != 0) std::this_thread::yield();
  host.daemon->add("b") = b;
  REQUIRE(host.move("b", 900_MiB).kind == Outcome::Kind::applied);
  CHECK(host.sample().domains.size() == 2);
  host.daemon->answer_all(Call::list);
}

TEST_CASE("the list of domains does not wait for the monitors of hung ones") {
  FakeHost host(twenty(), hasty());
  (void)host.sample();
  host.daemon->hang("vm10");
  (void)host.sample();
  host.daemon->answer_only(Call::control_state, 0);
  host.daemon->add("new");
  CHECK(host.sample().domains.size() == 21);
  host.daemon->answer_all(Call::control_state);
  host.daemon->go_on("vm10");
}

TEST_CASE("hung domains return one by one where time is too short to query all monitors") {
  FakeHost host(twenty(), hasty());
  (void)host.sample();
  // Other tools' calls hang at them, so no worker is stuck.
  for (const std::string& name : twenty()) {
    host.daemon->with(name, [](FakeDomain& domain) { domain.hangs = domain.job_taken = true; });
  }
  CHECK(in_state(host.sample(), DomainState::hung).size() == 20);
  for (int i = 10; i < 20; ++i) host.daemon->go_on("vm" + std::to_string(10 + i));
  CHECK(observed_running(host, Call::control_state, 4, 12).size() == 10);
  for (const std::string& name : twenty()) host.daemon->go_on(name);
}

TEST_CASE("of the domains with single calls, those that waited longest come first") {
  FakeHost host(twenty(), hasty());
  host.daemon->answer_bulk_with_states_alone();
  CHECK(observed_running(host, Call::complete, 5, 8).size() == 20);
}

TEST_CASE("memcoord notices the end of migrations one by one where time is short") {
  FakeHost host(twenty(), hasty());
  (void)host.sample();
  for (const std::string& name : twenty()) host.event(name, DomainEvent::Kind::job_began);
  // The first ten migrations are still under way.
  for (int i = 0; i < 10; ++i) {
    host.daemon->with("vm" + std::to_string(10 + i),
                      [](FakeDomain& domain) { domain.in_long_job = true; });
  }
  CHECK(observed_running(host, Call::in_long_job, 4, 12).size() == 10);
}

TEST_CASE("many domains take several bulk calls, and those answered in time count") {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < 3 * TaskChunk::kDomainsPerCall; ++i) {
    names.push_back("vm" + std::to_string(1000 + i));
  }
  FakeHost host(names, hasty());
  CHECK(in_state(host.sample(), DomainState::running).size() == names.size());
  CHECK(host.daemon->bulk_calls() == 3);
  CHECK(observed_running(host, Call::bulk, 2, 4).size() == names.size());
}
