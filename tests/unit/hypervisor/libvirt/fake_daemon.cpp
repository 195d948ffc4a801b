#include "tests/unit/hypervisor/libvirt/fake_daemon.h"

#include <fmt/format.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/hypervisor/libvirt/native_connection.h"

namespace memcoord::libvirt::fake {
namespace {

LibvirtError lost() {
  return {VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, "End of file while reading data"};
}
LibvirtError refused() {
  return {VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, "no such device"};
}
LibvirtError no_domain() {
  return {VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, "Domain not found"};
}

}  // namespace

class FakeConnection final : public Connection {
 public:
  FakeConnection(std::shared_ptr<FakeDaemon> daemon, int life)
      : daemon_(std::move(daemon)), life_(life) {}
  FakeConnection(const FakeConnection&) = delete;
  FakeConnection& operator=(const FakeConnection&) = delete;
  ~FakeConnection() override {
    const std::lock_guard lock(daemon_->mutex_);
    --daemon_->open_now_;
  }

  [[nodiscard]] bool alive() const override {
    const std::lock_guard lock(daemon_->mutex_);
    return reached_locked();
  }
  [[nodiscard]] DriverTraits driver() const override { return driver_traits(daemon_->driver_); }
  [[nodiscard]] bool read_only() const override { return daemon_->read_only_; }

  LibvirtResult<std::vector<ListedDomain>> list_active() override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    daemon_->changed_.wait(lock, [this] {
      const auto locked = [](const auto& entry) { return entry.second.locked; };
      return !reached_locked() ||
             std::none_of(daemon_->domains_.begin(), daemon_->domains_.end(), locked);
    });
    if (!let_through(lock, Call::list)) return tl::unexpected(lost());
    std::vector<ListedDomain> listed;
    for (const auto& [uuid, domain] : daemon_->domains_) {
      listed.push_back({uuid, domain.name, domain.id});
    }
    return listed;
  }

