#pragma once
// The operator's settings for a domain, kept with the domain itself as libvirt metadata:
//
//   <metadata>
//     <memcoord:domain xmlns:memcoord="https://memcoord.org/xmlns/domain/1.0"
//                      minimum="512MiB" maximum="2GiB" weight="2" priority="10" exclude="no">
//       <memcoord:label name="tier" value="web"/>
//     </memcoord:domain>
//   </metadata>
//
// docs/libvirt.md describes the format for operators.

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
/// What is read of a domain's settings, in bytes of XML: far more than they need, and little enough
/// to be kept, logged and written to a journal.
inline constexpr std::size_t kMostMetadata = 65536;

/// Reads the element (with or without its namespace prefix). Entities that XML does not know by
/// itself stay as they are written. `domain` is named in errors, all invalid_input: what stands
/// there, what was expected; more than kMostMetadata.
Result<DomainSettings> parse_settings(std::string_view element, std::string_view domain);
/// The element as libvirt takes it, without a prefix; parse_settings() reads it back unchanged.
std::string write_settings(const DomainSettings& settings);

/// "minimum 512 MiB, weight 2, label tier=web"; "none" where all are the default.
std::string settings_text(const DomainSettings& settings);
/// The command that forgets a domain's settings, to be pasted into a shell. An empty `uri` stands
/// for the default connection.
std::string clear_command(std::string_view domain, std::string_view uri = {});
/// Completes an error of parse_settings(): its hint ends with a clear_command(), after what the
/// hint says of the right key or element.
void add_clear_command(Error& error, const std::string& command);
/// The command that gives a domain exactly these settings.
std::string set_command(std::string_view domain, const DomainSettings& settings,
                        std::string_view uri = {});

/// A partial change: only what is given changes.
struct SettingsChange {
  std::optional<MemorySize> minimum;
  std::optional<MemorySize> maximum;
  std::optional<double> weight;
  std::optional<int> priority;
  std::optional<bool> exclude;
  std::map<std::string, std::string> labels;  ///< added or replaced
  /// Back to the default, before the rest is set: "minimum", "maximum", "weight", "priority",
  /// "exclude", "labels", "label:NAME", or "all".
  std::set<std::string> clear;
};
/// Errors: invalid_input, where a key to clear is unknown or the outcome makes no sense (a minimum
/// over the maximum, a weight of 0).
Result<DomainSettings> changed(DomainSettings settings, const SettingsChange& change,
                               std::string_view domain);

/// One defined domain, running or not, as `memcoord domain show` presents it.
struct ConfiguredDomain {
  /// With the settings in force, and why a balloon cannot serve it.
  DomainIdentity identity;
  /// What is configured for the next start, where the domain runs and that differs.
  std::optional<DomainSettings> next_start;
  MemorySize maximum;
  bool deflates_by_itself = false;
  bool free_page_reporting = false;
  bool active = false;
  bool persistent = true;
};

/// One domain by name or UUID. Errors: those of open(), not_found, invalid_input (malformed
/// metadata).
Result<ConfiguredDomain> read_domain_settings(const std::string& uri, const std::string& name);
/// Every domain, in name order. Malformed metadata shows in `identity.unsuitable`.
Result<std::vector<ConfiguredDomain>> read_all_domain_settings(const std::string& uri);
/// Makes a change to the persistent configuration, and to the running domain where it runs: what
/// else is set in either stays. A memcoord at work takes it up by itself. Returns the domain as it
/// then is. Malformed metadata can only be cleared ("all"). Errors: as read_domain_settings(), and
/// permission_denied.
Result<ConfiguredDomain> write_domain_settings(const std::string& uri, const std::string& name,
                                               const SettingsChange& change);

}  // namespace memcoord::libvirt
