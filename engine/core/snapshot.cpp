#include "engine/core/snapshot.h"

#include <algorithm>

namespace memcoord {

bool is_for(const Reserve& reserve, const Domain& domain) {
  return reserve.uuid ? *reserve.uuid == domain.uuid() : reserve.name == domain.name();
}

const Domain* Snapshot::find(const Uuid& uuid) const {
  const auto found = std::find_if(domains.begin(), domains.end(),
                                  [&](const Domain& domain) { return domain.uuid() == uuid; });
  return found == domains.end() ? nullptr : &*found;
}

const Domain* Snapshot::find_near(std::size_t place, const Uuid& uuid) const {
  std::size_t above = std::min(place, domains.size());
  std::size_t below = above;
  while (above < domains.size() || below > 0) {
    if (above < domains.size()) {
      if (domains[above].uuid() == uuid) return &domains[above];
      ++above;
    }
    if (below > 0 && domains[--below].uuid() == uuid) return &domains[below];
  }
  return nullptr;
}

WallTime Snapshot::wall_time_at(MonotonicTime moment) const {
  return wall_time + std::chrono::duration_cast<std::chrono::milliseconds>(moment - taken_at);
}

Headroom counted(const Host& host, Headroom kind) {
  const bool counts = kind == Headroom::usable || host.available > host.free;
  return kind != Headroom::unused && host.available && counts ? Headroom::usable : Headroom::unused;
}

MemorySize host_headroom(const Host& host, Headroom kind) {
  return counted(host, kind) == Headroom::usable ? *host.available : host.free;
}

MemorySize cell_headroom(const NumaCell& cell, Headroom kind) {
  const MemorySize available = cell.available.value_or(cell.free);
  switch (kind) {
    case Headroom::unused:
      return cell.free;
    case Headroom::usable:
      return available;
    case Headroom::larger:
      break;
  }
  return std::max(cell.free, available);
}

std::string to_text(const NodeSet& nodes) {
  std::string text;
  for (std::size_t i = 0; i < nodes.size();) {
    std::size_t last = i;
    while (last + 1 < nodes.size() && nodes[last + 1] == nodes[last] + 1) ++last;
    if (i > 0) text += ',';
    text += std::to_string(nodes[i]);
    if (last > i) text += '-' + std::to_string(nodes[last]);
    i = last + 1;
  }
  return text;
}

bool includes(const NodeSet& whole, const NodeSet& part) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

MemorySize obtainable(const Host& host) {
  return std::max(host.free, host.available.value_or(MemorySize()));
}

std::string_view to_text(DomainState state) {
  switch (state) {
    case DomainState::running:
      return "running";
    case DomainState::paused:
      return "paused";
    case DomainState::shutting_down:
      return "shutting down";
    case DomainState::shut_off:
      return "shut off";
    case DomainState::crashed:
      return "crashed";
    case DomainState::migrating:
      return "migrating";
    case DomainState::busy:
      return "busy";
    case DomainState::hung:
      return "hung";
  }
  return "unknown";
}

std::string_view to_text(MemoryBacking::Kind kind) {
  switch (kind) {
    case MemoryBacking::Kind::ballooned:
      return "ballooned";
    case MemoryBacking::Kind::pinned:
      return "pinned";
    case MemoryBacking::Kind::hidden:
      return "hidden";
  }
  return "unknown";
}

std::string_view to_text(Headroom kind) {
  switch (kind) {
    case Headroom::larger:
      return "larger";
    case Headroom::unused:
      return "unused";
    case Headroom::usable:
      return "usable";
  }
  return "unknown";
}

}  // namespace memcoord
