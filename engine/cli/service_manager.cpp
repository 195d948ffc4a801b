#include "engine/cli/service_manager.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "engine/core/printable.h"

namespace memcoord::cli {
namespace {

constexpr std::size_t kLongestStatus = 300;  // bytes

std::string status_line(const std::string& text) {
  return "STATUS=" + printable(text, kLongestStatus);
}

std::string error_of(const Tick& tick) {
  if (tick.sample_error) return tick.sample_error->text() + "; ";
  return tick.policy_error ? tick.policy_error->text() + "; " : std::string();
}

}  // namespace

std::string service_status(const Tick& tick) {
  const Host& host = tick.snapshot.host;
  const Units units = tick.limits.units;
  const std::size_t domains = tick.snapshot.domains.size();
  std::string text = error_of(tick);
  if (!tick.sample_error) {
    text += fmt::format("{} {}, {} skipped; host {}, {} grantable; ", domains,
                        domains == 1 ? "domain" : "domains", tick.skipped.size(),
                        host.total.text(units), tick.grantable.text(units));
  }
  text += "policy " + (tick.fallback.empty() ? tick.policy : tick.fallback + " (fallback)");
  return text + (tick.dry_run ? ", dry run" : "");
}

void ServiceManager::connecting(const std::string& uri) {
  send(status_line("connects to " + uri));
}

void ServiceManager::ready() {
  send("READY=1\n" + status_line("the first tick runs"));
}

void ServiceManager::show(const Tick& tick, MonotonicTime now) {
  if (!options_.send || stopping_) return;
  if (status_at_ && now - *status_at_ < kStatusEvery) return;
  std::string status = service_status(tick);
  if (status == status_) return;
  send(status_line(status));
  status_ = std::move(status);
  status_at_ = now;
}

void ServiceManager::alive(MonotonicTime now) {
  const auto every = longest_wait();
  if (!every || (alive_at_ && now - *alive_at_ < *every)) return;
  std::string state = "WATCHDOG=1";
  // A restoration may outlast the time that the manager gives a service to end.
  if (stopping_) state += fmt::format("\nEXTEND_TIMEOUT_USEC={}", options_.watchdog->count());
  send(state);
  alive_at_ = now;
}

std::optional<Duration> ServiceManager::longest_wait() const {
  if (!options_.send || !options_.watchdog) return std::nullopt;
  return std::max(*options_.watchdog / 4, kAliveEvery);
}

void ServiceManager::restarting(const std::string& why) const {
  // Not send(): this thread must not touch the loop's members.
  if (options_.send) (void)options_.send("WATCHDOG=1\n" + status_line("restarts: " + why));
}

void ServiceManager::stopping() {
  stopping_ = true;
  send("STOPPING=1\n" + status_line("ends"));
}

ServiceManager::Reload::Reload(ServiceManager& manager, MonotonicTime now) : manager_(manager) {
  manager_.send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.time_since_epoch().count()));
}

ServiceManager::Reload::~Reload() {
  manager_.send("READY=1");
}

void ServiceManager::send(const std::string& state) {
  if (!options_.send) return;
  const Status sent = options_.send(state);
  if (sent || std::exchange(warned_, true) || !options_.warn) return;
  options_.warn("the service manager does not get the run's state: " + sent.error().text());
}

bool SupervisedClock::sleep_for(Duration duration) {
  return sleep_in_parts(duration, [this](Duration part) { return clock_.sleep_for(part); });
}

void SupervisedClock::sleep_through(Duration duration) {
  sleep_in_parts(duration, [this](Duration part) {
    clock_.sleep_through(part);
    return true;
  });
}

template <class Sleep>
bool SupervisedClock::sleep_in_parts(Duration duration, Sleep sleep) {
  const MonotonicTime end = now() + duration;
  for (;;) {
    manager_.alive(now());
    const Duration left = end - now();
    if (left <= Duration::zero()) return true;
    if (!sleep(std::min(left, manager_.longest_wait().value_or(left)))) return false;
  }
}

}  // namespace memcoord::cli
