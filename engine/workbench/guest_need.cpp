#include "engine/workbench/guest_need.h"

#include <algorithm>
#include <cmath>

#include "engine/core/guest_reports.h"

namespace memcoord::workbench {
namespace {

// policies/adaptive.lua
constexpr double kSwapHalfLife = 300;
constexpr MemorySize kBesideSwapped = MemorySize::from_mib(1);

}  // namespace

MemorySize GuestNeed::observe(const Domain& domain, Duration since_last) {
  if (domain.id != id_) *this = GuestNeed();
  id_ = domain.id;
  const GuestStatistics& guest = domain.guest;
  const auto usable = guest.usable ? guest.usable : guest.unused;
  std::optional<Report> report;
  if (usable) {
    report = {guest.last_update, guest.available, *usable, guest.swap_in, guest.swap_out};
    if (report == report_) report.reset();
  }
  if (report && report_) swaps_in_ = report->swap_in > report_->swap_in;
  if (!swapped_.is_zero() && !swaps_in_) {
    swapped_ = swapped_.scaled(std::exp2(-seconds_of(since_last) / kSwapHalfLife));
  }
  if (report) take_report(domain, *report);
  actual_ = domain.actual;
  if (!report_) return std::min(domain.rss.value_or(domain.actual), domain.actual);
  const MemorySize swapped = swapped_.is_zero() ? MemorySize() : swapped_ + kBesideSwapped;
  return std::min(used_ + swapped, domain.maximum);
}

MemorySize GuestNeed::size_at_report(const Domain& domain) const {
  if (!actual_ || *actual_ == domain.actual) return domain.actual;
  if (!domain.guest.available || !reserved_) return domain.actual;
  const auto [least, most] = std::minmax(*actual_, domain.actual);
  return std::clamp(*domain.guest.available + *reserved_, least, most);
}

void GuestNeed::take_report(const Domain& domain, const Report& report) {
  const MemorySize size = size_at_report(domain);
  if (report.available && size == domain.actual && (!actual_ || *actual_ == domain.actual)) {
    reserved_ = domain.actual - *report.available;
  }
  const MemorySize used_before = used_;
  used_ = size - report.usable - offline_memory(domain, domain.actual - size);
  take_swapping(report, used_before);
  report_ = report;
}

void GuestNeed::take_swapping(const Report& report, MemorySize used_before) {
  if (!report_ || !report.swap_in || !report.swap_out) return;
  if (!report_->swap_in || !report_->swap_out) return;
  // The guest has rebooted.
  if (*report.swap_in < *report_->swap_in || *report.swap_out < *report_->swap_out) {
    swapped_ = MemorySize();
    return;
  }
  const MemorySize out = *report.swap_out - *report_->swap_out;
  const MemorySize in = *report.swap_in - *report_->swap_in;
  swapped_ += out;
  swapped_ -= in;
  // A fall that swapping does not explain is memory that the guest has freed. What comes back from
  // swap as other memory goes out explains none.
  const MemorySize fell = used_before - used_;
  if (fell > used_before / 10 && fell > (out - in) * 2) {
    swapped_ =
        swapped_.scaled(static_cast<double>(used_.kib()) / static_cast<double>(used_before.kib()));
  }
}

}  // namespace memcoord::workbench
