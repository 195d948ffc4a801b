#include "engine/cli/watchdog.h"

#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "bindings/sandbox.h"
#include "engine/core/time.h"

namespace memcoord::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kReportAfter = 10;  // times the limit
constexpr int kGiveUpAfter = 20;  // times the limit
constexpr std::chrono::milliseconds kCheckEvery{50};
constexpr std::chrono::milliseconds kTimeToEnd{700};

constexpr const char* kStateVariable = "MEMCOORD_STATE_FD";
constexpr const char* kRestartVariable = "MEMCOORD_STARTED_AGAIN_AT";
constexpr std::chrono::minutes kBetweenRestarts{10};

std::int64_t monotonic_seconds(std::chrono::steady_clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

std::vector<std::string> own_command_line() {
  std::ifstream stream("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(stream, word, '\0');) words.push_back(std::move(word));
  return words;
}

}  // namespace

class Watchdog::Watched final : public Policy {
 public:
  Watched(Watchdog& watchdog, std::unique_ptr<Policy> policy, bindings::LuaPolicy* saved)
      : watchdog_(watchdog), policy_(std::move(policy)), saved_(saved) {}

  [[nodiscard]] std::string name() const override { return policy_->name(); }

  Result<PolicyAnswer> decide(const Situation& situation) override {
    watchdog_.begin(policy_->name(), watchdog_.options_.limit);
    auto answer = policy_->decide(situation);
    bindings::script_alarm::rest();
    watchdog_.end();
    if (answer && saved_) watchdog_.save(*saved_);
    return answer;
  }

 private:
  Watchdog& watchdog_;
  std::unique_ptr<Policy> policy_;
  bindings::LuaPolicy* saved_;  // policy_ itself, or null
};

Watchdog::Watchdog(WatchdogOptions options)
    : options_(std::move(options)), thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
}

std::unique_ptr<Policy> Watchdog::watch(std::unique_ptr<Policy> policy) {
  return std::make_unique<Watched>(*this, std::move(policy), nullptr);
}

std::unique_ptr<Policy> Watchdog::watch(std::unique_ptr<bindings::LuaPolicy> policy) {
  bindings::LuaPolicy* saved = policy.get();
  return std::make_unique<Watched>(*this, std::move(policy), saved);
}

void Watchdog::begin(const std::string& policy, std::chrono::steady_clock::duration limit) {
  {
    const std::lock_guard lock(mutex_);
    call_ = Call{policy, ::pthread_self(), SteadyClock::now(), limit};
  }
  changed_.notify_all();
}

void Watchdog::end() {
  const std::lock_guard lock(mutex_);
  call_.reset();
}

/// Runs in the policy's thread, after a tick without an error.
void Watchdog::save(bindings::LuaPolicy& policy) {
  const auto now = SteadyClock::now();
  if (!options_.save_every || (saved_at_ && now - *saved_at_ < *options_.save_every)) return;
  saved_at_ = now;
  auto state = policy.state_text();
  const std::lock_guard lock(mutex_);
  last_state_ = state ? *std::move(state) : std::string();
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    if (!call_) {
      changed_.wait(lock, [this] { return over_ || call_; });
      continue;
    }
    check(*call_);
    changed_.wait_for(lock, kCheckEvery, [this] { return over_; });
  }
}

/// The call cannot end meanwhile, because end() takes the mutex.
void Watchdog::check(Call& call) {
  const auto now = SteadyClock::now();
  const auto runs = now - call.since;
  if (options_.stop_requested()) {
    if (!asked_to_end_) asked_to_end_ = now;
    bindings::script_alarm::interrupt(call.thread);
    if (now - *asked_to_end_ < kTimeToEnd) return;
    options_.log(fmt::format(
        "policy {} does not end its tick: the process ends without waiting for it", call.policy));
    options_.give_up(WatchdogOptions::Reason::asked, last_state_);
    return;
  }
  if (runs < kReportAfter * call.limit) return;
  bindings::script_alarm::interrupt(call.thread);
  if (!std::exchange(call.reported, true)) {
    options_.log(fmt::format(
        "policy {} has run for {:.1f} s, over {} times its limit of {:g} s: memcoord moves "
        "no balloon meanwhile",
        call.policy, seconds_of(runs), kReportAfter, seconds_of(call.limit)));
  }
  if (runs >= kGiveUpAfter * call.limit) {
    options_.give_up(WatchdogOptions::Reason::overrun, last_state_);
  }
}

bool may_start_again(std::chrono::steady_clock::time_point now) {
  const char* last = std::getenv(kRestartVariable);
  if (last == nullptr) return true;
  const std::int64_t since = monotonic_seconds(now) - std::atoll(last);  // NOLINT: 0 is long ago
  return since >= std::chrono::seconds(kBetweenRestarts).count();
}

bool hand_over(const std::string& state) {
  const int fd = ::memfd_create("memcoord-state", 0);
  if (fd < 0) return false;
  std::size_t written = 0;
  while (written < state.size()) {
    const ssize_t count = ::write(fd, state.data() + written, state.size() - written);
    if (count <= 0) {
      ::close(fd);
      return false;
    }
    written += static_cast<std::size_t>(count);
  }
  ::setenv(kStateVariable, std::to_string(fd).c_str(), 1);
  return true;
}

std::string take_handed_over() {
  const char* named = std::getenv(kStateVariable);
  if (named == nullptr) return {};
  const int fd = std::atoi(named);  // NOLINT: a wrong number reads nothing
  ::unsetenv(kStateVariable);
  if (fd <= STDERR_FILENO) return {};
  std::string state;
  char piece[4096];
  off_t at = 0;
  for (ssize_t count = 0; (count = ::pread(fd, piece, sizeof piece, at)) > 0; at += count) {
    state.append(piece, static_cast<std::size_t>(count));
  }
  ::close(fd);
  return state;
}

void start_again(const std::string& state) {
  const auto now = std::chrono::steady_clock::now();
  if (!may_start_again(now)) return;
  std::vector<std::string> words = own_command_line();
  if (words.empty()) return;
  if (!state.empty()) hand_over(state);
  ::setenv(kRestartVariable, std::to_string(monotonic_seconds(now)).c_str(), 1);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv("/proc/self/exe", arguments.data());
}

}  // namespace memcoord::cli
