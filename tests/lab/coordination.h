#pragma once
// memcoord at work on the lab's guests: the built program, and what its journal says afterwards.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/tick.h"
#include "tests/integration/cli/process.h"
#include "tests/lab/lab_host.h"

namespace memcoord::lab {

/// One run of memcoord; its journal, output and errors go to files in the lab's folder.
class Coordination {
 public:
  Coordination(const LabHost& host, const std::string& options, const std::string& name = "run");

  /// Asks it to end (SIGTERM) and waits; its exit code.
  int end();
  /// Ends it as a crash does (SIGKILL).
  void kill();
  [[nodiscard]] std::vector<Tick> ticks() const;
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string errors() const;
  /// Waits until so many ticks are in the journal.
  bool wait_for_ticks(std::size_t n) const;

 private:
  std::filesystem::path journal_;
  std::filesystem::path output_;
  std::filesystem::path errors_;
  std::unique_ptr<testing::Process> process_;
};

/// Ticks between the first sight of a starving domain (under the floor, able to grow, the host able
/// to give) and a grow for it; the longest over all domains and times. 0: in the same tick.
int longest_wait(const std::vector<Tick>& ticks);

/// How often a domain of this name was grown or shrunk.
struct Moves {
  int grows = 0;
  int shrinks = 0;
};
Moves moves_of(const std::vector<Tick>& ticks, const std::string& name);

}  // namespace memcoord::lab
