#pragma once
// What libvirt's events say, handed from its event thread to whoever samples next.

#include <mutex>
#include <utility>
#include <vector>

#include "engine/core/time.h"
#include "engine/core/uuid.h"

namespace memcoord::libvirt {

struct DomainEvent {
  enum class Kind {
    started,
    rebooted,
    restored,  ///< from a file, a snapshot or another host: the same guest goes on
    paused,
    resumed,
    stopped,
    job_began,  ///< a migration is under way
    job_ended,
    redefined,  ///< its configuration, devices or metadata have changed: read it again
  };
  Uuid domain;
  Kind kind{};
  MonotonicTime at{};
};

/// Any thread puts in, any thread takes out.
class EventQueue {
 public:
  void push(const DomainEvent& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
  }
  [[nodiscard]] std::vector<DomainEvent> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<DomainEvent> events_;
};

}  // namespace memcoord::libvirt
