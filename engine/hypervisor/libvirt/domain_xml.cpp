// What a domain's XML says about its balloon and its memory.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <pugixml.hpp>
#include <set>
#include <vector>

#include "engine/core/printable.h"
#include "engine/hypervisor/libvirt/domain_configuration.h"

namespace memcoord::libvirt {
namespace {

bool is(const char* value, std::string_view expected) {
  return std::string_view(value) == expected;
}

/// The unit's size in bytes, as virScaleInteger() of libvirt reads it: in either case, "k" and
/// "KiB" count by 1,024 and "KB" by 1,000. An empty one counts as KiB. None: libvirt has no such
/// unit.
std::optional<std::uint64_t> bytes_of(std::string_view unit) {
  if (unit.empty()) return 1024;
  std::string lower;
  for (const char c : unit) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (lower == "b" || lower == "byte" || lower == "bytes") return 1;
  constexpr std::string_view kLetters = "kmgtpe";
  const std::size_t power = kLetters.find(lower.front());
  if (power == std::string::npos) return std::nullopt;
  const std::string rest = lower.substr(1);
  const bool decimal = rest == "b";
  if (!decimal && !rest.empty() && rest != "ib") return std::nullopt;
  std::uint64_t bytes = 1;
  for (std::size_t i = 0; i <= power; ++i) bytes *= decimal ? 1000 : 1024;
  return bytes;
}

/// Whole KiB, rounded up as libvirt does. Zero for an unknown unit: unknown_unit() finds it.
MemorySize size_in(std::uint64_t count, std::string_view unit) {
  constexpr std::uint64_t kKib = 1024;
  const std::uint64_t bytes = bytes_of(unit).value_or(0);
  if (bytes == 0) return {};
  if (bytes % kKib == 0) {
    const std::uint64_t kib = bytes / kKib;
    const bool fits = count <= std::numeric_limits<std::uint64_t>::max() / kib;
    return fits ? MemorySize::from_kib(count * kib) : MemorySize::largest();
  }
  if (count > (std::numeric_limits<std::uint64_t>::max() - kKib) / bytes) {
    return MemorySize::largest();
  }
  return MemorySize::from_kib((count * bytes + kKib - 1) / kKib);
}

MemorySize size_of_element(const pugi::xml_node& element) {
  return size_in(element.text().as_ullong(), element.attribute("unit").as_string("KiB"));
}

/// Linux supports no more nodes.
constexpr int kMaxNodes = 1024;

/// Reads libvirt's notation for sets of numbers: "0-2,5", "0-3,^2".
NodeSet numbers_in(std::string_view list) {
  std::set<int> numbers;
  while (!list.empty()) {
    std::string item(list.substr(0, list.find(',')));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    const std::size_t begins = item.find_first_not_of(' ');
    const bool without = begins != std::string::npos && item[begins] == '^';
    if (without) item.erase(0, begins + 1);
    int first = 0;
    int last = 0;
    const int read = std::sscanf(item.c_str(), "%d-%d", &first, &last);
    if (read < 1) continue;
    last = std::min(read == 2 ? last : first, kMaxNodes - 1);
    for (int number = std::max(first, 0); number <= last; ++number) {
      without ? numbers.erase(number) : (numbers.insert(number), 0U);
    }
  }
  return {numbers.begin(), numbers.end()};
}

/// A guest's NUMA cell: <cell memory='1048576' unit='KiB'>.
MemorySize size_of_cell(const pugi::xml_node& cell) {
  return size_in(cell.attribute("memory").as_ullong(), cell.attribute("unit").as_string("KiB"));
}

/// libvirt accepts pages of the ordinary size in <hugepages>, and takes them from the ordinary
/// pool.
bool is_ordinary(const pugi::xml_node& page) {
  const MemorySize size =
      size_in(page.attribute("size").as_ullong(), page.attribute("unit").as_string("KiB"));
  return !size.is_zero() && size <= kBalloonPage;
}

/// Whether a memory device (a DIMM) asks for hugepages itself.
bool names_hugepages(const pugi::xml_node& memory) {
  const pugi::xml_node page = memory.child("source").child("pagesize");
  return page && size_of_element(page) > kBalloonPage;
}

bool is_on_hugepages(const pugi::xml_node& domain) {
  const auto devices = domain.child("devices").children("memory");
  if (std::any_of(devices.begin(), devices.end(), names_hugepages)) return true;
  const pugi::xml_node hugepages = domain.child("memoryBacking").child("hugepages");
  const auto pages = hugepages.children("page");
  if (!hugepages.child("page")) return static_cast<bool>(hugepages);
  return !std::all_of(pages.begin(), pages.end(), is_ordinary);
}

/// The memory of a guest on hugepages that comes from the ordinary pool: NUMA cells without
/// hugepages, or all but the memory devices where only these are on hugepages.
MemorySize beside_hugepages(const pugi::xml_node& domain) {
  const pugi::xml_node hugepages = domain.child("memoryBacking").child("hugepages");
  if (!hugepages) {
    MemorySize on_hugepages;
    for (const pugi::xml_node memory : domain.child("devices").children("memory")) {
      if (names_hugepages(memory))
        on_hugepages += size_of_element(memory.child("target").child("size"));
    }
    return size_of_element(domain.child("memory")) - on_hugepages;
  }
  // A page without a list of cells serves all cells that no other page lists.
  for (const pugi::xml_node page : hugepages.children("page")) {
    if (!page.attribute("nodeset") && !is_ordinary(page)) return {};
  }
  if (!hugepages.child("page")) return {};
  MemorySize beside;
  for (const pugi::xml_node cell : domain.child("cpu").child("numa").children("cell")) {
    const int id = cell.attribute("id").as_int();
    const auto pages = hugepages.children("page");
    const bool named = std::any_of(pages.begin(), pages.end(), [&](const pugi::xml_node& page) {
      return !is_ordinary(page) && includes(numbers_in(page.attribute("nodeset").value()), {id});
    });
    if (!named) beside += size_of_cell(cell);
  }
  return beside;
}

/// Devices that map the guest's memory for hardware, which pins what the balloon returns. Null: the
/// guest has none.
const char* passthrough_reason(const pugi::xml_node& devices) {
  for (const pugi::xml_node hostdev : devices.children("hostdev")) {
    const char* type = hostdev.attribute("type").value();
    const bool vfio = is(type, "pci") || is(type, "mdev");
    if (is(hostdev.attribute("mode").value(), "subsystem") && vfio) {
      return "a host device is passed through (VFIO), which pins all of its memory";
    }
  }
  for (const pugi::xml_node interface : devices.children("interface")) {
    const char* type = interface.attribute("type").value();
    if (is(type, "hostdev")) {
      return "a host network device is passed through (VFIO), which pins all of its memory";
    }
    if (is(type, "vdpa")) return "a vDPA network device pins all of its memory";
  }
  for (const pugi::xml_node disk : devices.children("disk")) {
    if (is(disk.attribute("type").value(), "vhostvdpa")) {
      return "a vDPA disk pins all of its memory";
    }
  }
  return nullptr;
}

bool is_virtio_mem(const pugi::xml_node& memory) {
  return is(memory.attribute("model").value(), "virtio-mem");
}

bool has_virtio_mem(const pugi::xml_node& devices) {
  const auto memories = devices.children("memory");
  return std::any_of(memories.begin(), memories.end(), is_virtio_mem);
}

/// What virtio-mem devices could give the guest and have not been asked for.
MemorySize unplugged(const pugi::xml_node& domain) {
  MemorySize sum;
  for (const pugi::xml_node memory : domain.child("devices").children("memory")) {
    const pugi::xml_node target = memory.child("target");
    if (!is_virtio_mem(memory) || !target.child("requested")) continue;
    // While the device shrinks it may hold more than requested.
    const MemorySize plugged = std::max(size_of_element(target.child("requested")),
                                        size_of_element(target.child("current")));
    sum += size_of_element(target.child("size")) - plugged;
  }
  return sum;
}

MemoryBacking backing_of(const pugi::xml_node& domain) {
  using Kind = MemoryBacking::Kind;
  const pugi::xml_node element = domain.child("memoryBacking");
  MemoryBacking backing;
  const char* source = element.child("source").attribute("type").value();
  backing.shared = is(source, "memfd") || is(source, "file") ||
                   is(element.child("access").attribute("mode").value(), "shared");
  backing.hugepages = is_on_hugepages(domain);
  if (backing.hugepages) backing.beside_hugepages = beside_hugepages(domain);
  const pugi::xml_node security = domain.child("launchSecurity");
  const char* type = security.attribute("type").value();
  if (is(type, "sev-snp") || is(type, "tdx")) {
    backing.kind = Kind::hidden;
  } else if (security || element.child("locked") || passthrough_reason(domain.child("devices")) ||
             has_virtio_mem(domain.child("devices"))) {
    // The balloon's size leaves out part of what virtio-mem has plugged in.
    backing.kind = Kind::pinned;
  }
  backing.unplugged = unplugged(domain);
  return backing;
}

/// None: no limit. libvirt also writes its largest number for that.
std::optional<MemorySize> hard_limit_of(const pugi::xml_node& domain) {
  constexpr MemorySize kUnlimited = MemorySize::from_kib((std::uint64_t{1} << 53U) - 1);
  const pugi::xml_node limit = domain.child("memtune").child("hard_limit");
  if (!limit) return std::nullopt;
  const MemorySize size = size_of_element(limit);
  return size.is_zero() || size >= kUnlimited ? std::nullopt : std::optional(size);
}

/// Whether a policy of <numatune> keeps memory on its nodes when they are full. `restrictive` does
/// so by the cgroup's cpuset.mems, without a memory policy.
bool binds(const pugi::xml_node& policy) {
  const std::string_view mode = policy.attribute("mode").as_string("strict");
  return policy && (mode == "strict" || mode == "restrictive");
}

/// The guest's memory by the sets of nodes that it is bound to, in the sets' order.
std::vector<NodeBinding> bound_to(const pugi::xml_node& domain, std::string_view placed_on) {
  const pugi::xml_node numatune = domain.child("numatune");
  const pugi::xml_node memory = numatune.child("memory");
  const bool automatic = is(memory.attribute("placement").value(), "auto");
  const NodeSet for_all =
      binds(memory) ? numbers_in(automatic ? placed_on : memory.attribute("nodeset").value())
                    : NodeSet();
  std::map<NodeSet, MemorySize> cells;
  for (const pugi::xml_node cell : domain.child("cpu").child("numa").children("cell")) {
    const pugi::xml_node own =
        numatune.find_child_by_attribute("memnode", "cellid", cell.attribute("id").as_string("0"));
    // A cell whose own policy does not bind is still bound by the cgroup of the whole guest.
    cells[binds(own) ? numbers_in(own.attribute("nodeset").value()) : for_all] +=
        size_of_cell(cell);
  }
  std::vector<NodeBinding> bindings;
  if (cells.size() <= 1) {
    const NodeSet nodes = cells.empty() ? for_all : cells.begin()->first;
    if (!nodes.empty()) bindings.push_back({nodes, std::nullopt});
    return bindings;
  }
  for (const auto& [nodes, size] : cells) {
    if (!nodes.empty()) bindings.push_back({nodes, size});
  }
  return bindings;
}

const char* memory_reason(const pugi::xml_node& domain, const pugi::xml_node& devices) {
  const pugi::xml_node backing = domain.child("memoryBacking");
  if (backing.child("locked")) return "its memory is locked, so a balloon frees nothing";
  if (is_on_hugepages(domain)) {
    return "its memory is backed by hugepages, which a balloon does not give back";
  }
  if (has_virtio_mem(devices)) return "it has virtio-mem memory, which is resized another way";
  return nullptr;
}

std::string unsuitable_reason(const pugi::xml_node& domain) {
  const pugi::xml_node devices = domain.child("devices");
  const pugi::xml_node balloon = devices.child("memballoon");
  if (!balloon || is(balloon.attribute("model").value(), "none")) {
    return "it has no balloon device";
  }
  if (const pugi::xml_node security = domain.child("launchSecurity")) {
    return "its memory is encrypted or sealed (" +
           excerpt(security.attribute("type").as_string("launch security"), 40) +
           "), so a balloon frees nothing";
  }
  if (const char* reason = passthrough_reason(devices)) return reason;
  if (const char* reason = memory_reason(domain, devices)) return reason;
  return {};
}

/// The namespace of a node's prefix, as the node or one of its parents declares it.
std::string_view namespace_of(pugi::xml_node node) {
  const std::string name = node.name();
  const std::size_t colon = name.find(':');
  const std::string declaration =
      colon == std::string::npos ? "xmlns" : "xmlns:" + name.substr(0, colon);
  for (; node; node = node.parent()) {
    if (const pugi::xml_attribute found = node.attribute(declaration.c_str())) {
      return found.value();
    }
  }
  return {};
}

/// Keeps one byte more than parse_settings() accepts, so that parse_settings() refuses the rest.
class BoundedText : public pugi::xml_writer {
 public:
  void write(const void* data, std::size_t size) override {
    text_.append(static_cast<const char*>(data), std::min(size, kMaxMetadata + 1 - text_.size()));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void read_settings(const pugi::xml_node& domain, std::string_view name,
                   DomainDescription& description) {
  for (const pugi::xml_node element : domain.child("metadata").children()) {
    if (element.type() != pugi::node_element || namespace_of(element) != kMetadataUri) continue;
    BoundedText text;
    element.print(text, "", pugi::format_raw);
    Result<DomainSettings> settings = parse_settings(text.text(), name);
    if (settings) {
      description.settings = *std::move(settings);
    } else {
      description.settings_error = settings.error();
    }
    return;
  }
}

/// Goes by libosinfo's metadata, which virt-install and virt-manager write. Hyper-V features show
/// Windows as well: only Windows uses them.
GuestSystem system_of(const pugi::xml_node& domain) {
  for (const pugi::xml_node info : domain.child("metadata").children()) {
    if (namespace_of(info) != "http://libosinfo.org/xmlns/libvirt/domain/1.0") continue;
    for (const pugi::xml_node os : info.children()) {
      const std::string_view id = os.attribute("id").value();
      if (id.find("microsoft.com/") != std::string_view::npos) return GuestSystem::windows;
      if (id.find("freebsd.org/") != std::string_view::npos) return GuestSystem::freebsd;
      if (!id.empty()) return GuestSystem::unknown;
    }
  }
  return domain.child("features").child("hyperv") ? GuestSystem::windows : GuestSystem::unknown;
}

std::chrono::seconds period_of(const pugi::xml_node& domain) {
  const pugi::xml_node balloon = domain.child("devices").child("memballoon");
  return std::chrono::seconds(std::max(0, balloon.child("stats").attribute("period").as_int()));
}

/// A unit that libvirt does not have, of one of the sizes that are read; none: all are known.
std::optional<std::string> unknown_unit(const pugi::xml_node& domain) {
  std::vector<pugi::xml_node> sized{domain.child("memory"),
                                    domain.child("memtune").child("hard_limit")};
  const auto add_all = [&](const pugi::xml_node& parent, const char* name) {
    for (const pugi::xml_node node : parent.children(name)) sized.push_back(node);
  };
  add_all(domain.child("cpu").child("numa"), "cell");
  add_all(domain.child("memoryBacking").child("hugepages"), "page");
  for (const pugi::xml_node memory : domain.child("devices").children("memory")) {
    sized.push_back(memory.child("source").child("pagesize"));
    for (const char* name : {"size", "requested", "current"}) {
      sized.push_back(memory.child("target").child(name));
    }
  }
  for (const pugi::xml_node& node : sized) {
    const std::string_view unit = node.attribute("unit").as_string("KiB");
    if (!bytes_of(unit)) return excerpt(unit, 40);
  }
  return std::nullopt;
}

}  // namespace

std::chrono::seconds period_in_xml(std::string_view xml) {
  pugi::xml_document document;
  (void)document.load_buffer(xml.data(), xml.size());
  return period_of(document.child("domain"));
}

std::string missing_statistics(GuestSystem system) {
  switch (system) {
    case GuestSystem::windows:
      return "install its balloon driver and the balloon service (virtio-win: blnsvr.exe -i)";
    case GuestSystem::freebsd:
      return "FreeBSD's balloon driver has none, so its memory stays as it is";
    case GuestSystem::unknown:
      break;
  }
  return "load its balloon driver (Linux: modprobe virtio_balloon)";
}

Result<DomainDescription> describe_domain(std::string_view xml, std::string_view name,
                                          std::string_view placed_on) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node domain = document.child("domain");
  if (!parsed || !domain) {
    return fail(ErrorCode::invalid_input, std::string(name),
                "its XML cannot be read: " +
                    std::string(parsed ? "it does not start with <domain>" : parsed.description()));
  }
  if (const auto unit = unknown_unit(domain)) {
    return fail(ErrorCode::invalid_input, std::string(name),
                "its XML has a size in '" + *unit + "', which is no unit of libvirt");
  }
  DomainDescription description;
  description.name = domain.child("name").text().as_string();
  read_settings(domain, name, description);
  description.unsuitable = unsuitable_reason(domain);
  description.system = system_of(domain);
  const pugi::xml_node balloon = domain.child("devices").child("memballoon");
  description.deflates_by_itself = is(balloon.attribute("autodeflate").value(), "on");
  description.free_page_reporting = is(balloon.attribute("freePageReporting").value(), "on");
  description.period = period_of(domain);
  description.maximum = size_of_element(domain.child("memory"));
  description.backing = backing_of(domain);
  description.hard_limit = hard_limit_of(domain);
  description.bound_to = bound_to(domain, placed_on);
  return description;
}

}  // namespace memcoord::libvirt
