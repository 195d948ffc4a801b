#include "engine/hypervisor/libvirt/domain_xml.h"

#include <algorithm>
#include <cstring>
#include <pugixml.hpp>
#include <sstream>

#include "engine/hypervisor/libvirt/domain_metadata.h"

namespace memcoord::libvirt {
namespace {

bool is(const char* value, std::string_view expected) {
  return std::string_view(value) == expected;
}

/// Devices that map the guest's memory for hardware: what the balloon gives back stays pinned.
const char* passthrough_reason(const pugi::xml_node& devices) {
  for (const pugi::xml_node hostdev : devices.children("hostdev")) {
    const char* type = hostdev.attribute("type").value();
    const bool vfio = is(type, "pci") || is(type, "mdev");
    if (is(hostdev.attribute("mode").value(), "subsystem") && vfio) {
      return "a host device is passed through (VFIO), which pins all of its memory";
    }
  }
  for (const pugi::xml_node interface : devices.children("interface")) {
    const char* type = interface.attribute("type").value();
    if (is(type, "hostdev")) {
      return "a host network device is passed through (VFIO), which pins all of its memory";
    }
    if (is(type, "vdpa")) return "a vDPA network device pins all of its memory";
  }
  for (const pugi::xml_node disk : devices.children("disk")) {
    if (is(disk.attribute("type").value(), "vhostvdpa")) {
      return "a vDPA disk pins all of its memory";
    }
  }
  return nullptr;
}

const char* memory_reason(const pugi::xml_node& domain, const pugi::xml_node& devices) {
  const pugi::xml_node backing = domain.child("memoryBacking");
  if (backing.child("locked")) return "its memory is locked, so a balloon frees nothing";
  if (backing.child("hugepages")) {
    return "its memory is backed by hugepages, which a balloon does not give back";
  }
  for (const pugi::xml_node memory : devices.children("memory")) {
    const char* model = memory.attribute("model").value();
    if (is(model, "virtio-mem")) return "it has virtio-mem memory, which is resized another way";
  }
  return nullptr;
}

std::string unsuitable_reason(const pugi::xml_node& domain) {
  const pugi::xml_node devices = domain.child("devices");
  const pugi::xml_node balloon = devices.child("memballoon");
  if (!balloon || is(balloon.attribute("model").value(), "none")) {
    return "it has no balloon device";
  }
  if (const pugi::xml_node security = domain.child("launchSecurity")) {
    return "its memory is encrypted or sealed (" +
           std::string(security.attribute("type").as_string("launch security")) +
           "), so a balloon frees nothing";
  }
  if (const char* reason = passthrough_reason(devices)) return reason;
  if (const char* reason = memory_reason(domain, devices)) return reason;
  return {};
}

/// The namespace that a node's prefix stands for, as declared on it or around it.
std::string_view namespace_of(pugi::xml_node node) {
  const std::string name = node.name();
  const std::size_t colon = name.find(':');
  const std::string declaration =
      colon == std::string::npos ? "xmlns" : "xmlns:" + name.substr(0, colon);
  for (; node; node = node.parent()) {
    if (const pugi::xml_attribute found = node.attribute(declaration.c_str())) {
      return found.value();
    }
  }
  return {};
}

void read_settings(const pugi::xml_node& domain, std::string_view name,
                   DomainDescription& description) {
  for (const pugi::xml_node element : domain.child("metadata").children()) {
    if (element.type() != pugi::node_element || namespace_of(element) != kMetadataUri) continue;
    std::ostringstream text;
    element.print(text, "", pugi::format_raw);
    Result<DomainSettings> settings = parse_settings(text.str(), name);
    if (settings) {
      description.settings = *std::move(settings);
    } else {
      description.settings_error = settings.error();
    }
    return;
  }
}

/// By libosinfo's word for it, which virt-install and virt-manager write; Windows also by the
/// Hyper-V features that only it has a use for.
GuestSystem system_of(const pugi::xml_node& domain) {
  for (const pugi::xml_node info : domain.child("metadata").children()) {
    if (namespace_of(info) != "http://libosinfo.org/xmlns/libvirt/domain/1.0") continue;
    for (const pugi::xml_node os : info.children()) {
      const std::string_view id = os.attribute("id").value();
      if (id.find("microsoft.com/") != std::string_view::npos) return GuestSystem::windows;
      if (id.find("freebsd.org/") != std::string_view::npos) return GuestSystem::freebsd;
      if (!id.empty()) return GuestSystem::unknown;
    }
  }
  return domain.child("features").child("hyperv") ? GuestSystem::windows : GuestSystem::unknown;
}

/// <memory unit='KiB'>...: libvirt itself always writes KiB.
MemorySize memory_of(const pugi::xml_node& domain) {
  const pugi::xml_node memory = domain.child("memory");
  const std::uint64_t count = memory.text().as_ullong();
  const std::string_view unit = memory.attribute("unit").as_string("KiB");
  if (unit == "b" || unit == "bytes") return MemorySize::from_bytes(count);
  if (unit == "MiB" || unit == "M") return MemorySize::from_mib(count);
  if (unit == "GiB" || unit == "G") return MemorySize::from_gib(count);
  return MemorySize::from_kib(count);
}

}  // namespace

std::string missing_statistics(GuestSystem system) {
  switch (system) {
    case GuestSystem::windows:
      return "install its balloon driver and the balloon service (virtio-win: blnsvr.exe -i)";
    case GuestSystem::freebsd:
      return "FreeBSD's balloon driver has none, so its memory stays as it is";
    case GuestSystem::unknown:
      break;
  }
  return "load its balloon driver (Linux: modprobe virtio_balloon)";
}

Result<DomainDescription> describe_domain(std::string_view xml, std::string_view name) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node domain = document.child("domain");
  if (!parsed || !domain) {
    return fail(ErrorCode::invalid_input, std::string(name),
                "its XML cannot be read: " +
                    std::string(parsed ? "it does not start with <domain>" : parsed.description()));
  }
  DomainDescription description;
  read_settings(domain, name, description);
  description.unsuitable = unsuitable_reason(domain);
  description.system = system_of(domain);
  const pugi::xml_node balloon = domain.child("devices").child("memballoon");
  description.deflates_by_itself = is(balloon.attribute("autodeflate").value(), "on");
  description.period =
      std::chrono::seconds(std::max(0, balloon.child("stats").attribute("period").as_int()));
  description.maximum = memory_of(domain);
  return description;
}

}  // namespace memcoord::libvirt
