// The meter of a Lua state, and the signal that ends a script: from a timer of the script's thread
// when its time is over, from another thread when the program is to end. Lua lets a signal handler
// set the hook that ends the script at its next instruction.

#include <lauxlib.h>
#include <lua.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <new>

#include "bindings/sandbox.h"

namespace memcoord::bindings {
namespace {

constexpr int kHookEvery = 200;
// A block from this size on also reads the clock: one instruction can ask for megabytes.
constexpr std::size_t kLargeBlock = std::size_t{16} * 1024;
// The minimum that a block counts as. With this minimum, the memory limit bounds the number of
// blocks and so the time of a garbage collection.
constexpr std::size_t kMinimumCounted = 128;
// A step of the garbage collector, about half a millisecond, in instructions.
constexpr std::uint64_t kCollectorStep = 5'000;

std::size_t counted(std::size_t size) {
  return size == 0 ? 0 : std::max(size, kMinimumCounted);
}

void count_hook(lua_State* lua, lua_Debug*) {
  Meter& meter = Sandbox::meter_of(lua);
  meter.charge(kHookEvery);
  if (meter.wants_room()) meter.make_room();
  if (meter.tripped() != Meter::Trip::none) raise(lua, meter.message());
}

// --- the alarm of the script that runs in a thread ---

thread_local constinit std::atomic<Meter*> running_meter = nullptr;

int alarm_signal() {
  return SIGRTMIN + 4;
}

void on_alarm(int signal, siginfo_t* info, void* context);

bool install_handler() {
  struct sigaction action {};
  action.sa_sigaction = on_alarm;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  return ::sigaction(alarm_signal(), &action, nullptr) == 0;
}

bool has_handler() {
  static const bool installed = install_handler();
  return installed;
}

/// One thread's timer. If the system grants no timer, only the hook reads the clock.
class ThreadTimer {
 public:
  ThreadTimer() {
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = alarm_signal();
    event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));
    works_ = has_handler() && ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
  }
  ~ThreadTimer() {
    if (works_) ::timer_delete(timer_);
  }
  ThreadTimer(const ThreadTimer&) = delete;
  ThreadTimer& operator=(const ThreadTimer&) = delete;

  /// Makes the signal come at this time or earlier. A timer that is set for an earlier time stays;
  /// its signal sets the timer again (rang()). That costs less than two system calls in each tick.
  void ring_by(Meter::Time at) {
    if (works_ && at < rings_at_.load()) set(at);
  }
  /// Makes no signal come until ring_by() is called.
  void rest() {
    if (works_ && rings_at_.load() != Meter::Time::max()) set(Meter::Time::max());
  }
  /// Called by the handler when the signal has come.
  void rang(const Meter* meter) {
    rings_at_ = Meter::Time::max();
    if (meter) set(meter->deadline());
  }

 private:
  /// steady_clock is CLOCK_MONOTONIC. The latest time, which is centuries away, never comes.
  void set(Meter::Time at) {
    using std::chrono::nanoseconds;
    constexpr std::int64_t kSecond = 1'000'000'000;
    const std::int64_t since = nanoseconds(at.time_since_epoch()).count();
    itimerspec spec{};
    spec.it_value.tv_sec = static_cast<std::time_t>(since / kSecond);
    spec.it_value.tv_nsec = static_cast<long>(since % kSecond);
    rings_at_ = at;
    ::timer_settime(timer_, TIMER_ABSTIME, &spec, nullptr);
  }

  timer_t timer_{};
  bool works_ = false;
  std::atomic<Meter::Time> rings_at_ = Meter::Time::max();
};

ThreadTimer& timer() {
  thread_local ThreadTimer one;
  return one;
}

void on_alarm(int, siginfo_t* info, void*) {
  const int kept = errno;
  Meter* meter = running_meter;
  if (info->si_code == SI_TIMER) {
    const bool over = meter && std::chrono::steady_clock::now() >= meter->deadline();
    if (over) meter->cut_short(Meter::Trip::time);
    // This thread has made its timer before it first set it.
    timer().rang(over ? nullptr : meter);
  } else if (meter) {
    meter->cut_short(Meter::Trip::interrupted);
  }
  errno = kept;
}

/// Registers that the script of `meter` runs in this thread, until its deadline. Returns the meter
/// whose script ran before, if any.
Meter* begin_alarm(Meter& meter) {
  Meter* outer = running_meter.exchange(&meter);
  timer().ring_by(meter.deadline());
  return outer;
}

/// Registers that the outer meter's script goes on.
void end_alarm(Meter* outer) {
  running_meter = outer;
  if (outer) timer().ring_by(outer->deadline());
}

}  // namespace

