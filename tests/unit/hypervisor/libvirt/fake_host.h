#pragma once
// A WorkerHypervisor on a fake daemon.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/hypervisor/libvirt/worker_hypervisor.h"
#include "tests/unit/hypervisor/libvirt/fake_daemon.h"

namespace memcoord::libvirt::fake {

class FakeHost {
 public:
  explicit FakeHost(const std::vector<std::string>& names, LibvirtOptions wanted = options()) {
    for (const std::string& name : names) daemon->add(name);
    create(std::move(wanted));
  }
  /// On the domains of a daemon.
  explicit FakeHost(std::shared_ptr<FakeDaemon> with, LibvirtOptions wanted = options())
      : daemon(std::move(with)) {
    create(std::move(wanted));
  }

  /// A deadline that no answer misses, even on a busy machine.
  static LibvirtOptions options() { return options(std::chrono::seconds(4)); }
  static LibvirtOptions options(std::chrono::milliseconds deadline) {
    LibvirtOptions options;
    options.deadline = deadline;
    options.meminfo = "/nowhere";
    return options;
  }

  /// Samples, which must succeed.
  Snapshot sample() {
    const Result<Snapshot> snapshot = hypervisor->sample();
    if (!snapshot) FAIL(snapshot.error().text());
    return *snapshot;
  }
  [[nodiscard]] static const Domain& domain(const Snapshot& snapshot, const std::string& name) {
    const Domain* found = snapshot.find(FakeDaemon::uuid(name));
    if (found == nullptr) FAIL("no domain " << name);
    return *found;
  }
  static DomainState state(const Snapshot& snapshot, const std::string& name) {
    return domain(snapshot, name).state;
  }
  Outcome move(const std::string& name, MemorySize target) { return move_all({name}, target)[0]; }
  std::vector<Outcome> move_all(const std::vector<std::string>& names, MemorySize target) {
    std::vector<Move> moves;
    moves.reserve(names.size());
    for (const std::string& name : names) {
      moves.push_back({FakeDaemon::uuid(name), MemorySize::from_gib(1), target});
    }
    return hypervisor->apply(moves);
  }
  std::string notes() {
    std::string text;
    for (const Note& note : hypervisor->drain_notes()) text += note.text + "\n";
    return text;
  }
  void event(const std::string& name, DomainEvent::Kind kind) const {
    events->push({FakeDaemon::uuid(name), kind, MonotonicTime(std::chrono::hours(1000))});
  }

  std::shared_ptr<FakeDaemon> daemon = std::make_shared<FakeDaemon>();
  std::shared_ptr<EventQueue> events = std::make_shared<EventQueue>();
  std::unique_ptr<WorkerHypervisor> hypervisor;

 private:
  void create(LibvirtOptions wanted) {
    using namespace std::chrono_literals;
    WorkerHypervisorParts parts{"fake:///",
                                true,
                                std::make_shared<FakeConnector>(daemon),
                                std::make_shared<FakeConnector>(daemon),
                                events,
                                Backoff(0s, 0s, [] { return 0.0; })};
    hypervisor = std::make_unique<WorkerHypervisor>(std::move(parts), std::move(wanted));
    if (const Status started = hypervisor->start(); !started) FAIL(started.error().text());
  }
};

}  // namespace memcoord::libvirt::fake
