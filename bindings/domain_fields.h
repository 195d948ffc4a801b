#pragma once
// The figures of a domain as policies know them, by name, read straight from the core's values.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/policy.h"

namespace memcoord::bindings {

/// What can be read of a domain, in the order of their names' table.
enum class DomainField : std::uint8_t {
  name,
  uuid,
  actual,
  maximum,
  minimum,
  available,
  offline,
  unused,
  usable,
  headroom,
  disk_caches,
  rss,
  swap_in,
  swap_out,
  major_faults,
  minor_faults,
  in_flight,
  releasable,
  grantable,
  weight,
  priority,
  labels,
  nodes,
  deflates_by_itself,
  free_page_reporting,
};
inline constexpr int kDomainFieldCount = 25;

std::string_view to_text(DomainField field);
std::optional<DomainField> domain_field(std::string_view name);
std::vector<std::string> domain_field_names();

/// A number out of the core: sizes and counts whole, rates and weights not.
struct Figure {
  double number = 0;
  bool whole = true;
};

/// Whether a field is a figure: name, uuid, labels, nodes and the flags are none.
bool is_figure(DomainField field);

/// A figure as it is now of the domain at a position; none where the field is none. What a guest
/// does not report stands as the nearest safe figure: usable as unused, available and rss as
/// actual, caches and rates as 0.
std::optional<Figure> figure_of(DomainField field, const Situation& situation,
                                std::size_t position);

/// The same figure's column in the history; none where the past of it is not kept.
std::optional<Field> history_field(DomainField field, Headroom headroom, const Domain& domain);

}  // namespace memcoord::bindings
