#include "bindings/domain_fields.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/core/believable.h"
#include "engine/core/guard.h"

namespace memcoord::bindings {
namespace {

constexpr std::array<std::string_view, kDomainFieldCount> kFieldNames{"name",
                                                                      "uuid",
                                                                      "actual",
                                                                      "maximum",
                                                                      "minimum",
                                                                      "available",
                                                                      "offline",
                                                                      "unused",
                                                                      "usable",
                                                                      "headroom",
                                                                      "disk_caches",
                                                                      "rss",
                                                                      "swap_in",
                                                                      "swap_out",
                                                                      "major_faults",
                                                                      "minor_faults",
                                                                      "in_flight",
                                                                      "releasable",
                                                                      "grantable",
                                                                      "weight",
                                                                      "priority",
                                                                      "labels",
                                                                      "nodes",
                                                                      "deflates_by_itself",
                                                                      "free_page_reporting"};

Figure size(MemorySize size) {
  return {static_cast<double>(size.kib()), true};
}

Figure rate(const Standing& standing, Field field) {
  if (!standing.history || standing.history->samples().empty()) return {0, false};
  const double value = standing.history->latest()[field];
  return {std::isnan(value) ? 0 : value, false};
}

double in_flight(const Domain& domain, const Standing& standing) {
  if (!standing.history) return 0;
  const auto& move = standing.history->last_move();
  if (!move || move->reached) return 0;
  return static_cast<double>(signed_change_kib(domain.actual, move->target));
}

/// A guest cannot have more to spare than it has: where a report is older than a change of the
/// balloon from outside, the balloon's size is the truth.
Figure part_of(const Domain& domain, MemorySize reported) {
  return size(std::min(reported, domain.actual));
}

}  // namespace

std::string_view to_text(DomainField field) {
  return kFieldNames.at(static_cast<std::size_t>(field));
}

std::optional<DomainField> domain_field(std::string_view name) {
  for (std::size_t i = 0; i < kFieldNames.size(); ++i) {
    if (kFieldNames.at(i) == name) return static_cast<DomainField>(i);
  }
  return std::nullopt;
}

std::vector<std::string> domain_field_names() {
  return {kFieldNames.begin(), kFieldNames.end()};
}

bool is_figure(DomainField field) {
  switch (field) {
    case DomainField::name:
    case DomainField::uuid:
    case DomainField::labels:
    case DomainField::nodes:
    case DomainField::deflates_by_itself:
    case DomainField::free_page_reporting:
      return false;
    default:
      return true;
  }
}

std::optional<Figure> figure_of(DomainField field, const Situation& situation,
                                std::size_t position) {
  const Domain& domain = situation.snapshot.domains[position];
  const Standing& standing = situation.standings[position];
  const GuestStatistics& guest = domain.guest;
  switch (field) {
    case DomainField::actual:
      return size(domain.actual);
    case DomainField::maximum:
      return size(guard::ceiling_of(domain, standing.history));
    case DomainField::minimum:
      return size(domain.settings().minimum.value_or(MemorySize()));
    case DomainField::available:
      return part_of(domain, guest.available.value_or(domain.actual));
    case DomainField::offline:
      return size(offline_memory(domain));
    case DomainField::unused:
      return part_of(domain, guest.unused.value_or(standing.headroom));
    case DomainField::usable:
      return part_of(domain, guest.usable.value_or(guest.unused.value_or(MemorySize())));
    case DomainField::headroom:
      return part_of(domain, standing.headroom);
    case DomainField::disk_caches:
      return size(guest.disk_caches.value_or(MemorySize()));
    case DomainField::rss:
      return size(domain.rss.value_or(domain.actual));
    case DomainField::swap_in:
      return rate(standing, Field::swap_in);
    case DomainField::swap_out:
      return rate(standing, Field::swap_out);
    case DomainField::major_faults:
      return rate(standing, Field::major_faults);
    case DomainField::minor_faults:
      return rate(standing, Field::minor_faults);
    case DomainField::in_flight:
      return Figure{in_flight(domain, standing), true};
    case DomainField::releasable:
      return size(standing.releasable);
    case DomainField::grantable:
      return size(std::min(situation.grantable, standing.grantable_by_nodes));
    case DomainField::weight:
      return Figure{domain.settings().weight, false};
    case DomainField::priority:
      return Figure{static_cast<double>(domain.settings().priority), true};
    case DomainField::name:
    case DomainField::uuid:
    case DomainField::labels:
    case DomainField::nodes:
    case DomainField::deflates_by_itself:
    case DomainField::free_page_reporting:
      break;
  }
  return std::nullopt;
}

std::optional<Field> history_field(DomainField field, Headroom headroom, const Domain& domain) {
  switch (field) {
    case DomainField::actual:
      return Field::actual;
    case DomainField::available:
      return Field::available;
    case DomainField::unused:
      return Field::unused;
    case DomainField::usable:
      return domain.guest.usable ? Field::usable : Field::unused;
    case DomainField::headroom:
      if (headroom == Headroom::larger) return Field::larger;
      return counted(domain, headroom) == Headroom::usable ? Field::usable : Field::unused;
    case DomainField::disk_caches:
      return Field::disk_caches;
    case DomainField::rss:
      return Field::rss;
    case DomainField::swap_in:
      return Field::swap_in;
    case DomainField::swap_out:
      return Field::swap_out;
    case DomainField::major_faults:
      return Field::major_faults;
    case DomainField::minor_faults:
      return Field::minor_faults;
    default:
      return std::nullopt;
  }
}

}  // namespace memcoord::bindings
