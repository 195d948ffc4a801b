#pragma once
// Which domains memcoord manages: the operator's patterns over domain names.

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/core/snapshot.h"
#include "engine/core/uuid.h"

namespace memcoord {

/// Marks the domains that the operator leaves out.
class DomainFilter {
 public:
  /// Patterns as glob_matches() reads them. An empty `include` chooses all domains; `exclude` wins.
  DomainFilter(std::vector<std::string> include, std::vector<std::string> exclude)
      : include_(std::move(include)), exclude_(std::move(exclude)) {}

  /// Gives each domain that is left out a reason in DomainIdentity::unsuitable. A domain that has a
  /// reason already keeps it.
  void apply(Snapshot& snapshot);
  /// The number of domains that the filter left out last.
  [[nodiscard]] std::size_t remembered() const { return left_out_.size(); }

 private:
  /// Identities are shared between snapshots: each is rewritten once, not in every tick.
  struct Rewritten {
    std::shared_ptr<const DomainIdentity> from;
    std::shared_ptr<const DomainIdentity> to;
  };
  [[nodiscard]] const char* reason_against(const std::string& name) const;

  std::vector<std::string> include_;
  std::vector<std::string> exclude_;
  std::unordered_map<Uuid, Rewritten> left_out_;
};

}  // namespace memcoord
