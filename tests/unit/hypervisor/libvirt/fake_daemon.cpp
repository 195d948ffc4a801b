#include "tests/unit/hypervisor/libvirt/fake_daemon.h"

#include <fmt/format.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/hypervisor/libvirt/native_records.h"

namespace memcoord::libvirt::fake {
namespace {

LvError lost() {
  return {VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, "End of file while reading data"};
}
LvError no_domain() {
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
  [[nodiscard]] std::string driver() const override { return daemon_->driver_; }
  [[nodiscard]] bool read_only() const override { return daemon_->read_only_; }

  LvResult<std::vector<ListedDomain>> list_active() override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    daemon_->changed_.wait(lock, [this] {
      const auto held = [](const auto& entry) { return entry.second.held; };
      return !reached_locked() ||
             std::none_of(daemon_->domains_.begin(), daemon_->domains_.end(), held);
    });
    if (!answers(lock)) return tl::unexpected(lost());
    std::vector<ListedDomain> listed;
    for (const auto& [uuid, domain] : daemon_->domains_) {
      listed.push_back({uuid, domain.name, domain.id});
    }
    return listed;
  }

  LvResult<DomainXml> domain_xml(const Uuid& uuid) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    const auto domain = find(lock, uuid);
    if (!domain) return tl::unexpected(domain.error());
    return DomainXml{fmt::format("<domain><name>{}</name><memory "
                                 "unit='KiB'>{}</memory><metadata>{}</metadata><devices>{}"
                                 "<stats period='{}'/></memballoon></devices></domain>",
                                 (*domain)->name, (*domain)->maximum.kib(), (*domain)->metadata,
                                 (*domain)->balloon, (*domain)->period),
                     (*domain)->configured_metadata};
  }

