#include "engine/hypervisor/libvirt/domain_configuration.h"

#include <fmt/core.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "engine/core/names.h"
#include "engine/core/printable.h"
#include "engine/hypervisor/libvirt/handles.h"
#include "engine/hypervisor/libvirt/libvirt_error.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"
#include "engine/hypervisor/libvirt/native_connection.h"

namespace memcoord::libvirt {
namespace {

Result<ConnectHandle> connect(const std::string& uri, Access access) {
  silence_libvirt();
  if (const auto parsed = parse_uri(uri); !parsed) return fail(parsed.error());
  auto opened = open_handle(uri, access);
  if (!opened) return fail(open_error(opened.error(), uri));
  return std::move(opened->handle);
}

Result<std::vector<DomainHandle>> all_domains(virConnectPtr connection, const std::string& uri) {
  virDomainPtr* list = nullptr;
  const int count = virConnectListAllDomains(connection, &list, 0);
  if (count < 0) return fail(to_error(LibvirtError::last(), uri));
  const CAllocated<virDomainPtr> owned(list);
  std::vector<DomainHandle> domains;
  for (const virDomainPtr raw : std::span(list, static_cast<std::size_t>(count))) {
    domains.emplace_back(raw);
  }
  return domains;
}

Result<DomainHandle> find_domain(virConnectPtr connection, const std::string& uri,
                                 const std::string& name) {
  DomainHandle domain(virDomainLookupByName(connection, name.c_str()));
  if (!domain) domain.reset(virDomainLookupByUUIDString(connection, name.c_str()));
  if (domain) return domain;
  const LibvirtError error = LibvirtError::last();
  if (error.code != VIR_ERR_NO_DOMAIN && error.code != VIR_ERR_INVALID_ARG) {
    return fail(to_error(error, uri));
  }
  std::vector<std::string> names;
  if (const auto domains = all_domains(connection, uri)) {
    for (const DomainHandle& known : *domains) names.push_back(name_of(known.get()));
  }
  const auto near = suggest_name(name, names);
  return fail(ErrorCode::not_found, uri, fmt::format("no domain is called '{}'", name),
              near ? fmt::format("did you mean '{}'?", *near)
                   : fmt::format("see: virsh -c {} list --all", shell_word(uri)));
}

/// A domain with what its XML says of the running domain and of the next start.
struct ReadDomain {
  ConfiguredDomain domain;
  DomainDescription now;
  std::optional<DomainDescription> next_start;  ///< of an active persistent domain
  /// Malformed metadata of either.
  [[nodiscard]] std::optional<Error> settings_error() const {
    if (now.settings_error || !next_start) return now.settings_error;
    return next_start->settings_error;
  }
};

Result<DomainDescription> described(virDomainPtr handle, const std::string& name, unsigned flags) {
  const CString xml(virDomainGetXMLDesc(handle, flags));
  if (!xml) return fail(to_error(LibvirtError::last(), name));
  const bool runs = flags == 0 && virDomainIsActive(handle) == 1;
  return describe_domain(xml.get(), name, runs ? chosen_nodes(handle, xml.get()) : std::string());
}

/// The URI for the commands in hints, which must reach the same host; empty: the default one.
std::string uri_to_name(const std::string& uri) {
  return uri == default_uri() ? std::string() : uri;
}

Result<ReadDomain> configured(virDomainPtr handle, const std::string& uri) {
  const std::string name = name_of(handle);
  Result<DomainDescription> now = described(handle, name, 0);
  if (!now) return fail(now.error());
  ReadDomain read{{}, *std::move(now), std::nullopt};
  ConfiguredDomain& domain = read.domain;
  domain.identity = {uuid_of(handle),   name,
                     read.now.settings, read.now.unsuitable,
                     read.now.backing,  read.now.hard_limit,
                     read.now.bound_to};
  domain.maximum = read.now.maximum;
  domain.deflates_by_itself = read.now.deflates_by_itself;
  domain.free_page_reporting = read.now.free_page_reporting;
  domain.active = virDomainIsActive(handle) == 1;
  domain.persistent = virDomainIsPersistent(handle) == 1;
  if (domain.active && domain.persistent) {
    Result<DomainDescription> next = described(handle, name, VIR_DOMAIN_XML_INACTIVE);
    if (!next) return fail(next.error());
    read.next_start = *std::move(next);
    if (read.next_start->settings != read.now.settings)
      domain.next_start = read.next_start->settings;
  }
  for (DomainDescription* one : {&read.now, read.next_start ? &*read.next_start : nullptr}) {
    if (one == nullptr || !one->settings_error) continue;
    add_clear_command(*one->settings_error, clear_command(name, uri_to_name(uri)));
  }
  return read;
}

Status write(virDomainPtr handle, const std::string& name, const DomainSettings& settings,
             unsigned flags) {
  const std::string element = write_settings(settings);
  const bool empty = settings == DomainSettings{};
  const int written = virDomainSetMetadata(
      handle, VIR_DOMAIN_METADATA_ELEMENT, empty ? nullptr : element.c_str(),
      std::string(kMetadataPrefix).c_str(), std::string(kMetadataUri).c_str(), flags);
  if (written < 0) return fail(to_error(LibvirtError::last(), name));
  return {};
}

}  // namespace

Result<ConfiguredDomain> read_domain_settings(const std::string& uri, const std::string& name) {
  const auto connection = connect(uri, Access::read_write_if_allowed);
  if (!connection) return fail(connection.error());
  const auto handle = find_domain(connection->get(), uri, name);
  if (!handle) return fail(handle.error());
  auto read = configured(handle->get(), uri);
  if (!read) return fail(read.error());
  if (const auto error = read->settings_error()) return fail(*error);
  return std::move(read->domain);
}

Result<std::vector<ConfiguredDomain>> read_all_domain_settings(const std::string& uri) {
  const auto connection = connect(uri, Access::read_write_if_allowed);
  if (!connection) return fail(connection.error());
  const auto handles = all_domains(connection->get(), uri);
  if (!handles) return fail(handles.error());
  std::vector<ConfiguredDomain> domains;
  for (const DomainHandle& handle : *handles) {
    auto read = configured(handle.get(), uri);
    if (!read) continue;  // gone since it was listed
    if (const auto error = read->settings_error()) {
      read->domain.identity.unsuitable = error->message + "; " + error->hint;
    }
    domains.push_back(std::move(read->domain));
  }
  std::sort(domains.begin(), domains.end(),
            [](const auto& a, const auto& b) { return a.identity.name < b.identity.name; });
  return domains;
}

Result<ConfiguredDomain> write_domain_settings(const std::string& uri, const std::string& name,
                                               const SettingsChange& change) {
  const auto connection = connect(uri, Access::read_write);
  if (!connection) return fail(connection.error());
  const auto handle = find_domain(connection->get(), uri, name);
  if (!handle) return fail(handle.error());
  auto read = configured(handle->get(), uri);
  if (!read) return fail(read.error());
  const auto malformed = read->settings_error();
  if (malformed && !change.clear.contains("all")) return fail(*malformed);
  ConfiguredDomain& domain = read->domain;
  const auto now = changed(read->now.settings, change, name);
  if (!now) return fail(now.error());
  auto next = now;
  if (read->next_start) next = changed(read->next_start->settings, change, name);
  if (!next) return fail(next.error());
  const unsigned live = domain.active ? unsigned{VIR_DOMAIN_AFFECT_LIVE} : 0U;
  const unsigned config = domain.persistent ? unsigned{VIR_DOMAIN_AFFECT_CONFIG} : 0U;
  if (*now == *next) {
    if (Status both = write(handle->get(), name, *now, live | config); !both) {
      return fail(both.error());
    }
  } else {
    Status written = write(handle->get(), name, *next, config);
    if (written) written = write(handle->get(), name, *now, live);
    if (!written) return fail(written.error());
  }
  domain.identity.settings = *now;
  domain.next_start.reset();
  if (*now != *next) domain.next_start = *next;
  return std::move(domain);
}

}  // namespace memcoord::libvirt
