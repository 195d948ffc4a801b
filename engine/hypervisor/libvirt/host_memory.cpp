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
                                    const std::filesystem::path& ksm) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::optional<MemInfo> info = parse_meminfo(text);
  std::uint64_t pages = 0;
  if (info && std::ifstream(ksm / "pages_sharing") >> pages) info->merged = page_size() * pages;
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
    return host;
  }
  host.available = host.free + record.buffers + (record.cached - domains.shared) / 2;
  host.available_is_estimate = true;
  return host;
}

}  // namespace memcoord::libvirt