  LvResult<HostRecord> host() override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    ++daemon_->host_calls_;
    if (!answers(lock)) return tl::unexpected(lost());
    HostRecord record;
    record.total = MemorySize::from_gib(64);
    record.free = MemorySize::from_gib(8);
    return record;
  }

  LvResult<ControlState> control_state(const Uuid& uuid) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    const auto domain = find(lock, uuid);
    if (!domain) return tl::unexpected(domain.error());
    if (!(*domain)->job_taken || (*domain)->monitor_is_free) return ControlState{};
    return ControlState{ControlState::Kind::occupied, std::chrono::minutes(1)};
  }

  LvResult<std::vector<DomainRecord>> bulk_statistics(std::span<const Uuid> uuids) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    ++daemon_->bulk_calls_;
    std::vector<DomainRecord> records;
    for (const Uuid& uuid : uuids) {
      auto domain = find(lock, uuid);
      if (!domain && domain.error() == lost()) return tl::unexpected(lost());
      if (!domain) continue;
      DomainRecord record;
      record.uuid = uuid;
      record.state = (*domain)->state;
      if (daemon_->bulk_figures_) {
        // NOWAIT: a job that another call holds is not waited for, a free one is taken.
        if (!(*domain)->job_taken && !monitor(lock, uuid)) return tl::unexpected(lost());
        domain = find(lock, uuid);
        if (!domain) continue;
        fill(record, **domain);
        if ((*domain)->told) record.actual = (*domain)->told;
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

  LvStatus complete(DomainRecord& record) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    if (const auto domain = find(lock, record.uuid); !domain) return tl::unexpected(domain.error());
    if (!monitor(lock, record.uuid)) return tl::unexpected(lost());
    const auto domain = find(lock, record.uuid);
    if (!domain) return tl::unexpected(domain.error());
    fill(record, **domain);
    return {};
  }

  LvResult<std::optional<MemorySize>> balloon(const Uuid& uuid) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    if (const auto domain = find(lock, uuid); !domain) return tl::unexpected(domain.error());
    if (!monitor(lock, uuid)) return tl::unexpected(lost());
    const auto domain = find(lock, uuid);
    if (!domain) return tl::unexpected(domain.error());
    ++(*domain)->balloon_calls;
    return (*domain)->actual;
  }

  LvResult<bool> in_long_job(const Uuid& uuid) override {
    FakeDaemon::Lock lock(daemon_->mutex_);
    const auto domain = find(lock, uuid);
    if (!domain) return tl::unexpected(domain.error());
    return (*domain)->in_long_job && holds_up_balloons((*domain)->job_operation);
  }

  LvStatus set_memory(const Uuid& uuid, MemorySize target) override {
    return change(uuid, [target](FakeDomain& domain) {
      domain.actual = target;
      ++domain.memory_calls;
    });
  }

  LvStatus set_period(const Uuid& uuid, std::chrono::seconds period) override {
    return change(uuid, [period](FakeDomain& domain) {
      domain.period = static_cast<int>(period.count());
      ++domain.period_calls;
    });
  }

 private:
  [[nodiscard]] bool reached_locked() const { return daemon_->running_ && daemon_->life_ == life_; }
  /// Waits while the daemon is silent; false where the connection is lost.
  bool answers(FakeDaemon::Lock& lock) {
    daemon_->changed_.wait(lock, [this] { return !daemon_->silent_ || !reached_locked(); });
    return reached_locked();
  }
  LvResult<FakeDomain*> find(FakeDaemon::Lock& lock, const Uuid& uuid) {
    daemon_->changed_.wait(lock, [&] {
      const auto found = daemon_->domains_.find(uuid);
      return !reached_locked() || found == daemon_->domains_.end() || !found->second.held;
    });
    if (!answers(lock)) return tl::unexpected(lost());
    const auto found = daemon_->domains_.find(uuid);
    if (found == daemon_->domains_.end()) return tl::unexpected(no_domain());
    return &found->second;
  }
  /// Waits for a domain's monitor; false where the connection is lost.
  bool monitor(FakeDaemon::Lock& lock, const Uuid& uuid) {
    const auto hangs = [&] {
      const auto found = daemon_->domains_.find(uuid);
      return found != daemon_->domains_.end() && found->second.hangs;
    };
    if (hangs()) daemon_->domains_.at(uuid).job_taken = true;
    daemon_->changed_.wait(lock, [&] { return !hangs() || !reached_locked(); });
    return reached_locked();
  }
  LvStatus change(const Uuid& uuid, const std::function<void(FakeDomain&)>& change) {
    FakeDaemon::Lock lock(daemon_->mutex_);
    if (const auto domain = find(lock, uuid); !domain) return tl::unexpected(domain.error());
    if (!monitor(lock, uuid)) return tl::unexpected(lost());
    const auto domain = find(lock, uuid);
    if (!domain) return tl::unexpected(domain.error());
    if ((*domain)->refuses) {
      return tl::unexpected(LvError{VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, "no such device"});
    }
    change(**domain);
    return {};
  }
  static void fill(DomainRecord& record, const FakeDomain& domain) {
    record.actual = domain.actual;
    record.maximum = domain.maximum;
    if (domain.job_taken) return;
    record.rss = domain.actual;
    record.guest.unused = domain.actual / 2;
    record.guest.last_update = WallTime(std::chrono::hours(1));
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
  silent_ = false;
  changed_.notify_all();
}

void FakeDaemon::restart() {
  const std::lock_guard lock(mutex_);
  ++life_;
  for (auto& [uuid, domain] : domains_) domain.hangs = domain.job_taken = false;
  changed_.notify_all();
}

void FakeDaemon::fall_silent() {
  const std::lock_guard lock(mutex_);
  silent_ = true;
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

LvResult<std::unique_ptr<Connection>> FakeConnector::connect() {
  int life = 0;
  {
    FakeDaemon::Lock lock(daemon_->mutex_);
    if (!daemon_->running_) {
      return tl::unexpected(LvError{
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
