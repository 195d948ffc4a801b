// Reports on demand from real guests: their statistics period goes to 0 and back.

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "engine/core/guest_reports.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"
#include "tests/lab/guest.h"

using namespace memcoord;
using namespace memcoord::lab;
using namespace std::chrono_literals;

namespace {

const std::string kIdles = "20:600";
/// A guest that only waits for its period would report after the longest test.
constexpr int kLongPeriod = 600;

/// A connection without a loop: a test asks, samples and moves as it needs.
class Asker {
 public:
  explicit Asker(const LabHost& host) {
    libvirt::LibvirtOptions options;
    options.deadline = 5s;
    auto opened = libvirt::open(host.uri(), options);
    if (!opened) FAIL(opened.error().text());
    hypervisor_ = *std::move(opened);
  }

  Domain sampled(const std::string& name) {
    const Result<Snapshot> snapshot = hypervisor_->sample();
    if (!snapshot) FAIL(snapshot.error().text());
    const auto& domains = snapshot->domains;
    const auto found = std::find_if(domains.begin(), domains.end(),
                                    [&](const Domain& domain) { return domain.name() == name; });
    if (found == domains.end()) FAIL(name << " is not there");
    return *found;
  }
  void ask(const std::vector<std::string>& names) {
    std::vector<Uuid> uuids;
    for (const std::string& name : names) uuids.push_back(sampled(name).uuid());
    hypervisor_->refresh(uuids, 2s);
  }
  /// Asks again and again, until a sample shows a wanted report.
  template <class Wanted>
  bool asks_until(const std::vector<std::string>& names, Wanted wanted) {
    for (int tries = 0; tries < 100; ++tries) {
      ask(names);
      if (wanted()) return true;
      std::this_thread::sleep_for(100ms);
    }
    return false;
  }
  void move(const std::string& name, MemorySize target) {
    const Domain now = sampled(name);
    const Move move{now.uuid(), now.actual, target};
    CHECK(hypervisor_->apply({&move, 1}).front().kind == Outcome::Kind::applied);
  }
  Hypervisor& hypervisor() { return *hypervisor_; }

 private:
  std::unique_ptr<Hypervisor> hypervisor_;
};

}  // namespace

TEST_CASE("a guest that is asked shows a balloon move long before its period ends") {
  const LabHost host;
  const Guests guests = boot(host, {guest_of("a", kIdles)});
  REQUIRE(guests[0]->wait_for_statistics());
  guests[0]->set_statistics_period(kLongPeriod);
  Asker asker(host);
  // At first the balloon fills to its initial size.
  REQUIRE(guests[0]->wait_for_actual(384_MiB));
  REQUIRE(asker.asks_until(
      {"a"}, [&] { return asker.sampled("a").guest.available.value_or(1_GiB) < 384_MiB; }));
  const Domain before = asker.sampled("a");
  asker.move("a", before.actual - 64_MiB);
  CHECK(asker.asks_until({"a"}, [&] {
    const Domain now = asker.sampled("a");
    return *now.guest.available + 60_MiB < *before.guest.available;
  }));
  CHECK(asker.sampled("a").reported_after.has_value());
  CHECK(guests[0]->statistics_period() == kLongPeriod);
  asker.hypervisor().close();
  CHECK(guests[0]->statistics_period() == kLongPeriod);
}

TEST_CASE("a period of 0 is 0 again at the end, after requests too") {
  const LabHost host;
  const Guests guests = boot(host, {guest_of("a", kIdles)});
  REQUIRE(guests[0]->wait_for_statistics());
  guests[0]->set_statistics_period(0);
  Asker asker(host);
  (void)asker.sampled("a");
  CHECK(guests[0]->statistics_period() == 1);
  asker.ask({"a"});
  CHECK(guests[0]->statistics_period() == 1);
  asker.hypervisor().close();
  CHECK(guests[0]->statistics_period() == 0);
}

TEST_CASE("a guest that hangs is left out when guests are asked, and keeps its period") {
  const LabHost host;
  const Guests guests = boot(host, {guest_of("hangs", kIdles), guest_of("well", kIdles)});
  for (const auto& guest : guests) {
    REQUIRE(guest->wait_for_statistics());
    guest->set_statistics_period(kLongPeriod);
  }
  Asker asker(host);
  (void)asker.sampled("well");
  guests[0]->stop_process();
  const GuestStatistics before = asker.sampled("well").guest;
  CHECK(asker.asks_until({"hangs", "well"}, [&] {
    return GuestReports::differ(asker.sampled("well").guest, before);
  }));
  guests[0]->continue_process();
  CHECK(asker.asks_until({"well"}, [&] { return guests[0]->statistics_period() == kLongPeriod; }));
  const GuestStatistics old = asker.sampled("hangs").guest;
  CHECK(asker.asks_until({"hangs"},
                         [&] { return GuestReports::differ(asker.sampled("hangs").guest, old); }));
  asker.hypervisor().close();
  for (const auto& guest : guests) CHECK(guest->statistics_period() == kLongPeriod);
}

TEST_CASE("a guest without a driver does not report when it is asked, and keeps its period") {
  const LabHost host;
  GuestSpec driverless = guest_of("driverless", kIdles);
  driverless.balloon_driver = false;
  const Guests guests = boot(host, {driverless, guest_of("well", kIdles)});
  REQUIRE(guests[1]->wait_for_statistics());
  guests[0]->set_statistics_period(kLongPeriod);
  Asker asker(host);
  for (int i = 0; i < 3; ++i) asker.ask({"driverless", "well"});
  CHECK_FALSE(asker.sampled("driverless").guest.last_update.has_value());
  CHECK(asker.sampled("well").guest.last_update.has_value());
  asker.hypervisor().close();
  CHECK(guests[0]->statistics_period() == kLongPeriod);
}
