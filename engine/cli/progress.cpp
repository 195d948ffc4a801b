#include "engine/cli/progress.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "engine/cli/terminal.h"

namespace memcoord::cli {
namespace {

constexpr auto kBetweenLines = std::chrono::milliseconds(100);
constexpr std::size_t kBarWidth = 24;
constexpr const char* kEraseLine = "\r\033[K";

}  // namespace

Progress::Progress(std::string what)
    : what_(std::move(what)), active_(is_terminal(Stream::error)) {}

Progress::~Progress() {
  if (drawn_) standard_error().control(kEraseLine).flush();
}

void Progress::show(double share, const std::string& detail) {
  if (!active_) return;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < kBetweenLines) return;
  last_ = now;
  const double done = std::clamp(share, 0.0, 1.0);
  const auto filled = static_cast<std::size_t>(done * static_cast<double>(kBarWidth));
  const std::string bar = std::string(filled, '#') + std::string(kBarWidth - filled, '.');
  TextOut out = standard_error();
  out.control(kEraseLine) << fmt::format("{} [{}] {:3.0f} %  {}", what_, bar, done * 100.0, detail);
  out.flush();
  drawn_ = true;
}

}  // namespace memcoord::cli
