#pragma once
// A real guest: booted under the lab's daemon, seen through its own serial console.

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/memory_size.h"
#include "tests/lab/lab_host.h"

namespace memcoord::lab {

/// What a guest is to be like.
struct GuestSpec {
  std::string name;
  MemorySize maximum = MemorySize::from_mib(512);
  MemorySize initial = MemorySize::from_mib(512);  ///< balloon size when it is defined
  std::string load = "20:1";                       ///< tests/lab/guest/plan.cpp
  MemorySize swap;                                 ///< on a disk of its own
  MemorySize disk;                                 ///< an empty one to read, for its page cache
  bool balloon_driver = true;
  bool persistent = false;  ///< its host keeps a configuration of it
  /// What its host does when it panics, as libvirt's <on_crash> has it; empty: it is not told.
  std::string on_crash;
  std::string more;  ///< further words of its kernel command line
};

/// A second of a guest's life, as its console tells it.
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
  /// Ends it, if it still runs.
  ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  [[nodiscard]] const std::string& name() const { return spec_.name; }
  /// Everything it has written to its console so far.
  [[nodiscard]] std::string console() const;
  [[nodiscard]] std::vector<ConsoleReport> reports() const;
  /// Its kernel's OOM killer has acted.
  [[nodiscard]] bool was_oom_killed() const;
  /// Waits until the console says something; false after the patience is over.
  bool wait_for(const std::string& text,
                std::chrono::seconds patience = std::chrono::seconds(120)) const;
  /// How often its console has said something: "lab: start" counts its boots.
  [[nodiscard]] int times_said(const std::string& text) const;
  /// Waits until its balloon driver has reported to the host.
  bool wait_for_statistics() const;

  void stop_process() const;  ///< SIGSTOP to its QEMU
  void continue_process() const;
  void kill_process() const;  ///< SIGKILL to it, as a crash ends it
  void destroy() const;
  /// Puts an element into the <metadata> of its configuration and defines it anew, as `virsh edit`
  /// does; it must be persistent.
  void edit_metadata(const std::string& element) const;
  /// Its configuration, as `virsh dumpxml --inactive` has it.
  [[nodiscard]] std::string configuration() const;
  void reset() const;  ///< as the button on a machine does
  /// Writes its memory to a file and ends it, as `virsh save` does, and starts it from there again.
  void save() const;
  void restore() const;
  /// Takes a snapshot of its memory and its disk, which it must have, and goes back to it while it
  /// runs.
  void take_snapshot() const;
  void revert_to_snapshot() const;
  /// As libvirt has it now.
  [[nodiscard]] MemorySize actual() const;
  [[nodiscard]] bool wait_for_actual(MemorySize size) const;
  [[nodiscard]] int statistics_period() const;
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

/// Boots guests and waits until all of them are at their plan; throws where one does not get there.
Guests boot(const LabHost& host, const std::vector<GuestSpec>& specs);

/// A guest of 768 MiB that starts with `initial` and follows this load.
GuestSpec guest_of(const std::string& name, const std::string& load,
                   MemorySize initial = MemorySize::from_mib(384));

}  // namespace memcoord::lab
