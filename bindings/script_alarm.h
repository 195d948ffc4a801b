#pragma once
// The signal that cuts a script short: from a timer of its thread's own when its time is over, from
// another thread when the program is to end. Lua lets a signal handler set the hook that ends the
// script at its next instruction.

#include <pthread.h>

#include "bindings/meter.h"

namespace memcoord::bindings::script_alarm {

/// The script of `meter` runs in this thread from now on, until its deadline; returns the meter
/// that ran until then, if any.
Meter* begin(Meter& meter);
/// What ran before goes on.
void end(Meter* outer);
/// The meter whose script runs in this thread; null where none does.
Meter* running();

/// Ends the script that runs in another thread of this process, if one does, by
/// Meter::Trip::interrupted. The thread has to live.
void interrupt(pthread_t thread);

}  // namespace memcoord::bindings::script_alarm
