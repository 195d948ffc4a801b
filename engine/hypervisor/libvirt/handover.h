#pragma once
// Values that one thread hands to another.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace memcoord::libvirt {

/// What deadlines inside the libvirt hypervisor are counted on.
using Instant = std::chrono::steady_clock::time_point;

/// A value that another thread will put here; waited for until a deadline.
template <class T>
class Pending {
 public:
  void put(T value) {
    {
      const std::lock_guard lock(mutex_);
      value_ = std::move(value);
    }
    there_.notify_all();
  }
  [[nodiscard]] bool is_there() {
    const std::lock_guard lock(mutex_);
    return value_.has_value();
  }
  /// The value, or none where it has not come by then.
  std::optional<T> wait_until(Instant deadline) {
    std::unique_lock lock(mutex_);
    there_.wait_until(lock, deadline, [this] { return value_.has_value(); });
    return std::exchange(value_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable there_;
  std::optional<T> value_;
};

/// Values that come one by one, at any time. Any thread pushes, any thread takes.
template <class T>
class Inbox {
 public:
  void push(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
  }
  [[nodiscard]] std::vector<T> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(values_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<T> values_;
};

}  // namespace memcoord::libvirt
