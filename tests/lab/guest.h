#pragma once
// A real guest that boots under the lab's daemon and reports on its serial console.

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/memory_size.h"
#include "tests/lab/lab_host.h"

namespace memcoord::lab {

struct GuestSpec {
  std::string name;
  MemorySize maximum = MemorySize::from_mib(512);
  MemorySize initial = MemorySize::from_mib(512);  ///< balloon size at its definition
  std::string load = "20:1";                       ///< tests/lab/guest/plan.cpp
  MemorySize swap;                                 ///< on a disk of its own
  MemorySize disk;                                 ///< an empty disk to read, for page cache
  bool balloon_driver = true;
  bool persistent = false;  ///< libvirt keeps a configuration of it
  /// <on_crash>: what libvirt does when it panics; empty: the guest has no device to report a
  /// panic.
  std::string on_crash;
  std::string more;  ///< more words for its kernel command line
};

/// A guest's report on its console; it makes one a second.
struct ConsoleReport {
  double seconds = 0;
  MemorySize total;
  MemorySize free;
  MemorySize available;
  int held_mib = 0;
};

class Guest {
 public:
  Guest(const LabHost& host, GuestSpec spec);
  /// Ends the guest if it still runs.
  ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  [[nodiscard]] const std::string& name() const { return spec_.name; }
  /// All text that the guest has written to its console.
  [[nodiscard]] std::string console() const;
  [[nodiscard]] std::vector<ConsoleReport> reports() const;
  /// The guest's OOM killer has acted.
  [[nodiscard]] bool was_oom_killed() const;
  /// Waits until the console contains a text; false: it did not by the end of `patience`.
  bool wait_for(const std::string& text,
                std::chrono::seconds patience = std::chrono::seconds(120)) const;
  /// How often the console contains a text: "lab: start" counts boots.
  [[nodiscard]] int times_said(const std::string& text) const;
  /// Waits for the balloon driver's first report.
  bool wait_for_statistics() const;

  void stop_process() const;  ///< SIGSTOP to its QEMU
  void continue_process() const;
  void kill_process() const;  ///< SIGKILL to its QEMU, as in a crash
  void destroy() const;
  /// Adds an element to the <metadata> of its configuration and defines it again, as `virsh edit`
  /// does. The guest must be persistent.
  void edit_metadata(const std::string& element) const;
  /// Its configuration: `virsh dumpxml --inactive`.
  [[nodiscard]] std::string configuration() const;
  void reset() const;  ///< as a machine's reset button does
  /// Writes its memory to a file and ends it, as `virsh save` does; starts it again from that file.
  void save() const;
  void restore() const;
  /// Takes a snapshot of its memory and its disk, which it must have; reverts the running guest to
  /// it.
  void take_snapshot() const;
  void revert_to_snapshot() const;
  /// The balloon size that libvirt reports now.
  [[nodiscard]] MemorySize actual() const;
  [[nodiscard]] bool wait_for_actual(MemorySize size) const;
  /// 0: off. While memcoord asks the guest for a report, it is 0 for a moment.
  [[nodiscard]] int statistics_period() const;
  [[nodiscard]] bool wait_for_period(int seconds) const;
  void set_statistics_period(int seconds) const;

 private:
  [[nodiscard]] std::string xml() const;
  [[nodiscard]] std::string disk_path(const std::string& kind) const;
  [[nodiscard]] std::string disks_xml() const;
  void make_disk(const std::string& kind, MemorySize size) const;
  void signal_process(int signal) const;

  const LabHost& host_;
  GuestSpec spec_;
  std::string console_path_;
};

using Guests = std::vector<std::unique_ptr<Guest>>;

/// Boots guests and waits until all of them have begun their plans; throws if one does not.
Guests boot(const LabHost& host, const std::vector<GuestSpec>& specs);

/// A guest of 768 MiB with a plan.
GuestSpec guest_of(const std::string& name, const std::string& load,
                   MemorySize initial = MemorySize::from_mib(384));

}  // namespace memcoord::lab
