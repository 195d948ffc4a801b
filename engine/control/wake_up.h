#pragma once
// Wakes a thread that waits in poll().

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "engine/files/open_file.h"

namespace memcoord::control {

/// A counter that poll() can wait for: readable after send(), until consume(). Any thread may call
/// send().
class WakeUp {
 public:
  WakeUp() : file_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  [[nodiscard]] int descriptor() const { return file_.get(); }
  void send() {
    const std::uint64_t one = 1;
    // A full counter wakes as well.
    [[maybe_unused]] const ssize_t written = ::write(file_.get(), &one, sizeof one);
  }
  void consume() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(file_.get(), &count, sizeof count);
  }

 private:
  files::OpenFile file_;
};

}  // namespace memcoord::control
