#pragma once
// The fields of the host, the limits and the domains that policies can read: one list for each
// object of the policy API. The objects, bindings/editor/memcoord.lua and the tables of
// docs/policy-api.md follow from the lists; figures that come straight from engine/core/fields.h
// follow from its lists.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/policy.h"

struct lua_State;

namespace memcoord::bindings {

/// One name that a policy can read.
struct PolicyField {
  std::string_view name;
  std::string_view type;  ///< as editors take it: "size", "number", "string", ...
  std::string_view text;  ///< its meaning, in Markdown
};

/// A field of ctx.host or ctx.limits.
struct SituationField : PolicyField {
  void (*push)(lua_State*, const Situation&) = nullptr;
};

/// The domain of an object in this tick.
struct Subject {
  const Situation& situation;
  std::size_t position;  ///< in the snapshot
  const Domain& domain;
  const DomainView& view;
};

/// A number of the core: sizes and counts are whole, rates and weights are not.
struct Figure {
  double number = 0;
  bool whole = true;
};

/// A field of a domain: a figure, or another value that `push` pushes.
struct DomainField : PolicyField {
  Figure (*figure)(const Subject&) = nullptr;
  void (*push)(lua_State*, const Subject&) = nullptr;
  /// The history's column of the same figure; null if the history does not keep it.
  Field (*past)(const Subject&) = nullptr;
};

std::span<const SituationField> host_fields();
std::span<const SituationField> limit_fields();
std::span<const DomainField> domain_fields();
/// Of a domain in ctx.skipped.
std::span<const DomainField> skipped_domain_fields();

/// An object of the policy API by its class in the editor's file.
struct PolicyClass {
  std::string_view name;
  std::vector<PolicyField> fields;
};
/// Every object whose fields are listed here.
std::vector<PolicyClass> policy_classes();

/// Pushes the value that a field has for a domain.
void push_field(lua_State* lua, const DomainField& field, const Subject& subject);
void push_figure(lua_State* lua, Figure figure);
void push_text(lua_State* lua, std::string_view text);

}  // namespace memcoord::bindings