  LibvirtResult<DomainXml> domain_xml(const Uuid& uuid) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    if (!let_through(lock, Call::xml)) return tl::unexpected(lost());
    const auto domain = find(lock, uuid);
    if (!domain) return tl::unexpected(domain.error());
    if ((*domain)->xml_refused) return tl::unexpected(refused());
    return DomainXml{fmt::format("<domain><name>{}</name><memory "
                                 "unit='KiB'>{}</memory><metadata>{}</metadata>"
                                 "<numatune>{}</numatune><devices>{}"
                                 "<stats period='{}'/></memballoon></devices></domain>",
                                 (*domain)->name, (*domain)->maximum.kib(), (*domain)->metadata,
                                 (*domain)->numatune, (*domain)->balloon, (*domain)->period),
                     (*domain)->configured_metadata, (*domain)->placed_on};
  }

  LibvirtResult<HostRecord> host() override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    ++daemon_->host_calls_;
    if (!answers(lock)) return tl::unexpected(lost());
    HostRecord record;
    record.total = MemorySize::from_gib(64);
    record.free = MemorySize::from_gib(8);
    record.cells = daemon_->cells_;
    if (daemon_->memory_) {
      record.total = *daemon_->memory_;
      record.free = record.total;
      for (const auto& [uuid, domain] : daemon_->domains_) *record.free -= domain.actual;
    }
    return record;
  }

  LibvirtResult<ControlState> control_state(const Uuid& uuid) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    if (!let_through(lock, Call::control_state)) return tl::unexpected(lost());
    const auto domain = find(lock, uuid);
    if (!domain) return tl::unexpected(domain.error());
    if (!(*domain)->job_taken || (*domain)->monitor_is_free) return ControlState{};
    return ControlState{ControlState::Kind::occupied, std::chrono::minutes(1)};
  }

  LibvirtResult<std::vector<DomainRecord>> bulk_statistics(std::span<const Uuid> uuids) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    ++daemon_->bulk_calls_;
    if (!let_through(lock, Call::bulk)) return tl::unexpected(lost());
    std::vector<DomainRecord> records;
    for (const Uuid& uuid : uuids) {
      auto domain = find(lock, uuid);
      if (!domain && domain.error() == lost()) return tl::unexpected(lost());
      if (!domain) continue;
      DomainRecord record;
      record.uuid = uuid;
      record.state = (*domain)->state;
      if (daemon_->bulk_figures_) {
        // NOWAIT: the call takes a free job and does not wait for one that another call holds.
        if (!(*domain)->job_taken && !monitor(lock, uuid)) return tl::unexpected(lost());
        domain = find(lock, uuid);
        if (!domain) continue;
        fill(record, **domain);
        if ((*domain)->announced) record.actual = (*domain)->announced;
        if ((*domain)->asked_by_others > 0) {
          --(*domain)->asked_by_others;
          record.rss.reset();
          record.guest = {};
        }
      }
      records.push_back(record);
    }
    return records;
  }

  LibvirtStatus complete(DomainRecord& record) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    if (!let_through(lock, Call::complete)) return tl::unexpected(lost());
    if (const auto domain = find(lock, record.uuid); !domain) return tl::unexpected(domain.error());
    if (!monitor(lock, record.uuid)) return tl::unexpected(lost());
    const auto domain = find(lock, record.uuid);
    if (!domain) return tl::unexpected(domain.error());
    fill(record, **domain);
    return {};
  }

  LibvirtResult<std::optional<MemorySize>> balloon(const Uuid& uuid) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    if (const auto domain = find(lock, uuid); !domain) return tl::unexpected(domain.error());
    if (!monitor(lock, uuid)) return tl::unexpected(lost());
    const auto domain = find(lock, uuid);
    if (!domain) return tl::unexpected(domain.error());
    ++(*domain)->balloon_calls;
    return (*domain)->actual;
  }

  LibvirtResult<bool> in_long_job(const Uuid& uuid) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    if (!let_through(lock, Call::in_long_job)) return tl::unexpected(lost());
    const auto domain = find(lock, uuid);
    if (!domain) return tl::unexpected(domain.error());
    return (*domain)->in_long_job && holds_up_balloons((*domain)->job_operation);
  }

  LibvirtStatus set_memory(const Uuid& uuid, MemorySize target) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    if (const auto domain = find(lock, uuid); !domain) return tl::unexpected(domain.error());
    const std::uint64_t call = ++daemon_->calls_;
    daemon_->domains_.at(uuid).sent.push_back({call, target});
    if (std::exchange(daemon_->domains_.at(uuid).loses_connections, false)) {
      daemon_->domains_.at(uuid).hangs = true;
      daemon_->drop_connections_locked();
    }
    const bool reached = monitor(lock, uuid);
    const auto found = daemon_->domains_.find(uuid);
    if (found == daemon_->domains_.end()) return tl::unexpected(no_domain());
    FakeDomain& domain = found->second;
    const auto sent = std::find_if(domain.sent.begin(), domain.sent.end(),
                                   [&](const auto& one) { return one.call == call; });
    if (sent == domain.sent.end()) return tl::unexpected(reached ? no_domain() : lost());
    const bool done = sent->done;
    domain.sent.erase(sent);
    if (!reached) return tl::unexpected(lost());
    if (done) return {};
    if (domain.refuses) return tl::unexpected(refused());
    domain.actual = target;
    ++domain.memory_calls;
    if (!domain.answers_late) return {};
    domain.hangs = true;
    if (!monitor(lock, uuid)) return tl::unexpected(lost());
    return {};
  }

  LibvirtResult<std::chrono::seconds> period(const Uuid& uuid) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    const auto domain = find(lock, uuid);
    if (!domain) return tl::unexpected(domain.error());
    return std::chrono::seconds((*domain)->period);
  }

  LibvirtStatus set_period(const Uuid& uuid, std::chrono::seconds period) override {
    {
      const std::lock_guard lock(daemon_->mutex_);
      const auto found = daemon_->domains_.find(uuid);
      if (found != daemon_->domains_.end() && found->second.period_hangs) {
        found->second.hangs = true;
      }
    }
    const LibvirtStatus changed = change(uuid, [period](FakeDomain& domain) {
      const bool asked = domain.period == 0 && period.count() > 0 && !domain.unused.is_zero();
      if (asked) domain.reported = domain.unused;
      domain.period = static_cast<int>(period.count());
      ++domain.period_calls;
    });
    const std::lock_guard lock(daemon_->mutex_);
    const auto found = daemon_->domains_.find(uuid);
    const bool loses = found != daemon_->domains_.end() && period.count() == 0 &&
                       std::exchange(found->second.loses_connections_off, false);
    if (loses) daemon_->drop_connections_locked();
    return changed;
  }

 private:
  [[nodiscard]] bool reached_locked() const { return daemon_->running_ && daemon_->life_ == life_; }
  /// Waits while the daemon does not answer; false: the connection is lost.
  bool answers(FakeDaemon::Lock& lock) {
    daemon_->changed_.wait(lock, [this] { return !daemon_->unresponsive_ || !reached_locked(); });
    return reached_locked();
  }
  /// Waits until a call of this kind is answered; false: the connection is lost.
  bool let_through(FakeDaemon::Lock& lock, Call call) {
    std::optional<int>& left = daemon_->answers_left_.at(static_cast<std::size_t>(call));
    daemon_->changed_.wait(lock, [&] { return !left || *left > 0 || !reached_locked(); });
    if (left && *left > 0) --*left;
    return answers(lock);
  }
  LibvirtResult<FakeDomain*> find(FakeDaemon::Lock& lock, const Uuid& uuid) {
    daemon_->changed_.wait(lock, [&] {
      const auto found = daemon_->domains_.find(uuid);
      return !reached_locked() || found == daemon_->domains_.end() || !found->second.locked;
    });
    if (!answers(lock)) return tl::unexpected(lost());
    const auto found = daemon_->domains_.find(uuid);
    if (found == daemon_->domains_.end()) return tl::unexpected(no_domain());
    return &found->second;
  }
  /// Waits for a domain's monitor; false: the connection is lost.
  bool monitor(FakeDaemon::Lock& lock, const Uuid& uuid) {
    const auto hangs = [&] {
      const auto found = daemon_->domains_.find(uuid);
      return found != daemon_->domains_.end() && found->second.hangs;
    };
    if (hangs()) daemon_->domains_.at(uuid).job_taken = true;
    daemon_->changed_.wait(lock, [&] { return !hangs() || !reached_locked(); });
    return reached_locked();
  }
  LibvirtStatus change(const Uuid& uuid, const std::function<void(FakeDomain&)>& change) {
    FakeDaemon::Lock lock(daemon_->mutex_);
    if (const auto domain = find(lock, uuid); !domain) return tl::unexpected(domain.error());
    if (!monitor(lock, uuid)) return tl::unexpected(lost());
    const auto domain = find(lock, uuid);
    if (!domain) return tl::unexpected(domain.error());
    if ((*domain)->refuses) return tl::unexpected(refused());
    change(**domain);
    return {};
  }
  static void fill(DomainRecord& record, const FakeDomain& domain) {
    record.actual = domain.actual;
    record.maximum = domain.maximum;
    if (domain.job_taken) return;
    record.rss = domain.actual;
    record.guest.unused = domain.reported.value_or(domain.actual / 2);
    record.guest.last_update = WallTime(std::chrono::hours(1));
    if (!domain.reports_now) return;
    using std::chrono::milliseconds;
    const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
    // Not a whole second, as libvirt's stamps are: those are less exact.
    const bool whole = now.time_since_epoch() % std::chrono::seconds(1) == milliseconds(0);
    record.guest.last_update = now + milliseconds(whole ? 1 : 0);
  }

  std::shared_ptr<FakeDaemon> daemon_;
  int life_;
};

