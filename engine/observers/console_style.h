#pragma once
// What a screen can do.

namespace memcoord::observers {

/// Injected into whatever draws, so that tests compare exact text.
struct ConsoleStyle {
  bool color = false;
  bool unicode = false;
  bool interactive = false;  ///< redraw in place, with the newest messages below the table
  bool local_time = false;   ///< times in the process's time zone; else UTC, and said so
  int width = 0;             ///< columns; 0: as wide as it takes
  int height = 0;            ///< lines; 0: as many as it takes
};

}  // namespace memcoord::observers
