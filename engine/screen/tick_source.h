#pragma once
// Where a screen's ticks come from: the run in this process, or one that serves a control socket.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/core/tick.h"
#include "engine/core/uuid.h"

namespace memcoord::screen {

/// What a person at the screen asks for.
struct Query {
  enum class Kind { refresh, explain, pause, resume };
  Kind kind = Kind::refresh;
  std::optional<Uuid> domain = {};  ///< pause, resume: none for every domain
  bool operator==(const Query&) const = default;
};

/// The response to a query, for people.
struct Reply {
  Query::Kind kind = Query::Kind::refresh;
  std::string text;  ///< lines, or one line
  bool failed = false;
};

/// No call waits. The screen's thread calls all of them.
class TickSource {
 public:
  /// What is known at one moment.
  struct Reading {
    std::shared_ptr<const Tick> newest = {};  ///< null before the first tick
    std::string problem = {};         ///< why `newest` grows old, for people; empty if it does not
    std::chrono::seconds silent{};    ///< with a problem: the time since the last good answer
    std::optional<Reply> reply = {};  ///< to the oldest query without one
  };

  virtual ~TickSource() = default;
  /// From now on calls `news` from any thread as soon as read() returns something new, as long as
  /// the source lives.
  virtual void begin(std::function<void()> news) = 0;
  virtual Reading read() = 0;
  /// A query that still waits to be sent is not sent twice.
  virtual void ask(const Query& query) = 0;
};

}  // namespace memcoord::screen
