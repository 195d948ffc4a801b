#pragma once
// What the program's end tells the shell; docs/command-line.md lists them.

namespace memcoord::cli {

enum class ExitCode {
  ok = 0,      ///< done as asked, also where a signal asked for the end
  failed = 1,  ///< something went wrong under way: a connection, a failing test, an unsound policy
  bad_usage = 2,  ///< what was given cannot be used: an option, a configuration, a file, a name
  forced = 130,   ///< ended at once by a second signal: nothing was put back
};

}  // namespace memcoord::cli
