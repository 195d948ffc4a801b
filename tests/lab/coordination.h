#pragma once
// memcoord at work on the lab's guests: the built program, and what its journal says afterwards.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
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
  /// Every whole line of its journal so far.
  [[nodiscard]] std::vector<Tick> ticks() const;
  /// The journal ends in a whole line, and every line of it can be read.
  [[nodiscard]] bool journal_is_whole() const;
  [[nodiscard]] const std::filesystem::path& journal() const { return journal_; }
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string errors() const;
  /// Waits until so many ticks are in the journal.
  bool wait_for_ticks(std::size_t n) const;
  /// Waits for so many ticks more than there are now.
  bool wait_for_more_ticks(std::size_t n) const { return wait_for_ticks(ticks().size() + n); }
  /// Waits until some tick, of those after the first `skip`, is as wanted.
  bool wait_for_tick(const std::function<bool(const Tick&)>& wanted, std::size_t skip = 0) const;
  /// The process itself, as the kernel knows it.
  [[nodiscard]] pid_t pid() const { return process_->pid(); }

 private:
  std::filesystem::path journal_;
  std::filesystem::path output_;
  std::filesystem::path errors_;
  std::unique_ptr<testing::Process> process_;
};

/// Ticks between the first sight of a starving domain (under the floor, able to grow, the host able
/// to give) and a grow for it; the longest over all domains and times. 0: in the same tick.
int longest_wait(const std::vector<Tick>& ticks);

/// A domain by its name, as a tick's snapshot has it; null where it is not there.
const Domain* find_domain(const Tick& tick, const std::string& name);
/// Whether a tick's snapshot shows the domain running, with the guard letting the policy at it.
bool serves(const Tick& tick, const std::string& name);
/// Why a tick left the domain alone; empty where it did not.
std::string why_held(const Tick& tick, const std::string& name);
/// What came of a tick's move of the domain; none where it made none.
std::optional<Outcome> outcome_of(const Tick& tick, const std::string& name);

/// Writes a policy for a test into the lab's folder; its path.
std::string write_policy(const LabHost& host, const std::string& name, const std::string& text);

/// How often a domain of this name was grown or shrunk.
struct Moves {
  int grows = 0;
  int shrinks = 0;
};
Moves moves_of(const std::vector<Tick>& ticks, const std::string& name);

}  // namespace memcoord::lab
