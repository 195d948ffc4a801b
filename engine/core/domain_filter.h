#pragma once
// Which domains memcoord manages: the operator's patterns over domain names, and pauses.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/core/snapshot.h"
#include "engine/core/time.h"
#include "engine/core/uuid.h"

namespace memcoord {

/// Why memcoord skips a domain for a while.
struct Pause {
  std::string why;  ///< one clause that begins with "paused": "paused by root"
  std::optional<MonotonicTime> until;
};

/// Marks the domains that the operator leaves out or has paused.
class DomainFilter {
 public:
  /// Patterns as glob_matches() reads them. An empty `include` chooses all domains; `exclude` wins.
  DomainFilter(std::vector<std::string> include, std::vector<std::string> exclude)
      : include_(std::move(include)), exclude_(std::move(exclude)) {}

  /// Pauses a domain, or every domain, until it is resumed or the pause ends.
  void pause(const std::optional<Uuid>& domain, Pause pause);
  /// Without a domain, ends every pause.
  void resume(const std::optional<Uuid>& domain);
  [[nodiscard]] bool any_paused() const { return all_paused_ || !paused_.empty(); }

  /// Gives each domain that is left out or paused a reason in DomainIdentity::unsuitable. A domain
  /// that has a reason already keeps it.
  void apply(Snapshot& snapshot);
  /// The patterns that match none of the domains.
  struct Unmatched {
    std::string option;  ///< "--include", "--exclude"
    std::string glob;
  };
  [[nodiscard]] std::vector<Unmatched> unmatched(const Snapshot& snapshot) const;
  /// The number of domains that the filter left out last, and of pauses.
  [[nodiscard]] std::size_t remembered() const { return left_out_.size() + paused_.size(); }

 private:
  /// Identities are shared between snapshots: each is rewritten once, not in every tick.
  struct Rewritten {
    std::shared_ptr<const DomainIdentity> from;
    std::shared_ptr<const DomainIdentity> to;
  };
  [[nodiscard]] std::string_view reason_against(const Domain& domain) const;
  void end_pauses(MonotonicTime now);

  std::vector<std::string> include_;
  std::vector<std::string> exclude_;
  std::optional<Pause> all_paused_;
  std::unordered_map<Uuid, Pause> paused_;
  std::unordered_map<Uuid, Rewritten> left_out_;
};

}  // namespace memcoord
