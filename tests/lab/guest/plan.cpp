// A lab guest's workload: it holds memory by a plan from its kernel command line and reports on its
// console.
//
//   load=30:5,330:40,30:0   go to 30 MiB within 5 s, then to 330 MiB within 40 s, then back to
//                           30 MiB at once
//
// pace=work counts work instead of time: for each tenth of a second of a leg the workload touches a
// random share of its memory again. A guest that must swap it in first takes longer.
//
// begin=1700000000 starts the plan at that time of the clock, so that several guests keep step.
//
// files=0:10,200:20 is a second plan, for page cache: the workload reads that much of the guest's
// disk and drops it again.
//
// Each second it writes a line: "lab: t=12 total=481296 free=390000 available=380000 held=120"
// (KiB; held in MiB). The reporter survives the workload: if the guest's OOM killer ends the
// workload, the console says "lab: workload killed". A workload that finishes its plan writes "lab:
// plan done after 43.2 s, swapped 120 MiB" (in and out, the whole guest), and then
//
//   then=reboot   the kernel reboots at once
//   then=panic    the kernel panics (sysrq c)
//   then=die      the first process ends, on which the kernel panics as well
//   then=unload   the balloon driver is removed; all else continues

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/lab/guest/load.h"

namespace {

using memcoord::lab::Leg;
using memcoord::lab::read_plan;

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMiB = std::size_t{1} << 20U;
constexpr std::size_t kPage = 4096;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string option(const std::string& name) {
  std::ifstream file("/proc/cmdline");
  std::string word;
  while (file >> word) {
    if (word.rfind(name + "=", 0) == 0) return word.substr(name.size() + 1);
  }
  return {};
}

/// Memory in blocks of 1 MiB. Every page is touched.
class Held {
 public:
  void go_to(std::size_t mib) {
    while (blocks_.size() < mib) {
      void* block =
          ::mmap(nullptr, kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (block == MAP_FAILED) return;
      for (std::size_t at = 0; at < kMiB; at += kPage) static_cast<char*>(block)[at] = 1;
      blocks_.push_back(block);
    }
    while (blocks_.size() > mib) {
      ::munmap(blocks_.back(), kMiB);
      blocks_.pop_back();
    }
  }
  /// Touches a tenth of it, chosen at random.
  void work() {
    for (std::size_t left = blocks_.size() / 10; left > 0; --left) {
      char* block = static_cast<char*>(blocks_[random_() % blocks_.size()]);
      for (std::size_t at = 0; at < kMiB; at += kPage) ++block[at];
    }
  }
  [[nodiscard]] std::size_t mib() const { return blocks_.size(); }

 private:
  std::vector<void*> blocks_;
  std::minstd_rand random_;
};

/// Page cache: the part of the guest's disk that has been read.
class Read {
 public:
  void go_to(std::size_t mib) {
    std::vector<char> block(kMiB);
    for (; mib_ < mib; ++mib_) {
      if (::pread(disk_, block.data(), kMiB, offset(mib_)) <= 0) return;
    }
    if (mib_ == mib) return;
    (void)::posix_fadvise(disk_, offset(mib), offset(mib_ - mib), POSIX_FADV_DONTNEED);
    mib_ = mib;
  }
  [[nodiscard]] std::size_t mib() const { return mib_; }

