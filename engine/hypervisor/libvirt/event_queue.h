#pragma once
// What libvirt's events say, handed from its event thread to whoever samples next.

#include "engine/core/time.h"
#include "engine/core/uuid.h"
#include "engine/hypervisor/libvirt/handover.h"

namespace memcoord::libvirt {

struct DomainEvent {
  enum class Kind {
    started,
    rebooted,
    restored,  ///< from a file, a snapshot or another host: the same guest goes on
    paused,
    resumed,
    stopped,
    job_began,  ///< a migration is under way
    job_ended,
    redefined,  ///< its configuration, devices or metadata have changed: read it again
  };
  Uuid domain;
  Kind kind{};
  MonotonicTime at{};
};

using EventQueue = Inbox<DomainEvent>;

}  // namespace memcoord::libvirt
