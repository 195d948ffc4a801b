#include "engine/hypervisor/libvirt/native_connection.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "engine/hypervisor/libvirt/domain_configuration.h"
#include "engine/hypervisor/libvirt/handles.h"

namespace memcoord::libvirt {
namespace {

constexpr int kKeepAliveSeconds = 5;
constexpr unsigned kKeepAliveCount = 3;
/// Limits the handles that queries of single domains keep: such queries do not know how many
/// domains exist.
constexpr std::size_t kMaxHandlesSingly = 10'000;

class NativeConnection final : public Connection {
 public:
  NativeConnection(OpenedHandle opened, bool local, const std::shared_ptr<EventQueue>& events)
      : handle_(std::move(opened.handle)), read_only_(opened.read_only), local_(local) {
    const char* type = virConnectGetType(handle_.get());
    driver_ = driver_traits(type == nullptr ? "" : type);
    // Only a network fails unnoticed. libvirt's keep-alive wakes the event loop in every call.
    if (!local) (void)virConnectSetKeepAlive(handle_.get(), kKeepAliveSeconds, kKeepAliveCount);
    subscriptions_ = std::make_unique<EventSubscriptions>(handle_.get(), events);
  }

  [[nodiscard]] bool alive() const override {
    return !lost_ && virConnectIsAlive(handle_.get()) == 1;
  }
  [[nodiscard]] DriverTraits driver() const override { return driver_; }
  [[nodiscard]] bool read_only() const override { return read_only_; }

  LibvirtResult<std::vector<ListedDomain>> list_active() override;
  LibvirtResult<DomainXml> domain_xml(const Uuid& domain) override;
  LibvirtResult<HostRecord> host() override;
  LibvirtResult<ControlState> control_state(const Uuid& domain) override;
  LibvirtResult<std::vector<DomainRecord>> bulk_statistics(std::span<const Uuid> domains) override;
  LibvirtStatus complete(DomainRecord& record) override;
  LibvirtResult<std::optional<MemorySize>> balloon(const Uuid& domain) override;
  LibvirtResult<bool> in_long_job(const Uuid& domain) override;
  LibvirtStatus set_memory(const Uuid& domain, MemorySize target) override;
  LibvirtResult<std::chrono::seconds> period(const Uuid& domain) override;
  LibvirtStatus set_period(const Uuid& domain, std::chrono::seconds period) override;

 private:
  /// The calling thread's last error. Remembers when that error means a lost connection.
  tl::unexpected<LibvirtError> failure() {
    LibvirtError error = LibvirtError::last();
    lost_ = lost_ || lost_connection(error);
    return tl::unexpected<LibvirtError>(std::move(error));
  }
  /// The handle of a domain; looks it up unless it is known. Owned by domains_.
  LibvirtResult<virDomainPtr> known(const Uuid& domain);
  /// Drops all handles when there are more than `most`, so that handles of domains that are gone do
  /// not pile up.
  void keep_handles(std::size_t most) {
    if (domains_.size() > most) domains_.clear();
  }
  LibvirtStatus complete_from_info(DomainRecord& record, virDomainPtr domain);
  LibvirtStatus ask_memory_stats(DomainRecord& record, virDomainPtr domain);
  bool lists_the_same();
  LibvirtResult<HostRecord> memory_stats(int cell);
  LibvirtResult<HostRecord> total_only();
  LibvirtResult<int> node_numbers();
  LibvirtResult<std::vector<NumaCell>> cells(int numbers);
  std::optional<std::uint64_t> merged_pages();

