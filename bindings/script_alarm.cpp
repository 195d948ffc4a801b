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

void on_alarm(int, siginfo_t* info, void*) {
  const int kept = errno;
  if (Meter* meter = running_meter.load()) {
    meter->cut_short(info->si_code == SI_TIMER ? Meter::Trip::time : Meter::Trip::interrupted);
  }
  errno = kept;
}

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

  /// steady_clock is CLOCK_MONOTONIC; a time of 0 turns the timer off.
  void set(Meter::Time at) {
    using std::chrono::nanoseconds;
    constexpr std::int64_t kSecond = 1'000'000'000;
    if (!works_) return;
    const std::int64_t since = nanoseconds(at.time_since_epoch()).count();
    itimerspec spec{};
    spec.it_value.tv_sec = static_cast<std::time_t>(since / kSecond);
    spec.it_value.tv_nsec = static_cast<long>(since % kSecond);
    ::timer_settime(timer_, TIMER_ABSTIME, &spec, nullptr);
  }

 private:
  timer_t timer_{};
  bool works_ = false;
};

ThreadTimer& timer() {
  thread_local ThreadTimer one;
  return one;
}

}  // namespace

Meter* begin(Meter& meter) {
  Meter* outer = running_meter.exchange(&meter);
  timer().set(meter.deadline());
  return outer;
}

void end(Meter* outer) {
  running_meter = outer;
  timer().set(outer ? outer->deadline() : Meter::Time());
}

Meter* running() {
  return running_meter;
}

void interrupt(pthread_t thread) {
  if (has_handler()) ::pthread_kill(thread, alarm_signal());
}

}  // namespace memcoord::bindings::script_alarm
