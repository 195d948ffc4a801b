#include "engine/cli/watchdog.h"

#include <fmt/core.h>

#include <utility>

#include "bindings/sandbox.h"

namespace memcoord::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kOverrun = 10;   // times the limit: said
constexpr int kHopeless = 20;  // times the limit: given up
constexpr std::chrono::milliseconds kLookEvery{50};
constexpr std::chrono::milliseconds kPatience{700};

double watched_seconds(SteadyClock::duration duration) {
  return std::chrono::duration<double>(duration).count();
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

/// The last good state is of a tick that ended well, so it is read in the policy's own thread.
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
    look(*call_);
    changed_.wait_for(lock, kLookEvery, [this] { return over_; });
  }
}

/// The call cannot end meanwhile: end() takes the mutex.
void Watchdog::look(Call& call) {
  const auto now = SteadyClock::now();
  const auto runs = now - call.since;
  if (options_.stop_requested()) {
    if (!asked_to_end_) asked_to_end_ = now;
    bindings::script_alarm::interrupt(call.thread);
    if (now - *asked_to_end_ < kPatience) return;
    options_.say(
        fmt::format("policy {} does not end its tick: the process ends without it", call.policy));
    options_.give_up(WatchdogOptions::Reason::asked, last_state_);
    return;
  }
  if (runs < kOverrun * call.limit) return;
  bindings::script_alarm::interrupt(call.thread);
  if (!std::exchange(call.told, true)) {
    options_.say(
        fmt::format("policy {} has been at work for {:.1f} s, over {} times its limit "
                    "of {:g} s: no domain is served meanwhile",
                    call.policy, watched_seconds(runs), kOverrun, watched_seconds(call.limit)));
  }
  if (runs >= kHopeless * call.limit) {
    options_.give_up(WatchdogOptions::Reason::overrun, last_state_);
  }
}

}  // namespace memcoord::cli
