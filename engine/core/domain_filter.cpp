#include "engine/core/domain_filter.h"

#include <algorithm>

#include "engine/core/names.h"

namespace memcoord {
namespace {

bool any_matches(const std::vector<std::string>& globs, const std::string& name) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return glob_matches(glob, name); });
}

}  // namespace

/// Null for a domain that the operator wants.
const char* DomainFilter::reason_against(const std::string& name) const {
  if (any_matches(exclude_, name)) return "excluded by --exclude";
  const bool included = include_.empty() || any_matches(include_, name);
  return included ? nullptr : "not among those of --include";
}

void DomainFilter::apply(Snapshot& snapshot) {
  if (include_.empty() && exclude_.empty()) return;
  // Domains that have gone since the last snapshot are not carried over.
  std::unordered_map<Uuid, Rewritten> before = std::move(left_out_);
  left_out_.clear();
  left_out_.reserve(before.size());
  for (Domain& domain : snapshot.domains) {
    const char* reason = reason_against(domain.name());
    if (reason == nullptr || !domain.identity->unsuitable.empty()) continue;
    left_out_.insert(before.extract(domain.uuid()));
    Rewritten& rewritten = left_out_[domain.uuid()];
    if (rewritten.from != domain.identity) {
      DomainIdentity identity = *domain.identity;
      identity.unsuitable = reason;
      rewritten = {domain.identity, std::make_shared<const DomainIdentity>(std::move(identity))};
    }
    domain.identity = rewritten.to;
  }
}

}  // namespace memcoord
