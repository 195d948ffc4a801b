#pragma once
// A domain's UUID, between libvirt's raw bytes and memcoord's values, and its name.

#include <libvirt/libvirt.h>

#include <array>
#include <string>

#include "engine/core/printable.h"
#include "engine/core/uuid.h"

namespace memcoord::libvirt {

inline Uuid uuid_of(virDomainPtr domain) {
  std::array<unsigned char, VIR_UUID_BUFLEN> raw{};
  (void)virDomainGetUUID(domain, raw.data());
  Uuid uuid;
  for (std::size_t i = 0; i < 8; ++i) uuid.high = uuid.high << 8U | raw[i];
  for (std::size_t i = 8; i < 16; ++i) uuid.low = uuid.low << 8U | raw[i];
  return uuid;
}

inline std::array<unsigned char, VIR_UUID_BUFLEN> raw_uuid(const Uuid& uuid) {
  std::array<unsigned char, VIR_UUID_BUFLEN> raw{};
  for (std::size_t i = 0; i < 8; ++i) {
    raw[i] = static_cast<unsigned char>(uuid.high >> (56 - 8 * i));
    raw[i + 8] = static_cast<unsigned char>(uuid.low >> (56 - 8 * i));
  }
  return raw;
}

/// Its name, at most 1000 bytes of it: drivers that make no file by it set no limit.
inline std::string name_of(virDomainPtr domain) {
  constexpr std::size_t kLongestDomainName = 1000;
  const char* name = virDomainGetName(domain);
  return name == nullptr ? std::string() : excerpt(name, kLongestDomainName);
}

}  // namespace memcoord::libvirt
