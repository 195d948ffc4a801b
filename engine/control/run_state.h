#pragma once
// What the loop's thread and the control server's thread exchange: the newest ticks and events in
// one direction, changes in the other.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/core/policy.h"
#include "engine/core/tick.h"
#include "engine/core/time.h"
#include "engine/observers/events.h"
#include "engine/observers/journal.h"

namespace memcoord::control {

/// Keeps the newest ticks and events. The loop writes, the server's threads read. A lock lasts as
/// long as copying pointers.
class RunState final : public Observer {
 public:
  static constexpr std::size_t kMaxEvents = 10'000;
  static constexpr std::size_t kMaxEventText = 1'000;  ///< bytes

  struct Paused {
    bool all = false;  ///< every domain
    std::string text;  ///< "web until 12:30:00, by root (process 4711)"
    std::optional<Uuid> domain = {};
  };
  /// Since when things are wrong.
  struct Since {
    std::optional<WallTime> sample_error;
    std::optional<WallTime> policy_error;
    std::optional<WallTime> fallback;  ///< since when the fallback policy decides
    std::unordered_map<Uuid, WallTime> shortages;
    std::unordered_map<Uuid, WallTime> hung;  ///< since when these domains do not answer
    /// Since when the domain's present problem lasts, if it is known.
    [[nodiscard]] std::optional<WallTime> of(const Domain& domain) const;
  };
  /// The state at one moment. Its ticks never change.
  struct View {
    std::shared_ptr<const Tick> newest;   ///< null before the first tick
    std::shared_ptr<const Tick> sampled;  ///< the newest whose sample worked
    std::shared_ptr<const Tick> before;   ///< the one before `sampled` whose sample worked
    std::vector<Paused> paused;
    std::string fallback;                ///< the fallback policy's name; empty without one
    std::shared_ptr<const Since> since;  ///< null before the first tick
    std::optional<observers::JournalLoss> journal_loss;
    /// The domain in `sampled`, by its name or UUID; null if it has none.
    [[nodiscard]] const Domain* find(const std::string& name_or_uuid) const;
    /// A domain of `sampled` in `before`, or null.
    [[nodiscard]] const Domain* earlier(const Domain& domain) const;
  };

  void observe(const Tick& tick) override;
  void set_paused(std::vector<Paused> paused);
  void set_fallback(std::string name);
  void set_journal_loss(std::optional<observers::JournalLoss> loss);

  [[nodiscard]] View view() const;
  /// The events since a time, the oldest first: of one domain, or of all for an empty name.
  [[nodiscard]] std::vector<observers::Event> events(WallTime since,
                                                     const std::string& domain) const;
  /// The time of the newest event that was dropped because there are kMaxEvents newer ones.
  [[nodiscard]] std::optional<WallTime> forgotten_until() const;

 private:
  [[nodiscard]] std::shared_ptr<const Since> since_of(const Tick& tick) const;

  mutable std::mutex mutex_;
  View view_;                                                   // under mutex_
  std::deque<std::shared_ptr<const observers::Event>> events_;  // under mutex_
  std::optional<WallTime> forgotten_until_;                     // under mutex_
  observers::EventFinder finder_;                               // the loop's thread only
};

/// An operator's change to the run, to be made between two ticks. It was checked already.
struct Change {
  enum class Kind { pause, resume, policy, fallback, reload, dry_run, reserve, release };
  Kind kind = Kind::pause;
  std::optional<Uuid> domain = {};    ///< pause, resume: none for every domain; reserve: if known
  std::string domain_name = {};       ///< for people
  std::optional<Duration> time = {};  ///< pause: none until it is resumed; reserve: how long
  MemorySize size = {};               ///< reserve
  WallTime since = {};                ///< reserve: when it was asked for
  /// policy, reload: the policy that decides from now on; fallback: null for none. Null in a reload
  /// whose policy does not load: then `problem` says why, and the old policy stays.
  std::unique_ptr<Policy> policy = {};
  std::string problem = {};
  bool on = false;       ///< dry_run
  std::string who = {};  ///< "root (process 4711)"
  /// reload: gets what came of it, in words, unless it is null.
  std::shared_ptr<std::promise<std::string>> result = {};
};

/// Changes on their way from the server's thread to the loop's.
class ChangeQueue {
 public:
  static constexpr std::size_t kMaxWaiting = 16;
  static constexpr std::size_t kMaxPolicies = 2;  ///< each holds memory

  /// Each push() calls `wake`, in the thread of the caller.
  explicit ChangeQueue(std::function<void()> wake) : wake_(std::move(wake)) {}
  void push(Change change);
  /// Waits until the loop has made enough changes that no more than these wait after a push(), or
  /// for `most`; then returns false. Only the thread that pushes may rely on it.
  [[nodiscard]] bool wait_for_room(Duration most);
  /// Whether the newest waiting pause or resumption of the domain pauses it; no value without one.
  [[nodiscard]] std::optional<bool> pauses(const Uuid& domain) const;
  /// The changes since the last call, in order.
  [[nodiscard]] std::vector<Change> drain();

 private:
  std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::condition_variable drained_;
  std::vector<Change> waiting_;  // under mutex_
};

}  // namespace memcoord::control
