#include "bindings/script_alarm.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

namespace memcoord::bindings::script_alarm {
namespace {

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

/// One thread's timer. Where the system has none to give, the hook alone looks at the clock.
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

  /// Makes the signal come at a time or before. A timer that is set for an earlier one stays: its
  /// signal sets it again (rang()), which costs less than two system calls in each tick.
  void ring_by(Meter::Time at) {
    if (works_ && at < rings_at_.load()) set(at);
  }
  /// The signal has come. Called in the handler.
  void rang(const Meter* meter) {
    rings_at_ = Meter::Time::max();
    if (meter) set(meter->deadline());
  }

 private:
  /// steady_clock is CLOCK_MONOTONIC.
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
    // Made by the thread that it is of, before it was ever set.
    timer().rang(over ? nullptr : meter);
  } else if (meter) {
    meter->cut_short(Meter::Trip::interrupted);
  }
  errno = kept;
}

}  // namespace

Meter* begin(Meter& meter) {
  Meter* outer = running_meter.exchange(&meter);
  timer().ring_by(meter.deadline());
  return outer;
}

void end(Meter* outer) {
  running_meter = outer;
  if (outer) timer().ring_by(outer->deadline());
}

Meter* running() {
  return running_meter;
}

void interrupt(pthread_t thread) {
  if (has_handler()) ::pthread_kill(thread, alarm_signal());
}

}  // namespace memcoord::bindings::script_alarm
