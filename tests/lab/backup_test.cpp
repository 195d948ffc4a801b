// Guests in jobs that let balloon changes through.

#include <doctest/doctest.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "engine/hypervisor/libvirt/handles.h"
#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"

using namespace memcoord;
using namespace memcoord::lab;

namespace {

/// A pull backup of a domain's disk. Such a job lasts until a call ends it.
class Backup {
 public:
  Backup(const LabHost& host, const std::string& name)
      : connection_(virConnectOpen(host.uri().c_str())) {
    REQUIRE(connection_);
    domain_.reset(virDomainLookupByName(connection_.get(), name.c_str()));
    REQUIRE(domain_);
    const std::string folder = host.folder().string();
    const std::string xml =
        "<domainbackup mode='pull'><server transport='unix' socket='" + folder +
        "/nbd.sock'/><disks><disk name='vda' backup='yes' type='file'><scratch file='" + folder +
        "/scratch.qcow2'/></disk></disks></domainbackup>";
    const int begun = virDomainBackupBegin(domain_.get(), xml.c_str(), nullptr, 0);
    REQUIRE_MESSAGE(begun == 0, virGetLastErrorMessage());
  }
  ~Backup() { (void)virDomainAbortJob(domain_.get()); }
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;

  [[nodiscard]] bool runs() const {
    virDomainJobInfo info{};
    return virDomainGetJobInfo(domain_.get(), &info) == 0 && info.type != VIR_DOMAIN_JOB_NONE;
  }

 private:
  libvirt::ConnectHandle connection_;
  libvirt::DomainHandle domain_;
};

}  // namespace

TEST_CASE("a guest in a backup job gets memory before its OOM killer acts") {
  const LabHost host;
  GuestSpec database = guest_of("db", "20:12,500:20,500:3,20:0");
  database.disk = 64_MiB;
  const Guests guests = boot(host, {database});
  const Backup backup(host, "db");
  Coordination run(host, "--policy halving 1");
  CHECK(guests[0]->wait_for("lab: plan done"));
  CHECK(backup.runs());
  CHECK(run.end() == 0);
  CHECK_FALSE(guests[0]->was_oom_killed());
  const std::vector<Tick> ticks = run.ticks();
  CHECK(moves_of(ticks, "db").grows > 0);
  CHECK(longest_wait(ticks) <= 2);
}
