#pragma once
// libvirt's handles, owned. Domain handles must die before the connection that they came from.

#include <libvirt/libvirt.h>

#include <cstdlib>
#include <memory>

namespace memcoord::libvirt {

/// A deleter made of a C function, whatever it returns.
template <auto Function>
struct Release {
  template <class T>
  void operator()(T* handle) const noexcept {
    (void)Function(handle);  // NOLINT(cppcoreguidelines-owning-memory,cppcoreguidelines-no-malloc)
  }
};

using ConnectHandle = std::unique_ptr<virConnect, Release<virConnectClose>>;
using DomainHandle = std::unique_ptr<virDomain, Release<virDomainFree>>;
/// A null-terminated list of records, each with a borrowed domain.
using StatsHandle = std::unique_ptr<virDomainStatsRecordPtr, Release<virDomainStatsRecordListFree>>;
/// Memory that libvirt allocated for the caller: strings, arrays.
template <class T>
using CAllocated = std::unique_ptr<T, Release<std::free>>;
using CString = CAllocated<char>;

}  // namespace memcoord::libvirt
