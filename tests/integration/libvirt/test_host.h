#pragma once
// Hosts of libvirt's test driver that a file describes.

#include <doctest/doctest.h>
#include <libvirt/libvirt.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "engine/hypervisor/libvirt/handles.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"

namespace memcoord::libvirt {

/// A folder of the test, removed with the object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "memcoord-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

/// A domain as the test driver's XML has it. `maximum` and `current` are in KiB.
inline std::string domain_xml(const std::string& name, std::uint64_t maximum, std::uint64_t current,
                              const std::string& more = "",
                              const std::string& balloon = "<memballoon model='virtio'/>") {
  return "<domain type='test'><name>" + name + "</name><memory>" + std::to_string(maximum) +
         "</memory><currentMemory>" + std::to_string(current) +
         "</currentMemory><os><type>hvm</type></os>" + more + "<devices>" + balloon +
         "</devices></domain>";
}

/// A host of 16 GiB with such domains.
inline std::string node_xml(const std::string& domains) {
  return "<node><cpu><nodes>1</nodes></cpu><memory>16777216</memory>" + domains + "</node>";
}

inline std::unique_ptr<Hypervisor> open_or_fail(const std::string& uri,
                                                const LibvirtOptions& options = {}) {
  auto hypervisor = open(uri, options);
  if (!hypervisor) FAIL(hypervisor.error().text());
  return *std::move(hypervisor);
}

inline Snapshot sample_or_fail(Hypervisor& hypervisor) {
  auto snapshot = hypervisor.sample();
  if (!snapshot) FAIL(snapshot.error().text());
  return *std::move(snapshot);
}

inline const Domain& named(const Snapshot& snapshot, const std::string& name) {
  for (const Domain& domain : snapshot.domains) {
    if (domain.name() == name) return domain;
  }
  FAIL("no domain " << name);
  throw 0;  // not reached
}

inline Outcome move(Hypervisor& hypervisor, const Domain& domain, MemorySize target) {
  const Move wanted{domain.uuid(), domain.actual, target};
  return hypervisor.apply(std::span(&wanted, 1)).front();
}

}  // namespace memcoord::libvirt
