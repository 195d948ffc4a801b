#include "bindings/meter.h"

#include <lauxlib.h>
#include <lua.h>

#include <cstdlib>

#include "bindings/sandbox.h"

namespace memcoord::bindings {
namespace {

constexpr int kHookEvery = 200;
// From this size on an allocation also looks at the clock: one instruction can ask for megabytes.
constexpr std::size_t kLargeBlock = std::size_t{16} * 1024;

void count_hook(lua_State* lua, lua_Debug*) {
  Meter& meter = Sandbox::meter_of(lua);
  if (!meter.charge(kHookEvery)) raise(lua, "ran past " + meter.limit_text());
}

}  // namespace

void Meter::start() {
  instructions_ = 0;
  next_look_ = 0;
  refused_bytes_ = 0;
  tripped_ = Trip::none;
  running_ = true;
  deadline_ = std::chrono::steady_clock::now() + limits_.time;
  lua_sethook(lua_, count_hook, LUA_MASKCOUNT, kHookEvery);
}

void Meter::stop() {
  running_ = false;
  lua_sethook(lua_, nullptr, 0, 0);
}

bool Meter::past_deadline() const {
  return std::chrono::steady_clock::now() >= deadline_;
}

bool Meter::charge(std::uint64_t instructions) {
  instructions_ += instructions;
  if (instructions_ > limits_.instructions) trip(Trip::instructions);
  if (instructions_ >= next_look_) {
    next_look_ = instructions_ + kHookEvery;
    if (past_deadline()) trip(Trip::time);
  }
  return tripped_ == Trip::none;
}

void Meter::trip(Trip limit) {
  if (!running_ || tripped_ != Trip::none) return;
  tripped_ = limit;
  lua_sethook(lua_, count_hook, LUA_MASKCOUNT, 1);
}

std::string Meter::limit_text() const {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  switch (tripped_) {
    case Trip::time:
      return "its time limit of " +
             std::to_string(duration_cast<milliseconds>(limits_.time).count()) + " ms";
    case Trip::instructions:
      return "its limit of " + std::to_string(limits_.instructions) + " instructions";
    case Trip::memory:
      return "its memory limit of " + std::to_string(limits_.memory_bytes >> 20U) + " MiB";
    case Trip::text:
      return "the limit of " + std::to_string(kLongestText >> 20U) + " MiB for one text";
    case Trip::none:
      break;
  }
  return "no limit";
}

bool Meter::may_grow(std::size_t had, std::size_t wanted, bool is_text) {
  if (is_text && wanted > kLongestText + 64) trip(Trip::text);
  const std::size_t after = used_bytes_ - had + wanted;
  const bool fits = after <= limits_.memory_bytes;
  // Collecting garbage at every allocation takes time, too.
  if ((!fits || wanted >= kLargeBlock) && past_deadline()) trip(Trip::time);
  if (fits) {
    refused_bytes_ = 0;
    return true;
  }
  if (tripped_ == Trip::none) {
    if (refused_bytes_ != wanted) {
      refused_bytes_ = wanted;
      return false;
    }
    trip(Trip::memory);
  }
  return after <= limits_.memory_bytes + limits_.memory_bytes / 2;
}

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): lua_Alloc asks for it
void* Meter::allocate(void* meter, void* block, std::size_t old_size, std::size_t new_size) {
  auto& self = *static_cast<Meter*>(meter);
  const std::size_t had = block ? old_size : 0;  // for new objects old_size is their type
  if (new_size == 0) {
    std::free(block);
    self.used_bytes_ -= had;
    return nullptr;
  }
  const bool is_text = !block && old_size == LUA_TSTRING;
  if (new_size > had && self.running_ && !self.may_grow(had, new_size, is_text)) return nullptr;
  void* moved = std::realloc(block, new_size);
  if (moved) self.used_bytes_ += new_size - had;
  return moved;
}
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

}  // namespace memcoord::bindings