  ConnectHandle handle_;
  DriverTraits driver_;
  bool read_only_ = false;
  bool local_ = false;
  bool lost_ = false;
  bool tells_merged_pages_ = true;
  // Asked once a connection.
  std::map<int, int> memory_fields_;  ///< of virNodeGetMemoryStats(), by cell
  std::optional<int> node_numbers_;
  std::set<int> no_nodes_;  ///< numbers below node_numbers_ that no node has
  std::unique_ptr<EventSubscriptions> subscriptions_;
  std::unordered_map<Uuid, DomainHandle> domains_;
  std::optional<std::vector<ListedDomain>> listed_;  ///< the last list
};

/// Whether the active domains are those of the last list. Asks for their ids alone: libvirt makes
/// an object of each domain in a list with names.
bool NativeConnection::lists_the_same() {
  if (!driver_.ids_are_unique || !listed_) return false;
  std::vector<int> ids(listed_->size() + 1);
  const int count = virConnectListDomains(handle_.get(), ids.data(), static_cast<int>(ids.size()));
  if (count < 0 || static_cast<std::size_t>(count) != listed_->size()) return false;
  ids.pop_back();
  std::sort(ids.begin(), ids.end());
  return std::all_of(listed_->begin(), listed_->end(), [&](const ListedDomain& domain) {
    return std::binary_search(ids.begin(), ids.end(), domain.id);
  });
}

LibvirtResult<std::vector<ListedDomain>> NativeConnection::list_active() {
  if (lists_the_same()) return *listed_;
  virDomainPtr* list = nullptr;
  const int count = virConnectListAllDomains(handle_.get(), &list, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
  if (count < 0) return failure();
  const CAllocated<virDomainPtr> owned(list);
  std::vector<ListedDomain> listed;
  listed.reserve(static_cast<std::size_t>(count));
  std::unordered_map<Uuid, DomainHandle> still_there;
  for (const virDomainPtr raw : std::span(list, static_cast<std::size_t>(count))) {
    DomainHandle domain(raw);
    const Uuid uuid = uuid_of(raw);
    listed.push_back({uuid, name_of(raw), static_cast<int>(virDomainGetID(raw))});
    still_there[uuid] = std::move(domain);
  }
  domains_ = std::move(still_there);
  listed_ = listed;
  return listed;
}

LibvirtResult<virDomainPtr> NativeConnection::known(const Uuid& domain) {
  const auto found = domains_.find(domain);
  if (found != domains_.end()) return found->second.get();
  DomainHandle handle(virDomainLookupByUUID(handle_.get(), raw_uuid(domain).data()));
  if (!handle) return failure();
  return (domains_[domain] = std::move(handle)).get();
}

LibvirtResult<DomainXml> NativeConnection::domain_xml(const Uuid& domain) {
  const auto entry = known(domain);
  if (!entry) return tl::unexpected(entry.error());
  const CString xml(virDomainGetXMLDesc(*entry, 0));
  if (!xml) return failure();
  DomainXml made{xml.get(), std::nullopt, chosen_nodes(*entry, xml.get())};
  const CString element(virDomainGetMetadata(*entry, VIR_DOMAIN_METADATA_ELEMENT,
                                             std::string(kMetadataUri).c_str(),
                                             VIR_DOMAIN_AFFECT_CONFIG));
  if (element) {
    made.configured_settings = element.get();
  } else if (const LibvirtError error = LibvirtError::last(); lost_connection(error)) {
    return failure();
  } else if (error.code == VIR_ERR_NO_DOMAIN_METADATA) {
    made.configured_settings = "";
  }
  return made;
}

/// The memory of a cell or of the whole host.
LibvirtResult<HostRecord> NativeConnection::memory_stats(int cell) {
  int& fields = memory_fields_[cell];
  if (fields == 0 && virNodeGetMemoryStats(handle_.get(), cell, nullptr, &fields, 0) < 0) {
    return failure();
  }
  std::vector<virNodeMemoryStats> stats(static_cast<std::size_t>(fields));
  if (virNodeGetMemoryStats(handle_.get(), cell, stats.data(), &fields, 0) < 0) return failure();
  return host_record(stats);
}

/// Nodes have numbers below this one, perhaps with gaps. virNodeInfo counts a single node on
/// unusual topologies.
LibvirtResult<int> NativeConnection::node_numbers() {
  if (!node_numbers_) {
    virNodeInfo info{};
    if (virNodeGetInfo(handle_.get(), &info) < 0) return failure();
    constexpr int kMost = 1024;  // libvirt's own limit for one call
    std::vector<unsigned long long> free(kMost);
    const int counted = virNodeGetCellsFreeMemory(handle_.get(), free.data(), 0, kMost);
    node_numbers_ = std::max(counted, static_cast<int>(info.nodes));
  }
  return *node_numbers_;
}

LibvirtResult<std::vector<NumaCell>> NativeConnection::cells(int numbers) {
  std::vector<NumaCell> cells;
  for (int id = 0; id < numbers; ++id) {
    if (no_nodes_.contains(id)) continue;
    const auto cell = memory_stats(id);
    if (!cell) {
      if (lost_) return tl::unexpected(cell.error());
      no_nodes_.insert(id);
      continue;
    }
    cells.push_back({id, cell->total, cell->free.value_or(MemorySize{})});
  }
  return cells;
}

/// None: the driver or the host's kernel does not merge pages, and is not queried again; or the
/// host is this machine, whose files memcoord reads.
std::optional<std::uint64_t> NativeConnection::merged_pages() {
  if (local_ || !tells_merged_pages_) return std::nullopt;
  std::array<virTypedParameter, 16> parameters{};
  int count = parameters.size();
  const int asked = virNodeGetMemoryParameters(handle_.get(), parameters.data(), &count, 0);
  tells_merged_pages_ = asked == 0 && count > 0;
  if (!tells_merged_pages_) return std::nullopt;
  unsigned long long pages = 0;
  const int found = virTypedParamsGetULLong(parameters.data(), count,
                                            VIR_NODE_MEMORY_SHARED_PAGES_SHARING, &pages);
  virTypedParamsClear(parameters.data(), count);
  return found == 1 ? std::optional<std::uint64_t>(pages) : std::nullopt;
}

/// For drivers that report no more.
LibvirtResult<HostRecord> NativeConnection::total_only() {
  virNodeInfo info{};
  if (virNodeGetInfo(handle_.get(), &info) < 0) return failure();
  HostRecord record;
  record.total = MemorySize::from_kib(info.memory);
  return record;
}

LibvirtResult<HostRecord> NativeConnection::host() {
  auto record = memory_stats(VIR_NODE_MEMORY_STATS_ALL_CELLS);
  if (!record) return unsupported_call(record.error()) ? total_only() : record;
  record->merged_pages = merged_pages();
  const auto numbers = node_numbers();
  if (!numbers) return tl::unexpected(numbers.error());
  if (*numbers > 1) {
    // Some kernels and drivers do not report them.
    record->cells = cells(*numbers).value_or(std::vector<NumaCell>{});
  } else if (record->free) {
    record->cells = {{0, record->total, *record->free}};
  }
  return record;
}

LibvirtResult<ControlState> NativeConnection::control_state(const Uuid& domain) {
  const auto entry = known(domain);
  if (!entry) return tl::unexpected(entry.error());
  virDomainControlInfo info{};
  if (virDomainGetControlInfo(*entry, &info, 0) < 0) return failure();
  return control_state_of(info);
}

LibvirtResult<std::vector<DomainRecord>> NativeConnection::bulk_statistics(
    std::span<const Uuid> domains) {
  keep_handles(4 * domains.size() + 64);
  std::vector<virDomainPtr> list;
  list.reserve(domains.size() + 1);
  for (const Uuid& uuid : domains) {
    const auto entry = known(uuid);
    if (entry) {
      list.push_back(*entry);
    } else if (!domain_is_gone(entry.error())) {
      return tl::unexpected(entry.error());
    }
  }
  if (list.empty()) return std::vector<DomainRecord>{};
  list.push_back(nullptr);
  virDomainStatsRecordPtr* raw = nullptr;
  const int count =
      virDomainListGetStats(list.data(), VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_BALLOON, &raw,
                            VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
  if (count < 0) return failure();
  const StatsHandle owned(raw);
  std::vector<DomainRecord> records;
  records.reserve(static_cast<std::size_t>(count));
  for (const virDomainStatsRecordPtr record : std::span(raw, static_cast<std::size_t>(count))) {
    records.push_back(domain_record(*record));
  }
  return records;
}

LibvirtStatus NativeConnection::complete_from_info(DomainRecord& record, virDomainPtr domain) {
  virDomainInfo info{};
  if (virDomainGetInfo(domain, &info) < 0) return failure();
  record.state = domain_state(info.state, 0);
  record.maximum = MemorySize::from_kib(info.maxMem);
  record.actual = MemorySize::from_kib(info.memory);
  return {};
}

LibvirtStatus NativeConnection::ask_memory_stats(DomainRecord& record, virDomainPtr domain) {
  std::array<virDomainMemoryStatStruct, VIR_DOMAIN_MEMORY_STAT_NR> stats{};
  const int count = virDomainMemoryStats(domain, stats.data(), stats.size(), 0);
  if (count < 0) return failure();
  update_memory_stats(std::span(stats.data(), static_cast<std::size_t>(count)), record);
  return {};
}

LibvirtStatus NativeConnection::complete(DomainRecord& record) {
  keep_handles(kMaxHandlesSingly);
  const auto entry = known(record.uuid);
  if (!entry) return tl::unexpected(entry.error());
  if (!record.state) return complete_from_info(record, *entry);
  // Queried each time: the maximum may differ from start to start.
  const unsigned long maximum = virDomainGetMaxMemory(*entry);
  if (maximum == 0) return failure();
  record.maximum = MemorySize::from_kib(maximum);
  if (*record.maximum >= kSingleCallsOverflow) return complete_from_info(record, *entry);
  if (auto asked = ask_memory_stats(record, *entry); !asked) return asked;
  if (!record.actual) return complete_from_info(record, *entry);
  return {};
}

LibvirtResult<std::optional<MemorySize>> NativeConnection::balloon(const Uuid& domain) {
  const auto entry = known(domain);
  if (!entry) return tl::unexpected(entry.error());
  DomainRecord record;
  const LibvirtStatus asked = ask_memory_stats(record, *entry);
  if (!asked) return tl::unexpected(asked.error());
  return record.actual;
}

LibvirtResult<bool> NativeConnection::in_long_job(const Uuid& domain) {
  const auto entry = known(domain);
  if (!entry) return tl::unexpected(entry.error());
  int type = VIR_DOMAIN_JOB_NONE;
  int count = 0;
  virTypedParameterPtr raw = nullptr;
  if (virDomainGetJobStats(*entry, &type, &raw, &count, 0) < 0) {
    if (const LibvirtError error = LibvirtError::last(); unsupported_call(error)) return false;
    return failure();
  }
  const CAllocated<virTypedParameter> owned(raw);
  const auto operation = job_operation(type, std::span(raw, static_cast<std::size_t>(count)));
  virTypedParamsClear(raw, count);
  return operation && holds_up_balloons(*operation);
}

LibvirtStatus NativeConnection::set_memory(const Uuid& domain, MemorySize target) {
  const auto entry = known(domain);
  if (!entry) return tl::unexpected(entry.error());
  // LIVE alone: the administrator's configuration for the next start stays as it is.
  const int done = virDomainSetMemoryFlags(*entry, target.kib(), VIR_DOMAIN_AFFECT_LIVE);
  if (done < 0) return failure();
  return {};
}

LibvirtResult<std::chrono::seconds> NativeConnection::period(const Uuid& domain) {
  const auto entry = known(domain);
  if (!entry) return tl::unexpected(entry.error());
  const CString xml(virDomainGetXMLDesc(*entry, 0));
  if (!xml) return failure();
  return period_in_xml(xml.get());
}

LibvirtStatus NativeConnection::set_period(const Uuid& domain, std::chrono::seconds period) {
  const auto entry = known(domain);
  if (!entry) return tl::unexpected(entry.error());
  const int done = virDomainSetMemoryStatsPeriod(*entry, static_cast<int>(period.count()),
                                                 VIR_DOMAIN_AFFECT_LIVE);
  if (done < 0) return failure();
  return {};
}

/// Opens libvirt's handles to one URI. Connectors share it, on any thread.
class HandleSource {
 public:
  HandleSource(std::string uri, const ConnectionUri& parsed, Access access)
      : uri_(std::move(uri)),
        in_process_(parsed.is_in_process()),
        local_(parsed.is_local()),
        access_(access) {}

  [[nodiscard]] bool local() const { return local_; }

  LibvirtResult<OpenedHandle> open() {
    if (!in_process_) return open_handle(uri_, access_);
    const std::lock_guard lock(mutex_);
    if (!shared_.handle) {
      auto opened = open_handle(uri_, access_);
      if (!opened) return opened;
      shared_ = *std::move(opened);
    }
    if (virConnectRef(shared_.handle.get()) < 0) return libvirt_failure();
    return OpenedHandle{ConnectHandle(shared_.handle.get()), shared_.read_only};
  }

 private:
  const std::string uri_;
  const bool in_process_;
  const bool local_;
  const Access access_;
  const std::shared_ptr<void> loop_ = running_event_loop();
  std::mutex mutex_;
  OpenedHandle shared_;
};

class NativeConnector final : public Connector {
 public:
  /// A null `events`: connections without events.
  NativeConnector(std::shared_ptr<HandleSource> source, std::shared_ptr<EventQueue> events)
      : source_(std::move(source)), events_(std::move(events)) {}
  LibvirtResult<std::unique_ptr<Connection>> connect() override {
    auto opened = source_->open();
    if (!opened) return tl::unexpected(opened.error());
    return std::make_unique<NativeConnection>(*std::move(opened), source_->local(), events_);
  }

 private:
  std::shared_ptr<HandleSource> source_;
  std::shared_ptr<EventQueue> events_;
};

}  // namespace

std::string chosen_nodes(virDomainPtr domain, std::string_view xml) {
  if (xml.find("placement='auto'") == std::string_view::npos) return {};
  std::array<virTypedParameter, 8> parameters{};
  int count = parameters.size();
  if (virDomainGetNumaParameters(domain, parameters.data(), &count, VIR_DOMAIN_AFFECT_LIVE) < 0) {
    return {};
  }
  const char* nodes = nullptr;
  virTypedParamsGetString(parameters.data(), count, VIR_DOMAIN_NUMA_NODESET, &nodes);
  std::string text = nodes == nullptr ? "" : nodes;
  virTypedParamsClear(parameters.data(), count);
  return text;
}

NativeConnectors native_connectors(const std::string& uri, const ConnectionUri& parsed,
                                   Access access, std::shared_ptr<EventQueue> events) {
  silence_libvirt();
  const auto source = std::make_shared<HandleSource>(uri, parsed, access);
  return {std::make_shared<NativeConnector>(source, std::move(events)),
          std::make_shared<NativeConnector>(source, nullptr)};
}

}  // namespace memcoord::libvirt