FakeDomain& FakeDaemon::add(const std::string& name) {
  const std::lock_guard lock(mutex_);
  FakeDomain& domain = domains_[uuid(name)];
  domain.name = name;
  return domain;
}

Uuid FakeDaemon::uuid(const std::string& name) {
  return {1, std::hash<std::string>{}(name)};
}

void FakeDaemon::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  domains_.erase(uuid(name));
  changed_.notify_all();
}

void FakeDaemon::go_on(const std::string& name) {
  with(name, [](FakeDomain& domain) {
    domain.hangs = domain.job_taken = domain.answers_late = false;
    for (FakeDomain::Sent& one : domain.sent) {
      if (domain.refuses || one.done) continue;
      domain.actual = one.target;
      ++domain.memory_calls;
      one.done = true;
    }
    std::erase_if(domain.sent, [](const FakeDomain::Sent& one) { return one.call == 0; });
  });
}

void FakeDaemon::stop_and_start(const std::string& name, MemorySize size) {
  with(name, [&](FakeDomain& domain) {
    domain.id += 100;
    domain.hangs = domain.job_taken = domain.answers_late = false;
    domain.sent.clear();
    domain.actual = size;
  });
}

MemorySize FakeDaemon::may_take(const std::string& name) const {
  const FakeDomain domain = this->domain(name);
  MemorySize most = domain.actual;
  for (const FakeDomain::Sent& one : domain.sent)
    most = std::max(most, one.done ? most : one.target);
  return most;
}

