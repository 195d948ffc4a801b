#include "engine/hypervisor/libvirt/host_memory.h"

#include <unistd.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace memcoord::libvirt {
namespace {

/// The figure of a line "Name:   1234 kB".
std::optional<MemorySize> figure(std::string_view text, std::string_view name) {
  const std::string key = std::string(name) + ":";
  std::size_t at = text.starts_with(key) ? 0 : text.find("\n" + key);
  if (at == std::string_view::npos) return std::nullopt;
  at = text.find(':', at) + 1;
  at = text.find_first_not_of(' ', at);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t kib = 0;
  const auto [rest, error] = std::from_chars(text.data() + at, text.data() + text.size(), kib);
  if (error != std::errc()) return std::nullopt;
  return MemorySize::from_kib(kib);
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Reads the folders node0, node1, ... Each has a meminfo file whose lines begin with "Node 0 ".
std::map<int, MemorySize> file_pages_in(const std::filesystem::path& nodes) {
  std::map<int, MemorySize> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(nodes, error)) {
    const std::string name = entry.path().filename();
    int id = 0;
    if (!name.starts_with("node")) continue;
    const auto [rest, failed] = std::from_chars(name.data() + 4, name.data() + name.size(), id);
    if (failed != std::errc() || rest != name.data() + name.size()) continue;
    const std::string line = "Node " + std::to_string(id) + " ";
    const std::string text = text_of(entry.path() / "meminfo");
    const auto active = figure(text, line + "Active(file)");
    const auto inactive = figure(text, line + "Inactive(file)");
    if (active && inactive) found[id] = *active + *inactive;
  }
  return found;
}

/// Divides the available page cache among the nodes by the page cache of each.
void divide_page_cache(Host& host, const std::map<int, MemorySize>& file_pages) {
  MemorySize all;
  for (const auto& [id, pages] : file_pages) all += pages;
  if (all.is_zero()) return;
  const MemorySize droppable = *host.available - host.free;
  for (NumaCell& cell : host.cells) {
    const auto found = file_pages.find(cell.id);
    if (found == file_pages.end()) continue;
    const double part = static_cast<double>(found->second.kib()) / static_cast<double>(all.kib());
    cell.available = cell.free + droppable.scaled(part);
  }
}

MemorySize page_size() {
  const long bytes = sysconf(_SC_PAGESIZE);
  return bytes > 0 ? MemorySize::from_bytes(static_cast<std::uint64_t>(bytes))
                   : MemorySize::from_kib(4);
}

}  // namespace

std::optional<MemInfo> parse_meminfo(std::string_view text) {
  const std::optional<MemorySize> total = figure(text, "MemTotal");
  if (!total) return std::nullopt;
  return MemInfo{*total, figure(text, "MemAvailable"), figure(text, "SwapFree"),
                 figure(text, "MemFree")};
}

std::optional<MemInfo> read_meminfo(const std::filesystem::path& path,
                                    const std::filesystem::path& ksm,
                                    const std::filesystem::path& nodes) {
  std::optional<MemInfo> info = parse_meminfo(text_of(path));
  std::uint64_t pages = 0;
  if (info && std::ifstream(ksm / "pages_sharing") >> pages) info->merged = page_size() * pages;
  if (info) info->file_pages = file_pages_in(nodes);
  return info;
}

Host make_host(const HostRecord& record, const std::optional<MemInfo>& local,
               const DomainSums& domains) {
  Host host;
  host.total = record.total;
  host.buffers = record.buffers;
  host.cached = record.cached;
  host.cells = record.cells;
  host.merged = page_size() * record.merged_pages.value_or(0);
  if (!record.free) {
    host.free = record.total - domains.actual;
    host.available = host.free;
    return host;
  }
  host.free = *record.free;
  if (local && local->total == record.total && local->available) {
    host.free = local->free.value_or(host.free);
    host.available = local->available;
    host.swap_free = local->swap_free;
    host.page_size = page_size();
    host.merged = local->merged.value_or(host.merged);
    divide_page_cache(host, local->file_pages);
    return host;
  }
  host.available = host.free + record.buffers + (record.cached - domains.shared) / 2;
  host.available_is_estimate = true;
  return host;
}

}  // namespace memcoord::libvirt
