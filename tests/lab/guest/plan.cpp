// A lab guest's workload: it holds memory by a plan from its kernel command line and reports on its
// console.
//
//   load=30:5,330:40,30:0   go to 30 MiB within 5 s, then to 330 MiB within 40 s, then back to
//                           30 MiB at once
//
// pace=work counts work instead of time: for each tenth of a second of a leg the workload touches a
// random share of its memory again. A guest that must swap it in first takes longer.
//
// touch=yes lets time count, and the workload touches as much of its memory besides as it can.
//
// begin=1700000000 starts the plan at that time of the clock, so that several guests keep step.
//
// files=0:10,200:20 is a second plan, for page cache: the workload reads that much of the guest's
// disk and drops it again.
//
// watch=100 measures each jump (a leg of no duration that adds memory): from the moment the free
// memory falls under so many MiB until the guest has 16 MiB more, and until the free memory is over
// the limit again. It writes "lab: jump grown=0.412 served=0.953", in seconds, or -1 for what has
// not come by the end of the next leg; "lab: jump had enough" if the free memory did not fall.
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

/// What the guest's processes share.
struct Shared {
  std::atomic<int> held_mib = 0;
  std::atomic<std::size_t> leg = 0;  ///< of the workload's plan
};

/// `step(amount)` comes after each step.
template <class Amount, class Step>
void play(const std::vector<Leg>& legs, Shared& shared, Step step) {
  Amount held;
  for (const Leg& leg : legs) {
    shared.leg = static_cast<std::size_t>(&leg - legs.data());
    const double from = static_cast<double>(held.mib());
    const auto start = Clock::now();
    double part = 0;
    do {
      part = leg.seconds > 0 ? std::min(1.0, seconds_since(start) / leg.seconds) : 1.0;
      held.go_to(static_cast<std::size_t>(from + (leg.mib - from) * part));
      shared.held_mib = static_cast<int>(held.mib());
      step(held);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    } while (part < 1);
  }
  shared.leg = legs.size();
}

/// Plays the legs by work: each is a number of steps, one for each tenth of a second of its time,
/// however long they take.
void work_through(const std::vector<Leg>& legs, Shared& shared) {
  Held held;
  for (const Leg& leg : legs) {
    shared.leg = static_cast<std::size_t>(&leg - legs.data());
    const double from = static_cast<double>(held.mib());
    const int steps = std::max(1, static_cast<int>(leg.seconds * 10));
    for (int step = 1; step <= steps; ++step) {
      const auto next = Clock::now() + std::chrono::milliseconds(100);
      held.go_to(static_cast<std::size_t>(from + (leg.mib - from) * step / steps));
      shared.held_mib = static_cast<int>(held.mib());
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

/// The guest's size and its free memory.
struct Memory {
  long total_kib = 0;
  long free_kib = 0;
};

Memory memory_now() {
  const std::string text = contents("/proc/meminfo");
  return {figure(text, "MemTotal:"), figure(text, "MemFree:")};
}

/// Looks every few milliseconds until `done`. Seconds since `start`; -1: the plan went on to leg
/// `end` first.
template <class Done>
double seconds_until(Clock::time_point start, Done done, const Shared& shared, std::size_t end) {
  while (shared.leg < end) {
    if (done(memory_now())) return seconds_since(start);
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
  }
  return -1;
}

/// Measures the jump of leg `jump`, which has just begun.
void measure_jump(std::size_t jump, long limit_kib, const Shared& shared) {
  constexpr long kGrown = 16 << 10;  // KiB
  const auto is_short = [&](const Memory& memory) { return memory.free_kib < limit_kib; };
  const std::size_t end = jump + 2;
  if (seconds_until(Clock::now(), is_short, shared, end) < 0) {
    std::printf("lab: jump had enough\n");
    std::fflush(stdout);
    return;
  }
  const auto fell = Clock::now();
  const long had = memory_now().total_kib;
  const auto grown = [&](const Memory& memory) { return memory.total_kib >= had + kGrown; };
  const double first = seconds_until(fell, grown, shared, end);
  const auto is_served = [&](const Memory& memory) { return !is_short(memory); };
  const double served = first < 0 ? -1 : seconds_until(fell, is_served, shared, end);
  std::printf("lab: jump grown=%.3f served=%.3f\n", first, served);
  std::fflush(stdout);
}

void measure_jumps(const std::vector<Leg>& legs, long limit_mib, const Shared& shared) {
  (void)::mlockall(MCL_CURRENT | MCL_FUTURE);
  for (std::size_t jump = 1; jump + 1 < legs.size(); ++jump) {
    if (legs[jump].seconds > 0 || legs[jump].mib <= legs[jump - 1].mib) continue;
    while (shared.leg < jump) std::this_thread::sleep_for(std::chrono::milliseconds(3));
    measure_jump(jump, limit_mib << 10, shared);
  }
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
  void* page = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& shared = *new (page) Shared();
  const std::vector<Leg> legs = read_plan(option("load"));
  const bool by_work = option("pace") == "work";
  say("start");
  wait_until(std::atol(option("begin").c_str()));
  const auto start = Clock::now();
  pid_t workload = ::fork();
  if (workload == 0) {
    offer_to_oom_killer();
    if (by_work) {
      work_through(legs, shared);
    } else {
      const bool touches = option("touch") == "yes";
      play<Held>(legs, shared, [&](Held& held) {
        if (touches) held.work();
      });
    }
    report_end(seconds_since(start));
    _exit(0);
  }
  const std::vector<Leg> files = read_plan(option("files"));
  if (!files.empty() && ::fork() == 0) {
    Shared own;
    play<Read>(files, own, [](const Read&) {});
    _exit(0);
  }
  const long limit_mib = std::atol(option("watch").c_str());
  if (limit_mib > 0 && ::fork() == 0) {
    measure_jumps(legs, limit_mib, shared);
    _exit(0);
  }
  while (true) {
    report(seconds_since(start), shared.held_mib);
    int status = 0;
    if (workload > 0 && ::waitpid(workload, &status, WNOHANG) == workload) {
      const bool done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      if (!done) say("workload killed");
      workload = -1;
      shared.held_mib = 0;
      if (do_afterwards(option("then"))) return 0;
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}
