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

/// Empty for a domain that memcoord manages.
std::string_view DomainFilter::reason_against(const Domain& domain) const {
  const std::string& name = domain.name();
  if (any_matches(exclude_, name)) return "excluded by --exclude";
  if (!include_.empty() && !any_matches(include_, name)) return "not among those of --include";
  if (const auto found = paused_.find(domain.uuid()); found != paused_.end()) {
    return found->second.why;
  }
  return all_paused_ ? std::string_view(all_paused_->why) : std::string_view();
}

std::vector<DomainFilter::Unmatched> DomainFilter::unmatched(const Snapshot& snapshot) const {
  std::vector<Unmatched> result;
  const auto add = [&](const char* option, const std::vector<std::string>& globs) {
    for (const std::string& glob : globs) {
      const bool matches =
          std::any_of(snapshot.domains.begin(), snapshot.domains.end(),
                      [&](const Domain& domain) { return glob_matches(glob, domain.name()); });
      if (!matches) result.push_back({option, glob});
    }
  };
  add("--include", include_);
  add("--exclude", exclude_);
  return result;
}

void DomainFilter::pause(const std::optional<Uuid>& domain, Pause pause) {
  if (domain) {
    paused_.insert_or_assign(*domain, std::move(pause));
  } else {
    all_paused_ = std::move(pause);
  }
}

void DomainFilter::resume(const std::optional<Uuid>& domain) {
  if (domain) {
    paused_.erase(*domain);
  } else {
    all_paused_.reset();
    paused_.clear();
  }
}

void DomainFilter::end_pauses(MonotonicTime now) {
  const auto over = [&](const Pause& pause) { return pause.until && *pause.until <= now; };
  if (all_paused_ && over(*all_paused_)) all_paused_.reset();
  std::erase_if(paused_, [&](const auto& entry) { return over(entry.second); });
}

void DomainFilter::apply(Snapshot& snapshot) {
  end_pauses(snapshot.taken_at);
  if (include_.empty() && exclude_.empty() && paused_.empty() && !all_paused_) {
    left_out_.clear();
    return;
  }
  // Domains that have gone since the last snapshot are not carried over.
  std::unordered_map<Uuid, Rewritten> before = std::move(left_out_);
  left_out_.clear();
  left_out_.reserve(before.size());
  for (Domain& domain : snapshot.domains) {
    const std::string_view reason = reason_against(domain);
    if (reason.empty() || !domain.identity->unsuitable.empty()) continue;
    left_out_.insert(before.extract(domain.uuid()));
    Rewritten& rewritten = left_out_[domain.uuid()];
    if (rewritten.from != domain.identity || rewritten.to->unsuitable != reason) {
      DomainIdentity identity = *domain.identity;
      identity.unsuitable = reason;
      rewritten = {domain.identity, std::make_shared<const DomainIdentity>(std::move(identity))};
    }
    domain.identity = rewritten.to;
  }
}

}  // namespace memcoord
