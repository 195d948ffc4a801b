#include "engine/core/reserve_book.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/core/printable.h"

namespace memcoord {
namespace {

bool concern_one_domain(const Reserve& a, const Reserve& b) {
  return a.uuid && b.uuid ? *a.uuid == *b.uuid : a.name == b.name;
}

const Domain* started(const Reserve& reserve, const Snapshot& snapshot) {
  const auto found = std::find_if(snapshot.domains.begin(), snapshot.domains.end(),
                                  [&](const Domain& domain) { return is_for(reserve, domain); });
  return found == snapshot.domains.end() ? nullptr : &*found;
}

/// Why the reserve ends at a snapshot; none: it does not.
std::optional<std::string> why_it_ends(const Reserve& reserve, const Snapshot& snapshot) {
  const Domain* domain = started(reserve, snapshot);
  const bool runs = domain != nullptr && domain->state == DomainState::running;
  // A report from before the reserve is of an earlier start.
  if (runs && domain->guest.last_update > reserve.since) return "its balloon driver answers";
  if (snapshot.taken_at < reserve.until) return std::nullopt;
  if (domain == nullptr) return "its time is over, and the domain has not started";
  return "its time is over; the domain counts with its maximum until its balloon driver answers";
}

}  // namespace

bool ReserveBook::add(Reserve reserve) {
  const auto same = std::find_if(reserves_.begin(), reserves_.end(), [&](const Reserve& known) {
    return concern_one_domain(known, reserve);
  });
  if (same != reserves_.end()) {
    *same = std::move(reserve);
    return true;
  }
  if (reserves_.size() >= kMost) return false;
  reserves_.push_back(std::move(reserve));
  return true;
}

bool ReserveBook::release(const std::string& name_or_uuid) {
  return std::erase_if(reserves_, [&](const Reserve& reserve) {
           return reserve.name == name_or_uuid ||
                  (reserve.uuid && reserve.uuid->text() == name_or_uuid);
         }) > 0;
}

std::vector<Note> ReserveBook::apply(Snapshot& snapshot) {
  std::vector<Note> notes;
  std::erase_if(reserves_, [&](const Reserve& reserve) {
    const auto why = why_it_ends(reserve, snapshot);
    if (!why) return false;
    notes.push_back({Note::Severity::info, printable(reserve.name, 200) + ": the reserve of " +
                                               reserve.size.text() + " ends: " + *why});
    return true;
  });
  snapshot.reserves = reserves_;
  return notes;
}

MemorySize reserved_in(const Snapshot& snapshot) {
  MemorySize sum;
  for (const Reserve& reserve : snapshot.reserves) {
    if (started(reserve, snapshot) == nullptr) sum += reserve.size;
  }
  return sum;
}

std::vector<bool> ready_reserves(const Tick& tick) {
  const auto& reserves = tick.snapshot.reserves;
  std::vector<bool> ready(reserves.size(), true);
  MemorySize later;
  for (std::size_t i = reserves.size(); i-- > 0;) {
    if (started(reserves[i], tick.snapshot) != nullptr) continue;
    ready[i] = tick.account.shortfall <= later;
    later += reserves[i].size;
  }
  return ready;
}

}  // namespace memcoord
