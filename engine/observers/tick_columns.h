#pragma once
// A block of ticks as columns and back. Each figure of a domain is stored as its difference from
// the domain's figure one tick before, each decision as its difference from what was proposed: most
// differences are zero.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/core/error.h"
#include "engine/core/tick.h"
#include "engine/observers/column_nodes.h"
#include "engine/observers/journal.h"

namespace memcoord::observers {

/// Writes ticks into columns, or reads them back. An object does one of both. The columns depend on
/// nothing outside the block.
class TickColumns {
 public:
  TickColumns();
  ~TickColumns();
  TickColumns(TickColumns&&) noexcept;
  TickColumns& operator=(TickColumns&&) noexcept;

  /// Adds a tick.
  void write(const Tick& tick);
  /// The number of values in all columns.
  [[nodiscard]] std::size_t size() const;

  /// Reads the next tick, as many times as ticks were written. Members that `parts` leaves out are
  /// as in a new tick. Returns false if the columns are damaged.
  bool read(Tick& tick, TickParts parts);

  /// The columns and texts: to store them, and to fill them before the first read().
  [[nodiscard]] columns::Block& block();

 private:
  class Coder;
  std::unique_ptr<Coder> coder_;
};

}  // namespace memcoord::observers
