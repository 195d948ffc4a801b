#pragma once
// What becomes of a folder's segments once they are over: they are packed, and the oldest ones are
// removed.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/core/decision.h"
#include "engine/core/error.h"
#include "engine/core/memory_size.h"
#include "engine/core/time.h"

namespace memcoord::observers {

/// How much of a folder's journal stays. No value: all of it.
struct JournalLimits {
  std::optional<MemorySize> max;  ///< what all segments may have together
  std::optional<Duration> keep;   ///< segments that ended longer ago are removed
};

/// One file of a folder's journal.
struct Segment {
  std::string name;  ///< with its ending
  WallTime begin;
  std::uint64_t size = 0;  ///< bytes
};

/// The segments in a folder, oldest first: files named as segment_name() names them. Empty if it
/// cannot be read.
std::vector<Segment> segments_in(const std::filesystem::path& folder);

/// Which of the segments, oldest first, are to be removed. `room`: the bytes that the current one
/// may still need. The current one stays: it is not among them.
std::vector<Segment> expired(const std::vector<Segment>& segments, const JournalLimits& limits,
                             WallTime now, std::uint64_t room);

/// Packs and removes segments in a thread of low priority.
class SegmentKeeper {
 public:
  SegmentKeeper(std::filesystem::path folder, JournalLimits limits);
  /// Leaves what is not packed yet to the next run.
  ~SegmentKeeper();
  SegmentKeeper(const SegmentKeeper&) = delete;
  SegmentKeeper& operator=(const SegmentKeeper&) = delete;

  /// A segment has begun, at this time; all others are over. `room`: the bytes that it may need.
  void begin_segment(const std::string& name, WallTime now, std::uint64_t room);
  /// Waits until the work is done.
  void wait();
  /// The notes since the last call: files that cannot be packed or removed, each once.
  std::vector<Note> drain_notes();

 private:
  struct Work {
    std::string current;
    std::set<std::string> over;  ///< the segments that were there before it
    WallTime now;
    std::uint64_t room = 0;
  };
  void run();
  void do_work(const Work& work);
  std::map<std::string, Error> pack_all(const std::vector<Segment>& segments);
  Status pack(const Segment& segment);
  Status packed_into(const std::filesystem::path& plain, const std::filesystem::path& packed);
  void note(const std::string& name, const std::string& problem);

  std::filesystem::path folder_;
  JournalLimits limits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Work> next_;  ///< guarded by mutex_, as the two below
  bool busy_ = false;
  std::vector<Note> notes_;
  std::set<std::string> said_;  ///< names; the thread's own
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace memcoord::observers