void Meter::start(std::optional<Time> no_later_than) {
  instructions_ = 0;
  next_clock_read_ = 0;
  wants_room_ = false;
  tripped_ = Trip::none;
  deadline_ = std::chrono::steady_clock::now() + limits_.time;
  if (no_later_than) deadline_ = std::min(deadline_, *no_later_than);
  if (const Meter* outer = running_meter) {
    deadline_ = std::min(deadline_, outer->deadline_);
  }
  lua_sethook(lua_, count_hook, LUA_MASKCOUNT, kHookEvery);
  running_ = true;
  outer_ = begin_alarm(*this);
}

void Meter::stop() {
  read_clock();
  end_alarm(outer_);
  running_ = false;
  lua_sethook(lua_, nullptr, 0, 0);
}

bool Meter::read_clock() {
  if (std::chrono::steady_clock::now() >= deadline_) trip(Trip::time);
  return tripped_ == Trip::none;
}

bool Meter::charge(std::uint64_t instructions) {
  instructions_ += std::min(instructions, limits_.instructions + 1);
  if (instructions_ > limits_.instructions) trip(Trip::instructions);
  if (instructions_ >= next_clock_read_) {
    next_clock_read_ = instructions_ + kHookEvery;
    read_clock();
  }
  return tripped_ == Trip::none;
}

void Meter::trip(Trip limit) {
  Trip none = Trip::none;
  if (!running_ || !tripped_.compare_exchange_strong(none, limit)) return;
  lua_sethook(lua_, count_hook, LUA_MASKCOUNT, 1);
}

void Meter::cut_short(Trip limit) {
  // The signal can belong to a call that has ended.
  if (limit == Trip::time && std::chrono::steady_clock::now() < deadline_) return;
  trip(limit);
}

std::string Meter::message() const {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto mib = [](std::size_t bytes) { return std::to_string(bytes >> 20U) + " MiB"; };
  switch (tripped_) {
    case Trip::time:
      return "exceeded its time limit of " +
             std::to_string(duration_cast<milliseconds>(limits_.time).count()) + " ms";
    case Trip::instructions:
      return "exceeded its limit of " + std::to_string(limits_.instructions) + " instructions";
    case Trip::memory:
      return "exceeded its memory limit of " + mib(limits_.memory_bytes);
    case Trip::text:
      return "exceeded the limit of " + mib(kLongestText) + " for one string";
    case Trip::block:
      return "exceeded the limit of " + mib(kLargestBlock) + " for one table or the stack";
    case Trip::interrupted:
      return "was interrupted, because the program ends";
    case Trip::none:
      break;
  }
  return {};
}

void Meter::make_room() {
  wants_room_ = false;
  // The first cycle that ends may have begun before the objects became garbage.
  for (int cycles = 0; cycles < 2 && charge(kCollectorStep);) {
    if (lua_gc(lua_, LUA_GCSTEP, 0) != 0) ++cycles;
  }
  // With less room than this the script would spend its time collecting garbage.
  if (used_bytes_ > limits_.memory_bytes - limits_.memory_bytes / 16) trip(Trip::memory);
  if (tripped_ == Trip::none) lua_sethook(lua_, count_hook, LUA_MASKCOUNT, kHookEvery);
}

bool Meter::may_grow(std::size_t had, std::size_t wanted, bool is_text) {
  // A block that is too large is granted all the same, for one instruction.
  const std::size_t largest = is_text ? kLongestText + 64 : kLargestBlock;
  if (wanted > had && wanted > largest) trip(is_text ? Trip::text : Trip::block);
  if (std::max(had, wanted) >= kLargeBlock) read_clock();
  const std::size_t after = used_bytes_ - counted(had) + counted(wanted);
  if (wanted <= had || after <= limits_.memory_bytes) return true;
  if (tripped_ == Trip::none && !wants_room_) {
    wants_room_ = true;
    lua_sethook(lua_, count_hook, LUA_MASKCOUNT, 1);
  }
  return after <= limits_.memory_bytes + limits_.memory_bytes / 2;
}

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): lua_Alloc asks for it
void* Meter::allocate(void* meter, void* block, std::size_t old_size, std::size_t new_size) {
  auto& self = *static_cast<Meter*>(meter);
  const std::size_t had = block ? old_size : 0;  // for new objects old_size is their type
  if (new_size == 0) {
    std::free(block);
    self.used_bytes_ -= counted(had);
    return nullptr;
  }
  const bool is_text = !block && old_size == LUA_TSTRING;
  if (self.running_ && !self.may_grow(had, new_size, is_text)) {
    self.trip(Trip::memory);
    // Lua is built as C++ and unwinds from a new object's allocation as after an error of its own.
    // Null would make it collect all garbage first; parts of tables need that answer all the same.
    if (!block && old_size != 0) throw std::bad_alloc();
    return nullptr;
  }
  void* moved = std::realloc(block, new_size);
  if (!moved) return nullptr;
  self.used_bytes_ += counted(new_size) - counted(had);
  return moved;
}
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

void script_alarm::interrupt(pthread_t thread) {
  if (has_handler()) ::pthread_kill(thread, alarm_signal());
}

void script_alarm::rest() {
  if (running_meter == nullptr) timer().rest();
}

}  // namespace memcoord::bindings
