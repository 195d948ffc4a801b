#include "engine/control/run_state.h"

#include <algorithm>

#include "engine/core/printable.h"

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
  if (!before) return nullptr;
  const auto place = static_cast<std::size_t>(&domain - sampled->snapshot.domains.data());
  return before->snapshot.find_near(place, domain.uuid());
}

std::optional<WallTime> RunState::Since::of(const Domain& domain) const {
  const auto& times = domain.state == DomainState::hung ? hung : shortages;
  const auto found = times.find(domain.uuid());
  if (found == times.end()) return std::nullopt;
  return found->second;
}

void RunState::observe(const Tick& tick) {
  // Copies outside the lock, and lets the oldest tick go outside it as well.
  auto copy = tick.restoring ? nullptr : std::make_shared<const Tick>(tick);
  std::vector<std::shared_ptr<const observers::Event>> found;
  for (observers::Event& event : finder_.events_of(tick)) {
    event.text = excerpt(event.text, kMaxEventText);
    found.push_back(std::make_shared<const observers::Event>(std::move(event)));
  }
  auto since = tick.restoring ? nullptr : since_of(tick);
  std::shared_ptr<const Tick> oldest;
  const std::lock_guard lock(mutex_);
  if (since) view_.since = std::move(since);
  if (copy && !tick.sample_error) {
    oldest = std::exchange(view_.before, std::exchange(view_.sampled, copy));
  }
  if (copy) view_.newest = std::move(copy);
  for (auto& event : found) {
    if (events_.size() == kMaxEvents) {
      forgotten_until_ = events_.front()->time;
      events_.pop_front();
    }
    events_.push_back(std::move(event));
  }
}

void RunState::set_paused(std::vector<Paused> paused) {
  const std::lock_guard lock(mutex_);
  view_.paused = std::move(paused);
}

void RunState::set_fallback(std::string name) {
  const std::lock_guard lock(mutex_);
  view_.fallback = std::move(name);
}

void RunState::set_journal_loss(std::optional<observers::JournalLoss> loss) {
  const std::lock_guard lock(mutex_);
  view_.journal_loss = std::move(loss);
}

std::shared_ptr<const RunState::Since> RunState::since_of(const Tick& tick) const {
  // Only this thread writes view_.
  auto since = std::make_shared<Since>(view_.since ? *view_.since : Since());
  const WallTime now = tick.snapshot.wall_time;
  const auto update = [&](std::optional<WallTime>& begin, bool lasts) {
    if (!lasts) begin.reset();
    if (lasts && !begin) begin = now;
  };
  update(since->sample_error, tick.sample_error.has_value());
  if (tick.sample_error) return since;
  update(since->policy_error, tick.policy_error.has_value());
  update(since->fallback, !tick.fallback.empty());
  const auto before = std::exchange(since->hung, {});
  since->shortages.clear();
  for (const Domain& domain : tick.snapshot.domains) {
    if (domain.state == DomainState::hung) {
      const auto found = before.find(domain.uuid());
      since->hung.emplace(domain.uuid(), found == before.end() ? now : found->second);
    } else if (const auto begin = finder_.short_since(domain.uuid())) {
      since->shortages.emplace(domain.uuid(), tick.snapshot.wall_time_at(*begin));
    }
  }
  return since;
}

RunState::View RunState::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

std::vector<observers::Event> RunState::events(WallTime since, const std::string& domain) const {
  std::unique_lock lock(mutex_);
  const auto events = events_;
  lock.unlock();
  std::vector<observers::Event> chosen;
  for (const auto& event : events) {
    if (event->time < since || (!domain.empty() && event->domain != domain)) continue;
    chosen.push_back(*event);
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

std::optional<WallTime> RunState::forgotten_until() const {
  const std::lock_guard lock(mutex_);
  return forgotten_until_;
}

bool ChangeQueue::wait_for_room(Duration most) {
  const auto has_room = [this] {
    const auto policies = std::count_if(waiting_.begin(), waiting_.end(),
                                        [](const Change& change) { return !!change.policy; });
    return waiting_.size() < kMaxWaiting && static_cast<std::size_t>(policies) < kMaxPolicies;
  };
  std::unique_lock lock(mutex_);
  return drained_.wait_for(lock, most, has_room);
}

std::optional<bool> ChangeQueue::pauses(const Uuid& domain) const {
  const std::lock_guard lock(mutex_);
  std::optional<bool> pauses;
  for (const Change& change : waiting_) {
    if (change.domain && *change.domain != domain) continue;
    if (change.kind == Change::Kind::pause) pauses = true;
    if (change.kind == Change::Kind::resume) pauses = false;
  }
  return pauses;
}

std::vector<Change> ChangeQueue::drain() {
  const std::lock_guard lock(mutex_);
  drained_.notify_all();
  return std::exchange(waiting_, {});
}

}  // namespace memcoord::control
