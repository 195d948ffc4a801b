#pragma once
// What libvirt's configuration of a domain says: its XML (domain_xml.cpp), and the operator's
// settings in its metadata (domain_metadata.cpp), which `memcoord domain` reads and writes
// (domain_configuration.cpp):
//
//   <metadata>
//     <memcoord:domain xmlns:memcoord="https://memcoord.org/xmlns/domain/1.0"
//                      minimum="512MiB" maximum="2GiB" weight="2" priority="10" exclude="no">
//       <memcoord:label name="tier" value="web"/>
//     </memcoord:domain>
//   </metadata>
//
// docs/administration.md describes the format for operators.

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/snapshot.h"

namespace memcoord::libvirt {

inline constexpr std::string_view kMetadataUri = "https://memcoord.org/xmlns/domain/1.0";
inline constexpr std::string_view kMetadataPrefix = "memcoord";
/// Longest settings element that memcoord reads, in bytes of XML. Settings need far less, and
/// memcoord can keep, log and journal as much.
inline constexpr std::size_t kMaxMetadata = 65536;

// Pure functions: text in, values out.

/// Reads the settings element, with or without its namespace prefix. Entities that XML itself does
/// not define stay as they are written. Errors: invalid_input, which names `domain`, what stands
/// there and what was expected; also for an element longer than kMaxMetadata.
Result<DomainSettings> parse_settings(std::string_view element, std::string_view domain);
/// The element as libvirt takes it, without a prefix. parse_settings() reads it back unchanged.
std::string write_settings(const DomainSettings& settings);

/// "minimum 512 MiB, weight 2, label tier=web"; "none": all settings have their defaults.
std::string settings_text(const DomainSettings& settings);
/// The shell command that clears a domain's settings. An empty `uri` stands for the default
/// connection.
std::string clear_command(std::string_view domain, std::string_view uri = {});
/// Completes an error of parse_settings(): its hint ends with a clear_command(), after what the
/// hint says of the right key or element.
void add_clear_command(Error& error, const std::string& command);
/// The shell command that gives a domain exactly these settings.
std::string set_command(std::string_view domain, const DomainSettings& settings,
                        std::string_view uri = {});

/// A partial change: what it does not name stays.
struct SettingsChange {
  std::optional<MemorySize> minimum;
  std::optional<MemorySize> maximum;
  std::optional<double> weight;
  std::optional<int> priority;
  std::optional<bool> exclude;
  std::map<std::string, std::string> labels;  ///< added or replaced
  /// Reset to the default before the rest is set: "minimum", "maximum", "weight", "priority",
  /// "exclude", "labels", "label:NAME", or "all".
  std::set<std::string> clear;
};
/// Errors: invalid_input, for an unknown key to clear and for settings that contradict each other
/// (a minimum over the maximum) or have no meaning (a weight of 0).
Result<DomainSettings> changed(DomainSettings settings, const SettingsChange& change,
                               std::string_view domain);

/// The guest's operating system, as far as the domain's XML names it.
enum class GuestSystem { unknown, windows, freebsd };

/// What memcoord reads of a domain's XML.
struct DomainDescription {
  std::string name;  ///< empty: the XML has none
  DomainSettings settings;
  /// Why its settings cannot be used (malformed metadata); none: they can.
  std::optional<Error> settings_error;
  /// Why a balloon cannot serve the domain, for people; empty: it can.
  std::string unsuitable;
  MemoryBacking backing;
  std::optional<MemorySize> hard_limit;  ///< of <memtune>; none: no limit
  GuestSystem system = GuestSystem::unknown;
  std::vector<NodeBinding> bound_to;  ///< of <numatune>
  bool deflates_by_itself = false;
  bool free_page_reporting = false;
  std::chrono::seconds period{};  ///< the statistics period; 0: off
  MemorySize maximum;             ///< boot memory: <memory>
};

/// What a guest that reports no statistics needs, as advice for people.
std::string missing_statistics(GuestSystem system);

/// Reads a domain's XML. `placed_on`: the nodes that libvirt chose, in libvirt's notation; used
/// where the XML leaves the choice to libvirt. Errors: invalid_input, for text that is no domain's
/// XML, or has a size in a unit that libvirt does not have. Malformed settings are no error: see
/// DomainDescription::settings_error.
Result<DomainDescription> describe_domain(std::string_view xml, std::string_view name,
                                          std::string_view placed_on = {});

/// The statistics period in a domain's XML; 0: off, or no domain's XML.
std::chrono::seconds period_in_xml(std::string_view xml);

// Calls to libvirt. Each opens a connection to `uri` and closes it.

/// A defined domain, active or not.
struct ConfiguredDomain {
  /// With the settings in force, and why a balloon cannot serve the domain.
  DomainIdentity identity;
  /// The settings configured for the next start; none: the domain is not active, or they are the
  /// settings in force.
  std::optional<DomainSettings> next_start;
  MemorySize maximum;
  bool deflates_by_itself = false;
  bool free_page_reporting = false;
  bool active = false;
  bool persistent = true;
};

/// Finds a domain by name or UUID. Read-only access is enough. Errors: those of open(), not_found,
/// invalid_input (malformed metadata).
Result<ConfiguredDomain> read_domain_settings(const std::string& uri, const std::string& name);
/// All domains, in name order. `identity.unsuitable` names malformed metadata. Errors: those of
/// open().
Result<std::vector<ConfiguredDomain>> read_all_domain_settings(const std::string& uri);
/// Applies a change to the persistent configuration and, where the domain is active, to the running
/// domain. Either keeps its other settings. A running memcoord reads the change by itself. Returns
/// the changed domain. Of malformed metadata only `clear = {"all"}` is accepted. Errors: those of
/// read_domain_settings(), permission_denied.
Result<ConfiguredDomain> write_domain_settings(const std::string& uri, const std::string& name,
                                               const SettingsChange& change);

}  // namespace memcoord::libvirt
