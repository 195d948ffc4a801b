#pragma once
// Draws a screen's state: the lines for the terminal.

#include <chrono>
#include <deque>
#include <string>

#include "engine/core/tick.h"
#include "engine/observers/console.h"
#include "engine/observers/domain_table.h"
#include "engine/screen/screen_state.h"
#include "engine/screen/terminal.h"
#include "engine/screen/tick_source.h"

namespace memcoord::screen {

/// A line of the log.
struct Message {
  WallTime time{};
  std::string text;
  Note::Severity severity = Note::Severity::info;
};

/// What a screen can show.
struct Contents {
  const TickSource::Reading& reading;
  observers::DomainTable& table;  ///< has remembered the newest tick
  const std::deque<Message>& messages;
};

struct Drawn {
  Frame frame;
  Shown shown;
};

/// `style` has the size of the terminal. The frame has as many lines.
Drawn draw(const ScreenState& state, const Contents& contents,
           const observers::ConsoleStyle& style);

}  // namespace memcoord::screen
