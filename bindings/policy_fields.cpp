#include "bindings/policy_fields.h"

#include <lua.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <tuple>
#include <type_traits>
#include <utility>

#include "bindings/sandbox.h"
#include "engine/core/fields.h"
#include "engine/core/guest_reports.h"
#include "engine/core/time.h"

namespace memcoord::bindings {
namespace {

// --- values of the core as Lua values, and their types for editors ---

/// Of a size or a count.
template <class T>
constexpr Figure figure_of(T value) {
  if constexpr (std::is_same_v<T, MemorySize>)
    return {static_cast<double>(value.kib()), true};
  else
    return {static_cast<double>(value), true};
}

void push_value_of(lua_State* lua, MemorySize size) {
  push_figure(lua, figure_of(size));
}
void push_value_of(lua_State* lua, const std::optional<MemorySize>& size) {
  push_value_of(lua, size.value_or(MemorySize()));
}
void push_value_of(lua_State* lua, double number) {
  lua_pushnumber(lua, number);
}
void push_value_of(lua_State* lua, Duration duration) {
  lua_pushnumber(lua, seconds_of(duration));
}
void push_value_of(lua_State* lua, int integer) {
  lua_pushinteger(lua, integer);
}
void push_value_of(lua_State* lua, Headroom metric) {
  push_text(lua, to_text(metric));
}

template <class T>
constexpr std::string_view type_name() {
  if constexpr (fields::kIsOptional<T>) return type_name<typename T::value_type>();
  if constexpr (std::is_same_v<T, MemorySize>) return "size";
  if constexpr (std::is_same_v<T, Headroom>) return R"("larger"|"unused"|"usable")";
  return std::is_integral_v<T> ? "integer" : "number";
}

// --- fields that follow from the core's lists ---

template <class Record>
const Record& record_in(const Situation& situation) {
  if constexpr (std::is_same_v<Record, Host>) return situation.snapshot.host;
  if constexpr (std::is_same_v<Record, Limits>) return situation.limits;
}

template <class Record, std::size_t I>
void push_listed(lua_State* lua, const Situation& situation) {
  push_value_of(lua, record_in<Record>(situation).*std::get<I>(fields::kList<Record>).member);
}

/// The guest's report; 0 if it does not report the figure.
template <std::size_t I>
Figure reported(const Subject& d) {
  const auto& value = d.domain.guest.*std::get<I>(fields::kList<GuestStatistics>).member;
  return value ? figure_of(*value) : Figure();
}

template <class FieldType, class Record, std::size_t I>
constexpr FieldType listed_field() {
  constexpr auto entry = std::get<I>(fields::kList<Record>);
  FieldType field;
  field.name = entry.plain_name();
  field.type = type_name<typename decltype(entry)::Type>();
  field.text = entry.text;
  if constexpr (std::is_same_v<FieldType, DomainField>) {
    field.figure = reported<I>;
  } else {
    field.push = push_listed<Record, I>;
  }
  return field;
}

template <const auto& kOwn>
constexpr auto own_field(std::string_view name) {
  return std::find_if(kOwn.begin(), kOwn.end(), [&](const auto& one) { return one.name == name; });
}

template <class Record>
constexpr bool has_plain_name(std::string_view name) {
  bool found = false;
  fields::each<Record>([&](const auto& entry) { found = found || entry.plain_name() == name; });
  return found;
}

/// The number of fields: those of the record's list that policies may see, and own fields under
/// other names.
template <class Record, const auto& kOwn>
constexpr std::size_t field_count() {
  std::size_t count = 0;
  fields::each<Record>([&](const auto& entry) { count += entry.for_policies ? 1 : 0; });
  for (const auto& field : kOwn) count += has_plain_name<Record>(field.name) ? 0 : 1;
  return count;
}

/// Adds the record's listed fields; an own field replaces the listed one of its name.
template <class Record, const auto& kOwn, class FieldType>
constexpr FieldType* add_listed(FieldType* to) {
  const auto add = [&]<std::size_t I>() {
    constexpr auto entry = std::get<I>(fields::kList<Record>);
    if constexpr (entry.for_policies) {
      constexpr auto own = own_field<kOwn>(entry.plain_name());
      if constexpr (own != kOwn.end()) {
        *to++ = *own;
      } else {
        *to++ = listed_field<FieldType, Record, I>();
      }
    }
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (add.template operator()<I>(), ...);
  }
  (std::make_index_sequence<
      std::tuple_size_v<std::remove_cvref_t<decltype(fields::kList<Record>)>>>());
  return to;
}

enum class Order { listed_first, own_first };

/// The fields of an object: those of a record's list and its own.
template <class Record, const auto& kOwn, Order kOrder>
constexpr auto joined() {
  using FieldType = typename std::remove_cvref_t<decltype(kOwn)>::value_type;
  std::array<FieldType, field_count<Record, kOwn>()> all{};
  FieldType* to = all.data();
  if (kOrder == Order::listed_first) to = add_listed<Record, kOwn>(to);
  for (const FieldType& field : kOwn) {
    if (!has_plain_name<Record>(field.name)) *to++ = field;
  }
  if (kOrder == Order::own_first) add_listed<Record, kOwn>(to);
  return all;
}

// --- ctx.host ---

void push_cells(lua_State* lua, const Situation& situation) {
  lua_newtable(lua);
  lua_Integer place = 0;
  for (const NumaCell& cell : situation.snapshot.host.cells) {
    lua_newtable(lua);
    fields::each<NumaCell>([&](const auto& entry) {
      const auto& value = cell.*entry.member;
      push_text(lua, entry.plain_name());
      if constexpr (fields::kIsOptional<std::remove_cvref_t<decltype(value)>>) {
        push_value_of(lua, value.value_or(cell.free));
      } else {
        push_value_of(lua, value);
      }
      lua_rawset(lua, -3);
    });
    lua_rawseti(lua, -2, ++place);
  }
}

constexpr std::array<SituationField, 7> kOwnHostFields{{
    {{"available", "size",
      "free memory and the page cache that the kernel can drop; `free` if the host does not report "
      "it"},
     [](lua_State* lua, const Situation& s) {
       push_value_of(lua, s.snapshot.host.available.value_or(s.snapshot.host.free));
     }},
    {{"headroom", "size",
      "the larger of `free` and `available`, or one of them (`--headroom`); within the budget"},
     [](lua_State* lua, const Situation& s) { push_value_of(lua, s.headroom()); }},
    {{"floor", "size", "headroom that grows leave the host (`--host-floor`)"},
     [](lua_State* lua, const Situation& s) { push_value_of(lua, s.limits.host_floor); }},
    {{"budget", "size",
      "the memory that all guests may have together: `--host-memory`, otherwise `total`"},
     [](lua_State* lua, const Situation& s) {
       const MemorySize total = s.snapshot.host.total;
       push_value_of(lua, std::min(s.limits.host_memory.value_or(total), total));
     }},
    {{"grantable", "size",
      "the memory that the guard would grant to grows this tick, before any shrink"},
     [](lua_State* lua, const Situation& s) { push_value_of(lua, s.grantable); }},
    {{"shortfall", "size",
      "how much must be released before the guard grants anything: more memory is committed than "
      "the host has, QEMU's own memory and merged pages included. `shortfall` or `grantable` is 0"},
     [](lua_State* lua, const Situation& s) { push_value_of(lua, s.shortfall); }},
    {{"cells", "memcoord.Cell[]",
      "its NUMA cells, a list of tables: `id`, `total`, `free`, `available`"},
     push_cells},
}};
constexpr auto kHostFields = joined<Host, kOwnHostFields, Order::listed_first>();

// --- ctx.limits ---

constexpr std::array<SituationField, 2> kOwnLimitFields{{
    {{"usable_floor", "size", "usable memory that a shrink leaves every domain: 32 MiB"},
     [](lua_State* lua, const Situation&) { push_value_of(lua, Limits::kUsableFloor); }},
    {{"host_memory", "size",
      "the memory that all guests may have together: `--host-memory`, otherwise the host's memory"},
     [](lua_State* lua, const Situation& s) {
       push_value_of(lua, s.limits.host_memory.value_or(s.snapshot.host.total));
     }},
}};
constexpr auto kLimitFields = joined<Limits, kOwnLimitFields, Order::listed_first>();

// --- a domain ---

void push_labels(lua_State* lua, const Subject& d) {
  const auto& labels = d.domain.settings().labels;
  charge(lua, 4 * labels.size());
  lua_newtable(lua);
  for (const auto& [key, value] : labels) {
    push_text(lua, value);
    lua_setfield(lua, -2, key.c_str());
  }
}

/// The nodes of the host that its memory is bound to, all cells together.
void push_nodes(lua_State* lua, const Subject& d) {
  std::set<int> nodes;
  for (const NodeBinding& binding : d.domain.identity->bound_to) {
    nodes.insert(binding.nodes.begin(), binding.nodes.end());
  }
  lua_newtable(lua);
  lua_Integer place = 0;
  for (const int node : nodes) {
    lua_pushinteger(lua, node);
    lua_rawseti(lua, -2, ++place);
  }
}

void push_name(lua_State* lua, const Subject& d) {
  push_text(lua, d.domain.name());
}
void push_uuid(lua_State* lua, const Subject& d) {
  push_text(lua, d.domain.uuid().text());
}

template <Field kColumn>
Figure rate(const Subject& d) {
  if (d.view.samples.empty()) return {0, false};
  const double value = d.view.samples.latest()[kColumn];
  return {std::isnan(value) ? 0 : value, false};
}

template <Field kColumn>
Field column(const Subject&) {
  return kColumn;
}

Field usable_column(const Subject& d) {
  return d.domain.guest.usable ? Field::usable : Field::unused;
}

Field headroom_column(const Subject& d) {
  return headroom_field(d.domain, d.situation.limits.headroom);
}

/// Signed: negative while the domain shrinks.
Figure in_flight(const Subject& d) {
  const MemorySize target = d.view.balloon.heads_for(d.domain);
  return {static_cast<double>(signed_change_kib(d.domain.actual, target)), true};
}

/// At most the balloon's size: if something other than memcoord has changed the balloon since the
/// guest's report, the report may show more.
Figure part_of(const Domain& domain, MemorySize reported) {
  return figure_of(std::min(reported, domain.actual));
}

constexpr std::array<DomainField, 25> kOwnDomainFields{{
    {{"name", "string", "its name"}, nullptr, push_name},
    {{"uuid", "string", "its UUID: keep this in `ctx.state`"}, nullptr, push_uuid},
    {{"labels", "table<string, string>", "its labels, by name"}, nullptr, push_labels},
    {{"weight", "number", "its weight where memory is shared out"},
     [](const Subject& d) {
       return Figure{d.domain.settings().weight, false};
     }},
    {{"priority", "integer", "its priority: higher goes first"},
     [](const Subject& d) {
       return Figure{static_cast<double>(d.domain.settings().priority), true};
     }},
    {{"actual", "size", "the balloon's size"},
     [](const Subject& d) { return figure_of(d.domain.actual); },
     nullptr,
     column<Field::actual>},
    {{"maximum", "size",
      "the smallest of its own maximum, the configured one and its cgroup's limit (less QEMU's own "
      "memory)"},
     [](const Subject& d) { return figure_of(d.view.ceiling); }},
    {{"minimum", "size", "the configured minimum; 0 if there is none"},
     [](const Subject& d) {
       return figure_of(d.domain.settings().minimum.value_or(MemorySize()));
     }},
    {{"in_flight", "size",
      "its last target minus `actual`: negative while it shrinks, 0 once it has arrived. If a "
      "guest does not follow a shrink, `in_flight` stays negative and `reclaimable` is 0"},
     in_flight},
    {{"reclaimable", "size",
      "the largest shrink that the guard allows this tick; 0 if it allows none"},
     [](const Subject& d) { return figure_of(d.view.reclaimable); }},
    {{"grantable", "size",
      "the memory that the guard would grant the domain this tick, before any shrink: "
      "`ctx.host.grantable`, or less if the [NUMA nodes](administration.md#numa-nodes) that it is "
      "bound to have less"},
     [](const Subject& d) { return figure_of(d.view.grantable); }},
    {{"nodes", "integer[]",
      "the numbers of the host's NUMA nodes that its memory is bound to; empty if it is not bound"},
     nullptr,
     push_nodes},
    {{"deflates_by_itself", "boolean",
      "true where its balloon gives memory back to a guest that runs short (autodeflate)"},
     nullptr,
     [](lua_State* lua, const Subject& d) {
       lua_pushboolean(lua, d.domain.deflates_by_itself ? 1 : 0);
     }},
    {{"free_page_reporting", "boolean",
      "true if the guest returns the pages that it frees to the host"},
     nullptr,
     [](lua_State* lua, const Subject& d) {
       lua_pushboolean(lua, d.domain.free_page_reporting ? 1 : 0);
     }},
    {{"headroom", "size", "the larger of `unused` and `usable`, or one of them (`--headroom`)"},
     [](const Subject& d) { return part_of(d.domain, d.view.headroom); },
     nullptr,
     headroom_column},
    {{"unused", "size", "free memory, page cache not counted; never over `actual`"},
     [](const Subject& d) {
       const auto& unused = d.domain.guest.unused;
       return part_of(d.domain, unused ? *unused + d.view.grown : d.view.headroom);
     },
     nullptr,
     column<Field::unused>},
    {{"usable", "size",
      "memory that the guest can allocate without swapping; never over `actual`, and `unused` if "
      "it does not report it"},
     [](const Subject& d) {
       const GuestStatistics& guest = d.domain.guest;
       return part_of(d.domain,
                      guest.usable.value_or(guest.unused.value_or(MemorySize())) + d.view.grown);
     },
     nullptr,
     usable_column},
    {{"available", "size",
      "the memory that the guest's kernel manages; never over `actual`, and `actual` if it does "
      "not report it"},
     [](const Subject& d) {
       const auto& available = d.domain.guest.available;
       return part_of(d.domain, available ? *available + d.view.grown : d.domain.actual);
     },
     nullptr,
     column<Field::available>},
    {{"offline", "size",
      "memory that is plugged in but not online in the guest: part of `actual`, but not of its "
      "need. Estimated low, from `actual` and `available`; 0 if the difference may be memory that "
      "the kernel keeps for itself"},
     [](const Subject& d) { return figure_of(offline_memory(d.domain, d.view.grown)); }},
    {{"disk_caches", "size", "page cache; 0 if the guest does not report it"},
     [](const Subject& d) { return figure_of(d.domain.guest.disk_caches.value_or(MemorySize())); },
     nullptr,
     column<Field::disk_caches>},
    {{"rss", "size",
      "host memory that its QEMU process holds; it may exceed `actual` by QEMU's own memory, and "
      "is `actual` if libvirt does not report it"},
     [](const Subject& d) { return figure_of(d.domain.rss.value_or(d.domain.actual)); },
     nullptr,
     column<Field::rss>},
    {{"swap_in", "number", "memory swapped in, KiB a second"},
     rate<Field::swap_in>,
     nullptr,
     column<Field::swap_in>},
    {{"swap_out", "number", "memory swapped out, KiB a second"},
     rate<Field::swap_out>,
     nullptr,
     column<Field::swap_out>},
    {{"major_faults", "number", "major page faults a second"},
     rate<Field::major_faults>,
     nullptr,
     column<Field::major_faults>},
    {{"minor_faults", "number", "minor page faults a second"},
     rate<Field::minor_faults>,
     nullptr,
     column<Field::minor_faults>},
}};
constexpr auto kDomainFields = joined<GuestStatistics, kOwnDomainFields, Order::own_first>();

// --- a domain in ctx.skipped ---

constexpr std::array<DomainField, 7> kSkippedDomainFields{{
    {{"name", "string", "its name"}, nullptr, push_name},
    {{"uuid", "string", "its UUID"}, nullptr, push_uuid},
    {{"why", "string", "why no decision may touch it this tick"},
     nullptr,
     [](lua_State* lua, const Subject& d) {
       push_text(lua, d.view.skipped ? d.view.skipped->why : "");
     }},
    {{"rule", "string", "the guard's rule; empty for excluded and unsuitable domains"},
     nullptr,
     [](lua_State* lua, const Subject& d) {
       const auto& skipped = d.view.skipped;
       push_text(lua, skipped && skipped->rule ? to_text(*skipped->rule) : "");
     }},
    {{"state", "string", "its state: `running`, `paused`, `hung`, ..."},
     nullptr,
     [](lua_State* lua, const Subject& d) { push_text(lua, to_text(d.domain.state)); }},
    {{"actual", "size", "the balloon's size"},
     [](const Subject& d) { return figure_of(d.domain.actual); }},
    {{"maximum", "size", "the domain's own maximum"},
     [](const Subject& d) { return figure_of(d.domain.maximum); }},
}};

template <class FieldType>
PolicyClass class_of(std::string_view name, std::span<const FieldType> listed) {
  return {name, {listed.begin(), listed.end()}};
}

}  // namespace

std::span<const SituationField> host_fields() {
  return kHostFields;
}
std::span<const SituationField> limit_fields() {
  return kLimitFields;
}
std::span<const DomainField> domain_fields() {
  return kDomainFields;
}
std::span<const DomainField> skipped_domain_fields() {
  return kSkippedDomainFields;
}

std::vector<PolicyClass> policy_classes() {
  PolicyClass cell{"Cell", {}};
  fields::each<NumaCell>([&](const auto& entry) {
    using Member = typename std::remove_cvref_t<decltype(entry)>::Type;
    cell.fields.push_back({entry.plain_name(), type_name<Member>(), entry.text});
  });
  return {class_of("Host", host_fields()), class_of("Limits", limit_fields()), std::move(cell),
          class_of("Domain", domain_fields()), class_of("SkippedDomain", skipped_domain_fields())};
}

void push_field(lua_State* lua, const DomainField& field, const Subject& subject) {
  if (field.figure) {
    push_figure(lua, field.figure(subject));
  } else {
    field.push(lua, subject);
  }
}

void push_figure(lua_State* lua, Figure figure) {
  if (figure.whole && std::abs(figure.number) < 9.2e18) {
    lua_pushinteger(lua, static_cast<lua_Integer>(figure.number));
  } else {
    lua_pushnumber(lua, figure.number);
  }
}

void push_text(lua_State* lua, std::string_view text) {
  lua_pushlstring(lua, text.data(), text.size());
}

}  // namespace memcoord::bindings
