#pragma once
// What lanes are asked to do with domains, and what they answer.

#include <chrono>
#include <cstdint>
#include <optional>

#include "engine/core/memory_size.h"
#include "engine/core/uuid.h"
#include "engine/hypervisor/libvirt/connection.h"

namespace memcoord::libvirt {

struct DomainTask {
  enum class Kind {
    sample,
    set_memory,  ///< unless a migration, save or snapshot is under way
    set_period,
    restore_period,  ///< unless somebody else has changed it since
    check_job,       ///< whether a migration, save or snapshot is under way
  };
  Kind kind = Kind::sample;
  Uuid domain;
  MemorySize target;                 ///< set_memory
  std::chrono::seconds period{};     ///< set_period, restore_period: the period to set
  std::chrono::seconds set_by_us{};  ///< restore_period: the period it must still have
  bool balloon_moves = false;        ///< sample: query its balloon individually
  std::uint64_t call = 0;            ///< set_memory: tells its late answer from another's
};

struct TaskAnswer {
  enum class Kind {
    unanswered,  ///< not within the deadline, through no fault of this domain's that was seen
    done,        ///< with the record, where it was asked for
    gone,        ///< no such active domain any more
    in_job,      ///< a migration, save, dump or snapshot is under way
    hung,        ///< its monitor does not answer
    failed,      ///< with the error
  };
  Kind kind = Kind::unanswered;
  std::optional<DomainRecord> record;
  std::optional<LvError> error;
  /// A call that changes the domain has been made and is not answered; a late answer may come.
  bool under_way = false;
  /// Such a call was made on a connection that was then lost; no answer will come.
  bool lost = false;
};

/// An answer that came after nobody waited for it any more.
struct LateAnswer {
  DomainTask task;
  TaskAnswer answer;
};

}  // namespace memcoord::libvirt
