#pragma once
// What a domain's XML says about its balloon: whether one can serve it, and how.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/snapshot.h"

namespace memcoord::libvirt {

/// The guest's operating system, as far as the domain's XML names it.
enum class GuestSystem { unknown, windows, freebsd };

/// The part of a domain's XML that memcoord goes by.
struct DomainDescription {
  DomainSettings settings;
  /// Why its settings cannot be used (malformed metadata); none where they can.
  std::optional<Error> settings_error;
  /// Why a balloon cannot serve it, for people; empty where it can.
  std::string unsuitable;
  MemoryBacking backing;
  std::optional<MemorySize> hard_limit;  ///< of <memtune>; none where there is no limit
  GuestSystem system = GuestSystem::unknown;
  std::vector<NodeBinding> bound_to;  ///< of <numatune>
  bool deflates_by_itself = false;
  bool free_page_reporting = false;
  std::chrono::seconds period{};  ///< the statistics period; 0: off
  MemorySize maximum;             ///< boot memory, as <memory> has it
};

/// What a guest that reports no statistics lacks, and how to get it, for people.
std::string missing_statistics(GuestSystem system);

/// Reads a domain's XML. `placed_on`: the nodes that libvirt has chosen, as it writes them; used
/// where the XML leaves the choice to it. Errors: invalid_input, where it is no domain's XML at
/// all.
Result<DomainDescription> describe_domain(std::string_view xml, std::string_view name,
                                          std::string_view placed_on = {});

}  // namespace memcoord::libvirt
