#include "engine/observers/segment_keeper.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>
#include <new>
#include <system_error>
#include <tuple>
#include <utility>

#include "engine/observers/journal_files.h"
#include "engine/observers/packed_journal.h"

namespace memcoord::observers {
namespace {

namespace fs = std::filesystem;

/// As the control socket's threads: behind the loop, but not behind everything on a busy host.
constexpr int kLowPriority = 10;

}  // namespace

std::vector<Segment> segments_in(const fs::path& folder) {
  std::error_code error;
  std::vector<Segment> found;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    const std::string name = at->path().filename().string();
    const auto begin = segment_begin(name);
    const bool ours = name.ends_with(kPlainEnding) || name.ends_with(kPackedEnding);
    if (!begin || !ours || at->symlink_status(ignored).type() != fs::file_type::regular) continue;
    const auto size = at->file_size(ignored);
    found.push_back({name, *begin, ignored ? 0 : size});
  }
  std::sort(found.begin(), found.end(), [](const Segment& a, const Segment& b) {
    return std::tuple(a.begin, a.name.size(), a.name) < std::tuple(b.begin, b.name.size(), b.name);
  });
  return found;
}

std::vector<Segment> expired(const std::vector<Segment>& segments, const JournalLimits& limits,
                             WallTime now, std::uint64_t room) {
  std::uint64_t total = room;
  for (const Segment& segment : segments) total += segment.size;
  const std::uint64_t most =
      limits.max ? limits.max->bytes() : std::numeric_limits<std::uint64_t>::max();
  std::vector<Segment> result;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    // A segment ends where the next one begins.
    const bool too_old =
        limits.keep && i + 1 < segments.size() && segments[i + 1].begin <= now - *limits.keep;
    if (!too_old && total <= most) break;
    result.push_back(segments[i]);
    total -= segments[i].size;
  }
  return result;
}

SegmentKeeper::SegmentKeeper(fs::path folder, JournalLimits limits)
    : folder_(std::move(folder)), limits_(limits), thread_([this] { run(); }) {}

SegmentKeeper::~SegmentKeeper() {
  stop_ = true;
  { const std::lock_guard lock(mutex_); }
  changed_.notify_all();
  thread_.join();
}

void SegmentKeeper::begin_segment(const std::string& name, WallTime now, std::uint64_t room) {
  Work work{name, {}, now, room};
  for (const Segment& segment : segments_in(folder_)) {
    if (segment.name != name) work.over.insert(segment.name);
  }
  {
    const std::lock_guard lock(mutex_);
    next_ = std::move(work);
  }
  changed_.notify_all();
}

void SegmentKeeper::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !next_ && !busy_; });
}

std::vector<Note> SegmentKeeper::drain_notes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notes_, {});
}

void SegmentKeeper::run() {
  // On Linux this is the priority of the calling thread.
  ::setpriority(PRIO_PROCESS, 0, std::max(::getpriority(PRIO_PROCESS, 0), kLowPriority));
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stop_ || next_; });
    if (stop_) return;
    const Work work = *std::exchange(next_, std::nullopt);
    busy_ = true;
    lock.unlock();
    do_work(work);
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

void SegmentKeeper::do_work(const Work& work) {
  const auto others = [&] {
    std::vector<Segment> segments = segments_in(folder_);
    // A plain segment that has begun since then is not over.
    std::erase_if(segments, [&](const Segment& one) {
      return one.name == work.current ||
             (one.name.ends_with(kPlainEnding) && !work.over.contains(one.name));
    });
    return segments;
  };
  const auto remove_expired = [&](const JournalLimits& limits) {
    const std::vector<Segment> segments = others();
    // The next segment is packed while its plain form is still there.
    std::uint64_t largest = 0;
    for (const Segment& segment : segments) {
      if (segment.name.ends_with(kPackedEnding)) largest = std::max(largest, segment.size);
    }
    bool removed = false;
    for (const Segment& segment : expired(segments, limits, work.now, work.room + largest)) {
      std::error_code error;
      removed = fs::remove(folder_ / segment.name, error) || removed;
      if (error) note(segment.name, "cannot be removed: " + error.message());
    }
    return removed;
  };
  // What is too old is not worth packing.
  remove_expired({.max = {}, .keep = limits_.keep});
  // Packed segments take much less, so that more of them fit within the limit.
  std::map<std::string, Error> problems = pack_all(others());
  // On a full disk, they are packed once the oldest ones are gone.
  if (remove_expired(limits_) && !problems.empty() && !stop_) {
    problems = pack_all(others());
    remove_expired(limits_);
  }
  for (const auto& [name, problem] : problems) note(name, problem.text());
}

/// Packs the plain ones among segments. Returns why it cannot pack some of them, by their names.
std::map<std::string, Error> SegmentKeeper::pack_all(const std::vector<Segment>& segments) {
  std::map<std::string, Error> problems;
  for (const Segment& segment : segments) {
    if (stop_) return {};
    if (!segment.name.ends_with(kPlainEnding)) continue;
    if (const Status packed = pack(segment); !packed)
      problems.emplace(segment.name, packed.error());
  }
  return stop_ ? std::map<std::string, Error>() : problems;
}

/// Errors say what the segment cannot be: "cannot be removed: ...".
Status SegmentKeeper::pack(const Segment& segment) {
  const fs::path plain = folder_ / segment.name;
  const fs::path packed = fs::path(plain).replace_extension(kPackedEnding);
  std::error_code error;
  // A packed file is complete: a crash has kept the plain one from being removed.
  if (!fs::exists(packed, error)) {
    if (const Status done = packed_into(plain, packed); !done) {
      return fail(done.error().code, "",
                  "cannot be packed, and stays as it is: " + done.error().text());
    }
  }
  fs::remove(plain, error);
  if (error) return fail(ErrorCode::unavailable, "", "cannot be removed: " + error.message());
  return {};
}

/// Too little memory costs the packing, not the run.
Status SegmentKeeper::packed_into(const fs::path& plain, const fs::path& packed) {
  try {
    return pack_file(plain, packed, [this] { return stop_.load(); });
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::unavailable, "", "there is not enough memory to pack it");
  }
}

void SegmentKeeper::note(const std::string& name, const std::string& problem) {
  if (!said_.insert(name).second) return;
  const std::lock_guard lock(mutex_);
  notes_.push_back(
      {Note::Severity::warning, "journal " + (folder_ / name).string() + " " + problem});
}

}  // namespace memcoord::observers
