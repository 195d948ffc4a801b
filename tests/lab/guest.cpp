#include "tests/lab/guest.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "engine/hypervisor/libvirt/handles.h"
#include "tests/text.h"

namespace memcoord::lab {
namespace {

libvirt::ConnectHandle connect(const LabHost& host) {
  libvirt::ConnectHandle connection(virConnectOpen(host.uri().c_str()));
  if (!connection) throw std::runtime_error("the lab's daemon does not answer");
  return connection;
}

libvirt::DomainHandle find(virConnectPtr connection, const std::string& name) {
  return libvirt::DomainHandle(virDomainLookupByName(connection, name.c_str()));
}

/// Throws if libvirt has refused.
void expect(bool done, const std::string& what) {
  if (done) return;
  const char* why = virGetLastErrorMessage();
  throw std::runtime_error(what + ": " + (why ? why : "?"));
}

constexpr const char* kSnapshot = "<domainsnapshot><name>before</name></domainsnapshot>";

/// Whether it holds within ten seconds.
template <class Condition>
bool comes_true(Condition holds) {
  for (int i = 0; i < 100; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

}  // namespace

Guest::Guest(const LabHost& host, GuestSpec spec)
    : host_(host),
      spec_(std::move(spec)),
      console_path_((host.folder() / (spec_.name + ".console")).string()) {
  const auto connection = connect(host_);
  const libvirt::DomainHandle domain(spec_.persistent
                                         ? virDomainDefineXML(connection.get(), xml().c_str())
                                         : virDomainCreateXML(connection.get(), xml().c_str(), 0));
  if (!domain || (spec_.persistent && virDomainCreate(domain.get()) != 0)) {
    const char* why = virGetLastErrorMessage();
    throw std::runtime_error(spec_.name + " does not start: " + (why ? why : "?"));
  }
}

/// A sparse file: it takes no space until something is written.
void Guest::make_disk(const std::string& kind, MemorySize size) const {
  const std::string path = disk_path(kind);
  std::ofstream(path).close();
  std::filesystem::resize_file(path, size.kib() * 1024);
  testing::UnprivilegedDaemon::give(path);  // guests run as the daemon's user
}

std::string Guest::disk_path(const std::string& kind) const {
  return (host_.folder() / (spec_.name + "." + kind)).string();
}

/// A disk to read, and one to swap on, which is the last one.
std::string Guest::disks_xml() const {
  std::string text;
  char place = 'a';
  for (const auto& [kind, size] : {std::pair("disk", spec_.disk), std::pair("swap", spec_.swap)}) {
    if (size.is_zero()) continue;
    make_disk(kind, size);
    text += "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='" +
            disk_path(kind) + "'/><target dev='vd" + place++ + "' bus='virtio'/></disk>";
  }
  return text;
}

Guest::~Guest() {
  try {
    continue_process();
    destroy();
  } catch (const std::exception&) {
    // The host ends it.
  }
}

std::string Guest::xml() const {
  std::string words = "console=ttyS0 quiet panic=5 load=" + spec_.load;
  if (!spec_.swap.is_zero()) words += " swap=" + std::to_string(spec_.swap.kib() / 1024);
  if (!spec_.balloon_driver) words += " balloon=no";
  if (!spec_.more.empty()) words += " " + spec_.more;
  // Without a limit, the emulator's cache of translated code grows to hundreds of MiB within
  // minutes, and counts as the domain's own memory.
  return "<domain type='qemu'><name>" + spec_.name + "</name><memory unit='KiB'>" +
         std::to_string(spec_.maximum.kib()) + "</memory><currentMemory unit='KiB'>" +
         std::to_string(spec_.initial.kib()) +
         "</currentMemory><vcpu>1</vcpu><os><type arch='x86_64' machine='pc'>hvm</type><kernel>" +
         host_.kernel() + "</kernel><initrd>" + host_.initrd() + "</initrd><cmdline>" + words +
         " end=</cmdline></os><features><acpi/><tcg><tb-cache "
         "unit='MiB'>64</tb-cache></tcg></features>"
         "<on_reboot>restart</on_reboot><on_crash>" +
         (spec_.on_crash.empty() ? "destroy" : spec_.on_crash) + "</on_crash><devices>" +
         (spec_.on_crash.empty() ? "" : "<panic model='isa'/>") + disks_xml() +
         "<emulator>/usr/bin/qemu-system-x86_64</emulator><serial type='file'><source path='" +
         console_path_ +
         "'/><target port='0'/></serial><memballoon model='virtio'/></devices></domain>";
}

std::string Guest::console() const {
  return testing::read_text(console_path_);
}

int Guest::times_said(const std::string& text) const {
  const std::string said = console();
  int times = 0;
  for (std::size_t at = said.find(text); at != std::string::npos; at = said.find(text, at + 1)) {
    ++times;
  }
  return times;
}

std::vector<ConsoleReport> Guest::reports() const {
  std::vector<ConsoleReport> reports;
  const std::string text = console();
  for (std::size_t at = text.find("lab: t="); at != std::string::npos;
       at = text.find("lab: t=", at + 1)) {
    double seconds = 0;
    unsigned long long total = 0;
    unsigned long long free = 0;
    unsigned long long available = 0;
    int held = 0;
    if (std::sscanf(text.c_str() + at, "lab: t=%lf total=%llu free=%llu available=%llu held=%d",
                    &seconds, &total, &free, &available, &held) != 5) {
      continue;
    }
    reports.push_back({seconds, MemorySize::from_kib(total), MemorySize::from_kib(free),
                       MemorySize::from_kib(available), held});
  }
  return reports;
}

bool Guest::was_oom_killed() const {
  const std::string text = console();
  return text.find("Out of memory") != std::string::npos ||
         text.find("lab: workload killed") != std::string::npos;
}

bool Guest::wait_for(const std::string& text, std::chrono::seconds patience) const {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    const std::string said = console();
    if (said.find(text) != std::string::npos) return true;
    // A workload that was killed does not continue.
    if (said.find("lab: workload killed") != std::string::npos) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

bool Guest::wait_for_statistics() const {
  for (int i = 0; i < 600; ++i) {
    const auto connection = connect(host_);
    const auto domain = find(connection.get(), spec_.name);
    virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
    const int n =
        domain ? virDomainMemoryStats(domain.get(), stats, VIR_DOMAIN_MEMORY_STAT_NR, 0) : 0;
    for (int k = 0; k < n; ++k) {
      if (stats[k].tag == VIR_DOMAIN_MEMORY_STAT_UNUSED) return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

void Guest::signal_process(int signal) const {
  std::ifstream file(host_.folder() / "libvirt/qemu/run" / (spec_.name + ".pid"));
  pid_t process = 0;
  if (file >> process) (void)::kill(process, signal);
}

void Guest::stop_process() const {
  signal_process(SIGSTOP);
}

void Guest::continue_process() const {
  signal_process(SIGCONT);
}

void Guest::kill_process() const {
  signal_process(SIGKILL);
}

void Guest::destroy() const {
  const auto connection = connect(host_);
  if (const auto domain = find(connection.get(), spec_.name)) (void)virDomainDestroy(domain.get());
}

std::string Guest::configuration() const {
  const auto connection = connect(host_);
  const auto domain = find(connection.get(), spec_.name);
  const libvirt::CString xml(domain ? virDomainGetXMLDesc(domain.get(), VIR_DOMAIN_XML_INACTIVE)
                                    : nullptr);
  if (!xml) throw std::runtime_error(spec_.name + " is not there");
  return xml.get();
}

void Guest::edit_metadata(const std::string& element) const {
  std::string xml = configuration();
  const std::size_t at = xml.find("<memory ");
  if (at == std::string::npos || xml.find("<metadata>") != std::string::npos) {
    throw std::runtime_error(spec_.name + " has metadata already");
  }
  xml.insert(at, "<metadata>" + element + "</metadata>");
  const auto connection = connect(host_);
  const libvirt::DomainHandle defined(virDomainDefineXML(connection.get(), xml.c_str()));
  if (!defined) throw std::runtime_error(spec_.name + " is not defined anew");
}

void Guest::reset() const {
  const auto connection = connect(host_);
  if (const auto domain = find(connection.get(), spec_.name)) (void)virDomainReset(domain.get(), 0);
}

void Guest::save() const {
  const auto connection = connect(host_);
  const auto domain = find(connection.get(), spec_.name);
  expect(domain && virDomainSave(domain.get(), disk_path("saved").c_str()) == 0,
         spec_.name + " is not saved");
}

void Guest::restore() const {
  const auto connection = connect(host_);
  expect(virDomainRestore(connection.get(), disk_path("saved").c_str()) == 0,
         spec_.name + " is not restored");
}

void Guest::take_snapshot() const {
  const auto connection = connect(host_);
  const auto domain = find(connection.get(), spec_.name);
  // A snapshot with memory needs a qcow2 image. libvirt creates one as the overlay of a snapshot of
  // the disk alone.
  const std::string overlay =
      "<domainsnapshot><disks><disk name='vda' snapshot='external'><source file='" +
      disk_path("qcow2") + "'/></disk></disks></domainsnapshot>";
  const auto take = [&](const char* xml, unsigned int flags) {
    virDomainSnapshotPtr raw =
        domain ? virDomainSnapshotCreateXML(domain.get(), xml, flags) : nullptr;
    expect(raw != nullptr, spec_.name + " takes no snapshot");
    (void)virDomainSnapshotFree(raw);
  };
  take(overlay.c_str(),
       VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA);
  take(kSnapshot, 0);
}

void Guest::revert_to_snapshot() const {
  const auto connection = connect(host_);
  const auto domain = find(connection.get(), spec_.name);
  virDomainSnapshotPtr raw = domain ? virDomainSnapshotCurrent(domain.get(), 0) : nullptr;
  const bool reverted = raw != nullptr && virDomainRevertToSnapshot(raw, 0) == 0;
  expect(reverted, spec_.name + " is not reverted");
  (void)virDomainSnapshotFree(raw);
}

MemorySize Guest::actual() const {
  const auto connection = connect(host_);
  const auto domain = find(connection.get(), spec_.name);
  virDomainInfo info{};
  if (!domain || virDomainGetInfo(domain.get(), &info) != 0) {
    throw std::runtime_error(spec_.name + " is not there");
  }
  return MemorySize::from_kib(info.memory);
}

bool Guest::wait_for_actual(MemorySize size) const {
  return comes_true([&] { return actual() == size; });
}

int Guest::statistics_period() const {
  const auto connection = connect(host_);
  const auto domain = find(connection.get(), spec_.name);
  char* raw = domain ? virDomainGetXMLDesc(domain.get(), 0) : nullptr;
  if (!raw) throw std::runtime_error(spec_.name + " is not there");
  const std::string xml = raw;
  std::free(raw);  // NOLINT(cppcoreguidelines-no-malloc): libvirt's own convention
  const std::size_t at = xml.find("<stats period='");
  return at == std::string::npos ? 0 : std::stoi(xml.substr(at + 15));
}

bool Guest::wait_for_period(int seconds) const {
  return comes_true([&] { return statistics_period() == seconds; });
}

void Guest::set_statistics_period(int seconds) const {
  const auto connection = connect(host_);
  const auto domain = find(connection.get(), spec_.name);
  if (domain) (void)virDomainSetMemoryStatsPeriod(domain.get(), seconds, VIR_DOMAIN_AFFECT_LIVE);
}

Guests boot(const LabHost& host, const std::vector<GuestSpec>& specs) {
  Guests guests;
  for (const GuestSpec& spec : specs) guests.push_back(std::make_unique<Guest>(host, spec));
  for (const auto& guest : guests) {
    // An emulated processor has hung as its kernel booted, before anything of memcoord ran.
    if (guest->wait_for("lab: start", std::chrono::seconds(60))) continue;
    guest->reset();
    if (!guest->wait_for("lab: start")) {
      throw std::runtime_error(guest->name() + " does not boot; its console:\n" + guest->console());
    }
  }
  return guests;
}

GuestSpec guest_of(const std::string& name, const std::string& load, MemorySize initial) {
  GuestSpec spec;
  spec.name = name;
  spec.maximum = MemorySize::from_mib(768);
  spec.initial = initial;
  spec.load = load;
  return spec;
}

}  // namespace memcoord::lab
