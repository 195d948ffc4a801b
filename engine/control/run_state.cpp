#include "engine/control/run_state.h"

#include <algorithm>

namespace memcoord::control {

const Domain* RunState::View::find(const std::string& name_or_uuid) const {
  if (!sampled) return nullptr;
  const auto& domains = sampled->snapshot.domains;
  const auto found = std::find_if(domains.begin(), domains.end(), [&](const Domain& domain) {
    return domain.name() == name_or_uuid || domain.uuid().text() == name_or_uuid;
  });
  return found == domains.end() ? nullptr : &*found;
}

const Domain* RunState::View::earlier(const Domain& domain) const {
  return before ? before->snapshot.find(domain.uuid()) : nullptr;
}

void RunState::observe(const Tick& tick) {
  // Copies outside the lock, and lets the oldest tick go outside it as well.
  auto copy = tick.restoring ? nullptr : std::make_shared<const Tick>(tick);
  auto found = finder_.events_of(tick);
  std::shared_ptr<const Tick> oldest;
  const std::lock_guard lock(mutex_);
  if (copy && !tick.sample_error) {
    oldest = std::exchange(view_.before, std::exchange(view_.sampled, copy));
  }
  if (copy) view_.newest = std::move(copy);
  for (observers::Event& event : found) {
    if (events_.size() == kMaxEvents) events_.pop_front();
    events_.push_back(std::move(event));
  }
}

void RunState::set_paused(std::vector<Paused> paused) {
  const std::lock_guard lock(mutex_);
  view_.paused = std::move(paused);
}

RunState::View RunState::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

std::vector<observers::Event> RunState::events(WallTime since, const std::string& domain) const {
  std::vector<observers::Event> chosen;
  const std::lock_guard lock(mutex_);
  for (const observers::Event& event : events_) {
    if (event.time < since || (!domain.empty() && event.domain != domain)) continue;
    chosen.push_back(event);
  }
  return chosen;
}

void ChangeQueue::push(Change change) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(change));
  }
  wake_();
}

std::vector<Change> ChangeQueue::drain() {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

}  // namespace memcoord::control
