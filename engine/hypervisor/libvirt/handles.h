#pragma once
// libvirt's handles: how memcoord owns them, how it opens a connection, and what names a domain.

#include <libvirt/libvirt.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "engine/core/error.h"
#include "engine/core/uuid.h"
#include "engine/hypervisor/libvirt/libvirt_error.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"

namespace memcoord::libvirt {

/// A deleter that calls a C function and drops what it returns.
template <auto Function>
struct Release {
  template <class T>
  void operator()(T* handle) const noexcept {
    (void)Function(handle);  // NOLINT(cppcoreguidelines-owning-memory,cppcoreguidelines-no-malloc)
  }
};

using ConnectHandle = std::unique_ptr<virConnect, Release<virConnectClose>>;
/// Must be destroyed before the connection that it came from.
using DomainHandle = std::unique_ptr<virDomain, Release<virDomainFree>>;
/// A null-terminated list of records. Each record borrows its domain.
using StatsHandle = std::unique_ptr<virDomainStatsRecordPtr, Release<virDomainStatsRecordListFree>>;
/// Memory that libvirt allocated for the caller: strings, arrays.
template <class T>
using CAllocated = std::unique_ptr<T, Release<std::free>>;
using CString = CAllocated<char>;

Uuid uuid_of(virDomainPtr domain);
/// A UUID as the bytes that libvirt takes.
std::array<unsigned char, VIR_UUID_BUFLEN> raw_uuid(const Uuid& uuid);
/// A domain's name, cut to 1000 bytes: drivers that make no file of that name set no limit.
std::string name_of(virDomainPtr domain);

/// driver[+transport]://[user@][server][:port]/path[?query]
struct ConnectionUri {
  std::string driver;
  std::string transport;
  std::string server;
  std::string path;

  /// The host is this machine: the URI names no server and no transport that leaves the machine.
  [[nodiscard]] bool is_local() const;
  /// The driver runs in this process and gives every handle a host of its own. Only libvirt's test
  /// driver without a transport does so.
  [[nodiscard]] bool is_in_process() const;
};

/// Splits a URI and finds the usual mistakes, because libvirt's own messages about them mislead.
/// Errors: invalid_input (no scheme, an unknown driver, a missing slash as in qemu://system, a test
/// file without an absolute path), not_found (the test driver's file).
Result<ConnectionUri> parse_uri(std::string_view text);

struct OpenedHandle {
  ConnectHandle handle;
  bool read_only = false;  ///< libvirt refuses changes on it
};

/// Opens a connection to a URI that parse_uri() accepts; may block as long as libvirt does.
/// `access` decides whether a refused read-write connection becomes a read-only one. Asks for no
/// credentials: libvirt reads its auth.conf. Errors: libvirt's.
LibvirtResult<OpenedHandle> open_handle(const std::string& uri, Access access);

}  // namespace memcoord::libvirt