void FakeDaemon::rename(const std::string& from, const std::string& to) {
  with(from, [&](FakeDomain& domain) { domain.name = to; });
}

void FakeDaemon::stop() {
  const std::lock_guard lock(mutex_);
  running_ = false;
  changed_.notify_all();
}

void FakeDaemon::start() {
  const std::lock_guard lock(mutex_);
  if (!running_) ++life_;
  running_ = true;
  unresponsive_ = false;
  changed_.notify_all();
}

void FakeDaemon::restart() {
  const std::lock_guard lock(mutex_);
  ++life_;
  for (auto& [uuid, domain] : domains_) domain.hangs = domain.job_taken = false;
  changed_.notify_all();
}

void FakeDaemon::stop_answering() {
  const std::lock_guard lock(mutex_);
  unresponsive_ = true;
}

void FakeDaemon::drop_connections() {
  const std::lock_guard lock(mutex_);
  drop_connections_locked();
}

void FakeDaemon::drop_connections_locked() {
  ++life_;
  for (auto& [uuid, domain] : domains_) {
    for (FakeDomain::Sent& one : domain.sent) one.call = 0;
  }
  changed_.notify_all();
}

void FakeDaemon::answer_only(Call call, int times) {
  const std::lock_guard lock(mutex_);
  std::optional<int>& left = answers_left_.at(static_cast<std::size_t>(call));
  left = left.value_or(0) + times;
  changed_.notify_all();
}

int FakeDaemon::answers_left(Call call) const {
  const std::lock_guard lock(mutex_);
  return answers_left_.at(static_cast<std::size_t>(call)).value_or(0);
}

void FakeDaemon::answer_all(Call call) {
  const std::lock_guard lock(mutex_);
  answers_left_.at(static_cast<std::size_t>(call)).reset();
  changed_.notify_all();
}

int FakeDaemon::opened() const {
  const std::lock_guard lock(mutex_);
  return opened_;
}

int FakeDaemon::open_now() const {
  const std::lock_guard lock(mutex_);
  return open_now_;
}

int FakeDaemon::bulk_calls() const {
  const std::lock_guard lock(mutex_);
  return bulk_calls_;
}

int FakeDaemon::host_calls() const {
  const std::lock_guard lock(mutex_);
  return host_calls_;
}

LibvirtResult<std::unique_ptr<Connection>> FakeConnector::connect() {
  int life = 0;
  {
    FakeDaemon::Lock lock(daemon_->mutex_);
    if (!daemon_->running_) {
      return tl::unexpected(LibvirtError{
          VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC,
          "Failed to connect socket to '/run/libvirt/libvirt-sock': No such file or directory"});
    }
    ++daemon_->opened_;
    ++daemon_->open_now_;
    life = daemon_->life_;
  }
  return std::make_unique<FakeConnection>(daemon_, life);
}

}  // namespace memcoord::libvirt::fake
