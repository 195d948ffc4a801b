// What a packed journal takes, and how fast it is read: for each journal its ticks, the bytes for a
// domain and tick, a week of them, and the processor times to read all of it and its figures alone.
//
//   packed_week JOURNAL... [--columns]

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/observers/journal.h"
#include "engine/observers/packed_block.h"
#include "engine/observers/packed_journal.h"

namespace {

using namespace memcoord;
using namespace memcoord::observers;
namespace fs = std::filesystem;

struct Count {
  double ticks = 0;
  double domains = 0;  ///< of all ticks together
  double seconds = 0;  ///< that reading took
};

/// Of this process, which other ones do not slow down.
double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

Count read_whole(const fs::path& path, TickParts parts) {
  const double start = processor_seconds();
  Count count;
  auto reader = JournalReader::open({std::vector<fs::path>{path}}, parts);
  while (reader) {
    const auto tick = reader->next();
    if (!tick) std::printf("%s\n", tick.error().text().c_str());
    if (!tick || !*tick) break;
    count.ticks += 1;
    count.domains += static_cast<double>((*tick)->snapshot.domains.size());
  }
  count.seconds = processor_seconds() - start;
  return count;
}

/// The bytes of each column, if it were packed by itself.
void print_columns(const fs::path& path, double domains) {
  auto reader = JournalReader::open(path);
  TickColumns all;
  while (reader) {
    const auto tick = reader->next();
    if (!tick || !*tick) break;
    all.write(**tick);
  }
  std::multimap<std::size_t, std::string> sizes;
  for (const auto& column : all.block().columns) {
    columns::Block alone;
    alone.add(column->name)->values = column->values;
    sizes.emplace(packed(alone, 1).size(), column->name);
  }
  for (auto at = sizes.rbegin(); at != sizes.rend() && at->first > 200; ++at) {
    std::printf("  %8.3f  %s\n", static_cast<double>(at->first) / domains, at->second.c_str());
  }
}

}  // namespace

int main(int count, char** words) {
  constexpr double kWeek = 604'800;
  constexpr double kDomains = 100;
  bool with_columns = false;
  for (int i = 1; i < count; ++i)
    with_columns = with_columns || std::string_view(words[i]) == "--columns";
  for (int i = 1; i < count; ++i) {
    if (std::string_view(words[i]).starts_with("--")) continue;
    const fs::path packed = fs::temp_directory_path() / "memcoord-packed-week.mcj";
    const double start = processor_seconds();
    const Status made = pack_file(words[i], packed);
    const double packing = processor_seconds() - start;
    if (!made) {
      std::printf("%s\n", made.error().text().c_str());
      return 1;
    }
    const Count all = read_whole(packed, TickParts::all);
    const Count figures = read_whole(packed, TickParts::figures);
    const double bytes = static_cast<double>(fs::file_size(packed)) / all.domains;
    std::printf(
        "%s: %.0f ticks, %.1f domains; %.2f bytes a domain and tick (plain: %.0f); a week of 100 "
        "domains: %.0f MiB, read in %.0f s, its figures in %.0f s; packed in %.2f ms a tick\n",
        words[i], all.ticks, all.domains / all.ticks, bytes,
        static_cast<double>(fs::file_size(words[i])) / all.domains,
        bytes * kDomains * kWeek / (1 << 20), all.seconds / all.domains * kDomains * kWeek,
        figures.seconds / figures.domains * kDomains * kWeek, packing * 1000 / all.ticks);
    if (with_columns) print_columns(words[i], all.domains);
    fs::remove(packed);
  }
  return 0;
}