 private:
  static off_t offset(std::size_t mib) { return static_cast<off_t>(mib * kMiB); }
  int disk_ = ::open("/dev/vda", O_RDONLY | O_CLOEXEC);
  std::size_t mib_ = 0;
};

template <class Amount>
void play(const std::vector<Leg>& legs, std::atomic<int>& held_mib) {
  Amount held;
  for (const Leg& leg : legs) {
    const double from = static_cast<double>(held.mib());
    const auto start = Clock::now();
    double part = 0;
    do {
      part = leg.seconds > 0 ? std::min(1.0, seconds_since(start) / leg.seconds) : 1.0;
      held.go_to(static_cast<std::size_t>(from + (leg.mib - from) * part));
      held_mib = static_cast<int>(held.mib());
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    } while (part < 1);
  }
}

/// Plays the legs by work: each is a number of steps, one for each tenth of a second of its time,
/// however long they take.
void work_through(const std::vector<Leg>& legs, std::atomic<int>& held_mib) {
  Held held;
  for (const Leg& leg : legs) {
    const double from = static_cast<double>(held.mib());
    const int steps = std::max(1, static_cast<int>(leg.seconds * 10));
    for (int step = 1; step <= steps; ++step) {
      const auto next = Clock::now() + std::chrono::milliseconds(100);
      held.go_to(static_cast<std::size_t>(from + (leg.mib - from) * step / steps));
      held_mib = static_cast<int>(held.mib());
      held.work();
      std::this_thread::sleep_until(next);
    }
  }
}

long figure(const std::string& memory, const char* name) {
  const std::size_t at = memory.find(name);
  return at == std::string::npos ? -1 : std::atol(memory.c_str() + at + std::strlen(name));
}

std::string contents(const char* path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void report(double seconds, int held_mib) {
  const std::string memory = contents("/proc/meminfo");
  std::printf("lab: t=%.0f total=%ld free=%ld available=%ld held=%d\n", seconds,
              figure(memory, "MemTotal:"), figure(memory, "MemFree:"),
              figure(memory, "MemAvailable:"), held_mib);
  std::fflush(stdout);
}

void report_end(double seconds) {
  const std::string events = contents("/proc/vmstat");
  const long pages = figure(events, "pswpin ") + figure(events, "pswpout ");
  std::printf("lab: plan done after %.1f s, swapped %ld MiB\n", seconds, pages / 256);
  std::fflush(stdout);
}

void wait_until(long time_of_clock) {
  while (::time(nullptr) < time_of_clock) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void protect_from_oom_killer() {
  std::ofstream("/proc/self/oom_score_adj") << "-1000";
}

void offer_to_oom_killer() {
  std::ofstream("/proc/self/oom_score_adj") << "1000";
}

void say(const char* text) {
  std::printf("lab: %s\n", text);
  std::fflush(stdout);
}

void press_sysrq(char key) {
  std::ofstream("/proc/sysrq-trigger") << key;
}

/// Performs `then`, once. True: this process, the guest's first, must end.
bool do_afterwards(const std::string& what) {
  if (what == "reboot") {
    say("rebooting");
    press_sysrq('b');
  } else if (what == "panic") {
    say("panics");
    press_sysrq('c');
  } else if (what == "die") {
    say("panics");
    return true;
  } else if (what == "unload") {
    say(::syscall(SYS_delete_module, "virtio_balloon", O_NONBLOCK) == 0 ? "driver removed"
                                                                        : "driver stays");
  }
  return false;
}

}  // namespace

int main() {
  protect_from_oom_killer();
  void* shared = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& held_mib = *new (shared) std::atomic<int>(0);
  const std::vector<Leg> legs = read_plan(option("load"));
  const bool by_work = option("pace") == "work";
  say("start");
  wait_until(std::atol(option("begin").c_str()));
  const auto start = Clock::now();
  pid_t workload = ::fork();
  if (workload == 0) {
    offer_to_oom_killer();
    if (by_work) {
      work_through(legs, held_mib);
    } else {
      play<Held>(legs, held_mib);
    }
    report_end(seconds_since(start));
    _exit(0);
  }
  const std::vector<Leg> files = read_plan(option("files"));
  if (!files.empty() && ::fork() == 0) {
    std::atomic<int> read_mib = 0;
    play<Read>(files, read_mib);
    _exit(0);
  }
  while (true) {
    report(seconds_since(start), held_mib);
    int status = 0;
    if (workload > 0 && ::waitpid(workload, &status, WNOHANG) == workload) {
      const bool done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      if (!done) say("workload killed");
      workload = -1;
      held_mib = 0;
      if (do_afterwards(option("then"))) return 0;
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}
