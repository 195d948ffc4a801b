// Domain settings read from and written to libvirt, for `memcoord domain`.

#include <fmt/core.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "engine/core/nearest.h"
#include "engine/hypervisor/libvirt/domain_metadata.h"
#include "engine/hypervisor/libvirt/domain_xml.h"
#include "engine/hypervisor/libvirt/handles.h"
#include "engine/hypervisor/libvirt/lv_error.h"
#include "engine/hypervisor/libvirt/uri.h"
#include "engine/hypervisor/libvirt/uuid_of.h"

namespace memcoord::libvirt {
namespace {

Result<ConnectHandle> connect(const std::string& uri, bool to_write) {
  silence_libvirt();
  if (const auto parsed = parse_uri(uri); !parsed) return fail(parsed.error());
  ConnectHandle connection(virConnectOpenAuth(uri.c_str(), nullptr, 0));
  if (connection) return connection;
  const Error refused = open_error(LvError::last(), uri);
  if (to_write || refused.code != ErrorCode::permission_denied) return fail(refused);
  connection.reset(virConnectOpenAuth(uri.c_str(), nullptr, VIR_CONNECT_RO));
  if (!connection) return fail(open_error(LvError::last(), uri));
  return connection;
}

Result<std::vector<DomainHandle>> all_domains(virConnectPtr connection, const std::string& uri) {
  virDomainPtr* list = nullptr;
  const int count = virConnectListAllDomains(connection, &list, 0);
  if (count < 0) return fail(to_error(LvError::last(), uri));
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
  const LvError error = LvError::last();
  if (error.code != VIR_ERR_NO_DOMAIN && error.code != VIR_ERR_INVALID_ARG) {
    return fail(to_error(error, uri));
  }
  std::vector<std::string> names;
  if (const auto domains = all_domains(connection, uri)) {
    for (const DomainHandle& known : *domains) names.emplace_back(virDomainGetName(known.get()));
  }
  const auto near = nearest_name(name, names);
  return fail(ErrorCode::not_found, uri, fmt::format("no domain is called '{}'", name),
              near ? fmt::format("did you mean '{}'?", *near)
                   : fmt::format("see: virsh -c '{}' list --all", uri));
}

/// A domain with its settings; malformed ones are in the description's settings_error.
Result<std::pair<ConfiguredDomain, DomainDescription>> configured(virDomainPtr handle) {
  const std::string name = virDomainGetName(handle);
  const CString xml(virDomainGetXMLDesc(handle, 0));
  if (!xml) return fail(to_error(LvError::last(), name));
  const Result<DomainDescription> description = describe_domain(xml.get(), name);
  if (!description) return fail(description.error());
  ConfiguredDomain domain;
  domain.identity = {uuid_of(handle),       name,
                     description->settings, description->unsuitable,
                     description->backing,  description->hard_limit};
  domain.maximum = description->maximum;
  domain.active = virDomainIsActive(handle) == 1;
  domain.persistent = virDomainIsPersistent(handle) == 1;
  return std::pair{std::move(domain), *description};
}

}  // namespace

Result<ConfiguredDomain> read_domain_settings(const std::string& uri, const std::string& name) {
  const auto connection = connect(uri, false);
  if (!connection) return fail(connection.error());
  const auto handle = find_domain(connection->get(), uri, name);
  if (!handle) return fail(handle.error());
  const auto domain = configured(handle->get());
  if (!domain) return fail(domain.error());
  if (domain->second.settings_error) return fail(*domain->second.settings_error);
  return domain->first;
}

Result<std::vector<ConfiguredDomain>> read_all_domain_settings(const std::string& uri) {
  const auto connection = connect(uri, false);
  if (!connection) return fail(connection.error());
  const auto handles = all_domains(connection->get(), uri);
  if (!handles) return fail(handles.error());
  std::vector<ConfiguredDomain> domains;
  for (const DomainHandle& handle : *handles) {
    auto domain = configured(handle.get());
    if (!domain) continue;  // it has gone since it was listed
    if (domain->second.settings_error) {
      domain->first.identity.unsuitable = domain->second.settings_error->message;
    }
    domains.push_back(std::move(domain->first));
  }
  std::sort(domains.begin(), domains.end(),
            [](const auto& a, const auto& b) { return a.identity.name < b.identity.name; });
  return domains;
}

Result<DomainSettings> write_domain_settings(const std::string& uri, const std::string& name,
                                             const SettingsChange& change) {
  const auto connection = connect(uri, true);
  if (!connection) return fail(connection.error());
  const auto handle = find_domain(connection->get(), uri, name);
  if (!handle) return fail(handle.error());
  const auto domain = configured(handle->get());
  if (!domain) return fail(domain.error());
  if (domain->second.settings_error && !change.clear.contains("all")) {
    Error malformed = *domain->second.settings_error;
    malformed.hint = "start afresh with: memcoord domain set " + name + " --clear all";
    return fail(malformed);
  }
  const auto settings = changed(domain->first.identity.settings, change, name);
  if (!settings) return fail(settings.error());
  unsigned flags = 0;
  if (domain->first.active) flags |= VIR_DOMAIN_AFFECT_LIVE;
  if (domain->first.persistent) flags |= VIR_DOMAIN_AFFECT_CONFIG;
  const std::string element = write_settings(*settings);
  const bool empty = *settings == DomainSettings{};
  const int written = virDomainSetMetadata(
      handle->get(), VIR_DOMAIN_METADATA_ELEMENT, empty ? nullptr : element.c_str(),
      std::string(kMetadataPrefix).c_str(), std::string(kMetadataUri).c_str(), flags);
  if (written < 0) return fail(to_error(LvError::last(), name));
  return *settings;
}

}  // namespace memcoord::libvirt
