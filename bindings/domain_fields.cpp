#include "bindings/domain_fields.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/core/guest_reports.h"

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

Figure rate(const DomainView& view, Field field) {
  if (view.samples.empty()) return {0, false};
  const double value = view.samples.latest()[field];
  return {std::isnan(value) ? 0 : value, false};
}

double in_flight(const DomainView& view) {
  const Domain& domain = view.domain;
  return static_cast<double>(signed_change_kib(domain.actual, view.balloon.heads_for(domain)));
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
  const DomainView& view = situation.domains[position];
  const Domain& domain = view.domain;
  const GuestStatistics& guest = domain.guest;
  switch (field) {
    case DomainField::actual:
      return size(domain.actual);
    case DomainField::maximum:
      return size(view.ceiling);
    case DomainField::minimum:
      return size(domain.settings().minimum.value_or(MemorySize()));
    case DomainField::available:
      return part_of(domain, guest.available.value_or(domain.actual));
    case DomainField::offline:
      return size(offline_memory(domain));
    case DomainField::unused:
      return part_of(domain, guest.unused.value_or(view.headroom));
    case DomainField::usable:
      return part_of(domain, guest.usable.value_or(guest.unused.value_or(MemorySize())));
    case DomainField::headroom:
      return part_of(domain, view.headroom);
    case DomainField::disk_caches:
      return size(guest.disk_caches.value_or(MemorySize()));
    case DomainField::rss:
      return size(domain.rss.value_or(domain.actual));
    case DomainField::swap_in:
      return rate(view, Field::swap_in);
    case DomainField::swap_out:
      return rate(view, Field::swap_out);
    case DomainField::major_faults:
      return rate(view, Field::major_faults);
    case DomainField::minor_faults:
      return rate(view, Field::minor_faults);
    case DomainField::in_flight:
      return Figure{in_flight(view), true};
    case DomainField::releasable:
      return size(view.reclaimable);
    case DomainField::grantable:
      return size(view.grantable);
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
