#include "engine/workbench/jobs.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace memcoord::workbench {

void run_jobs(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& job) {
  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) job(i);
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(work);
  work();
}

}  // namespace memcoord::workbench
