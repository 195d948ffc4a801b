#pragma once
// How far long work has come: one line on standard error that rewrites itself, where that is a
// terminal; nothing elsewhere.

#include <chrono>
#include <mutex>
#include <string>

namespace memcoord::cli {

class Progress {
 public:
  /// `what` precedes the bar: "simulating case1".
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows a share from 0 to 1, with a word on what is being done. Any thread; drawn at most ten
  /// times a second.
  void show(double share, const std::string& detail = {});

 private:
  std::mutex mutex_;
  std::string what_;
  bool active_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace memcoord::cli
