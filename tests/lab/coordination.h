#pragma once
// Runs the built program on the lab's guests and reads its journal.

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

/// A run of memcoord. Its journal, output and errors go to files in the lab's folder.
class Coordination {
 public:
  /// An empty `binary`: the program of this build.
  Coordination(const LabHost& host, const std::string& options, const std::string& name = "run",
               const std::string& binary = "");

  /// Sends SIGTERM, waits for the end and returns the exit code.
  int end();
  /// Ends it as a crash does (SIGKILL).
  void kill();
  /// All whole lines of its journal so far.
  [[nodiscard]] std::vector<Tick> ticks() const;
  /// The journal ends with a whole line, and every line is readable.
  [[nodiscard]] bool journal_is_whole() const;
  [[nodiscard]] const std::filesystem::path& journal() const { return journal_; }
  /// Copies the journal there, over an earlier one.
  void copy_journal(const std::filesystem::path& to) const {
    std::filesystem::copy_file(journal_, to, std::filesystem::copy_options::overwrite_existing);
  }
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string errors() const;
  /// Waits until the journal has `n` ticks; false: it did not get them.
  bool wait_for_ticks(std::size_t n) const;
  /// Waits for `n` more ticks than there are now.
  bool wait_for_more_ticks(std::size_t n) const { return wait_for_ticks(ticks().size() + n); }
  /// Waits for a wanted tick after the first `skip`.
  bool wait_for_tick(const std::function<bool(const Tick&)>& wanted, std::size_t skip = 0) const;
  [[nodiscard]] pid_t pid() const { return process_->pid(); }

 private:
  std::filesystem::path journal_;
  std::filesystem::path output_;
  std::filesystem::path errors_;
  std::unique_ptr<testing::Process> process_;
};

/// Without the ticks that got no answer from libvirt in time. A busy machine costs a tick, which
/// memcoord may lose.
std::vector<Tick> answered(std::vector<Tick> ticks);

/// The most ticks from the first one in which a domain starves (it is under the floor and may grow,
/// and the host has memory) to a grow for it. 0: in the same tick.
int longest_wait(const std::vector<Tick>& ticks);

/// A domain of a tick's snapshot by name; null: it is not there.
const Domain* find_domain(const Tick& tick, const std::string& name);
/// The tick's snapshot has the domain as running, and the guard does not skip it.
bool serves(const Tick& tick, const std::string& name);
/// Why a tick skipped the domain; empty: it did not.
std::string why_skipped(const Tick& tick, const std::string& name);
/// The outcome of a tick's move of the domain; none: there was no move.
std::optional<Outcome> outcome_of(const Tick& tick, const std::string& name);

/// Writes a test's policy into the lab's folder and returns its path.
std::string write_policy(const LabHost& host, const std::string& name, const std::string& text);

/// How often a domain grew and shrank.
struct Moves {
  int grows = 0;
  int shrinks = 0;
};
Moves moves_of(const std::vector<Tick>& ticks, const std::string& name);

}  // namespace memcoord::lab
