#include "engine/hypervisor/libvirt/host_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <system_error>

namespace memcoord::libvirt {
namespace {

/// /proc/meminfo and a node's meminfo have 1.5 KiB.
constexpr std::size_t kLargestFile = 8192;

/// The number at the beginning of a text.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

/// The figure of a line "Name:   1234 kB".
std::optional<MemorySize> figure(std::string_view text, std::string_view name) {
  const std::string key = std::string(name) + ":";
  std::size_t at = text.starts_with(key) ? 0 : text.find("\n" + key);
  if (at == std::string_view::npos) return std::nullopt;
  at = text.find(':', at) + 1;
  at = text.find_first_not_of(' ', at);
  if (at == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint64_t> kib = number(text.substr(at));
  return kib ? std::optional(MemorySize::from_kib(*kib)) : std::nullopt;
}

/// A small file of /proc or /sys, read in one call; empty: it cannot be read.
std::string text_of(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::array<char, kLargestFile> text{};
  const ssize_t size = ::read(file, text.data(), text.size());
  ::close(file);
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
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
  if (host.cells.size() == 1) {
    host.cells.front().free = host.free;
    host.cells.front().available = host.available;
    return;
  }
  const MemorySize droppable = *host.available - host.free;
  MemorySize all;
  for (const auto& [id, pages] : file_pages) all += pages;
  if (all.is_zero()) return;
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
  return MemInfo{*total,
                 figure(text, "MemAvailable"),
                 figure(text, "SwapFree"),
                 figure(text, "MemFree"),
                 figure(text, "Buffers"),
                 figure(text, "Cached")};
}

std::optional<MemInfo> read_meminfo(const std::filesystem::path& path,
                                    const std::filesystem::path& ksm,
                                    const std::filesystem::path& nodes) {
  std::optional<MemInfo> info = parse_meminfo(text_of(path));
  if (!info) return info;
  const auto pages = number(text_of(ksm / "pages_sharing"));
  if (pages) info->merged = page_size() * *pages;
  if (!nodes.empty()) info->file_pages = file_pages_in(nodes);
  return info;
}

bool replaces(const MemInfo& local, const HostRecord& record) {
  return local.total == record.total && local.available && local.free && local.buffers &&
         local.cached && record.free && record.cells.size() <= 1;
}

Host make_host(const HostRecord& record, const std::optional<MemInfo>& local,
               const DomainSums& domains) {
  Host host;
  host.total = record.total;
  host.buffers = record.buffers;
  host.cached = record.cached;
  host.cells = record.cells;
  host.merged = page_size() * record.merged_pages.value_or(0);
  if (local) host.merged = local->merged.value_or(host.merged);
  if (!record.free) {
    host.free = record.total - domains.actual;
    host.available = host.free;
    return host;
  }
  host.free = *record.free;
  if (local && local->total == record.total && local->available) {
    host.free = local->free.value_or(host.free);
    host.available = local->available;
    host.buffers = local->buffers.value_or(host.buffers);
    host.cached = local->cached.value_or(host.cached);
    host.swap_free = local->swap_free;
    host.page_size = page_size();
    divide_page_cache(host, local->file_pages);
    return host;
  }
  host.available = host.free + record.buffers + (record.cached - domains.shared) / 2;
  host.available_is_estimate = true;
  return host;
}

}  // namespace memcoord::libvirt
