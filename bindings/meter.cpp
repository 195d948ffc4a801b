#include "bindings/meter.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "bindings/sandbox.h"
#include "bindings/script_alarm.h"

namespace memcoord::bindings {
namespace {

constexpr int kHookEvery = 200;
// From this size on a block also looks at the clock: one instruction can ask for megabytes.
constexpr std::size_t kLargeBlock = std::size_t{16} * 1024;
// Each block counts as this at least, so that the limit bounds how many there are, and with that
// how long a garbage collection takes.
constexpr std::size_t kLeastCounted = 128;
// What a step of the garbage collector, about half a millisecond, counts as.
constexpr std::uint64_t kCollectorStep = 5'000;

std::size_t counted(std::size_t size) {
  return size == 0 ? 0 : std::max(size, kLeastCounted);
}

void count_hook(lua_State* lua, lua_Debug*) {
  Meter& meter = Sandbox::meter_of(lua);
  meter.charge(kHookEvery);
  if (meter.wants_room()) meter.make_room();
  if (meter.tripped() != Meter::Trip::none) raise(lua, meter.message());
}

}  // namespace

void Meter::start(std::optional<Time> no_later_than) {
  instructions_ = 0;
  next_look_ = 0;
  wants_room_ = false;
  tripped_ = Trip::none;
  deadline_ = std::chrono::steady_clock::now() + limits_.time;
  if (no_later_than) deadline_ = std::min(deadline_, *no_later_than);
  if (const Meter* outer = script_alarm::running()) {
    deadline_ = std::min(deadline_, outer->deadline_);
  }
  lua_sethook(lua_, count_hook, LUA_MASKCOUNT, kHookEvery);
  running_ = true;
  outer_ = script_alarm::begin(*this);
}

void Meter::stop() {
  look();
  script_alarm::end(outer_);
  running_ = false;
  lua_sethook(lua_, nullptr, 0, 0);
}

bool Meter::look() {
  if (std::chrono::steady_clock::now() >= deadline_) trip(Trip::time);
  return tripped_ == Trip::none;
}

bool Meter::charge(std::uint64_t instructions) {
  instructions_ += std::min(instructions, limits_.instructions + 1);
  if (instructions_ > limits_.instructions) trip(Trip::instructions);
  if (instructions_ >= next_look_) {
    next_look_ = instructions_ + kHookEvery;
    look();
  }
  return tripped_ == Trip::none;
}

void Meter::trip(Trip limit) {
  Trip none = Trip::none;
  if (!running_ || !tripped_.compare_exchange_strong(none, limit)) return;
  lua_sethook(lua_, count_hook, LUA_MASKCOUNT, 1);
}

void Meter::cut_short(Trip limit) {
  // The signal can be of a call that is over.
  if (limit == Trip::time && std::chrono::steady_clock::now() < deadline_) return;
  trip(limit);
}

std::string Meter::message() const {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto mib = [](std::size_t bytes) { return std::to_string(bytes >> 20U) + " MiB"; };
  switch (tripped_) {
    case Trip::time:
      return "ran past its time limit of " +
             std::to_string(duration_cast<milliseconds>(limits_.time).count()) + " ms";
    case Trip::instructions:
      return "ran past its limit of " + std::to_string(limits_.instructions) + " instructions";
    case Trip::memory:
      return "ran past its memory limit of " + mib(limits_.memory_bytes);
    case Trip::text:
      return "ran past the limit of " + mib(kLongestText) + " for one text";
    case Trip::block:
      return "ran past the limit of " + mib(kLargestBlock) + " for one table or the stack";
    case Trip::interrupted:
      return "was interrupted, since the program is to end";
    case Trip::none:
      break;
  }
  return {};
}

void Meter::make_room() {
  wants_room_ = false;
  // The first cycle that ends may have begun before the garbage was garbage.
  for (int cycles = 0; cycles < 2 && charge(kCollectorStep);) {
    if (lua_gc(lua_, LUA_GCSTEP, 0) != 0) ++cycles;
  }
  // Less room than that would be used up, and collected again, in no time.
  if (used_bytes_ > limits_.memory_bytes - limits_.memory_bytes / 16) trip(Trip::memory);
  if (tripped_ == Trip::none) lua_sethook(lua_, count_hook, LUA_MASKCOUNT, kHookEvery);
}

bool Meter::may_grow(std::size_t had, std::size_t wanted, bool is_text) {
  // A block that is too large in itself is granted all the same, for one instruction.
  const std::size_t largest = is_text ? kLongestText + 64 : kLargestBlock;
  if (wanted > had && wanted > largest) trip(is_text ? Trip::text : Trip::block);
  if (std::max(had, wanted) >= kLargeBlock) look();
  const std::size_t after = used_bytes_ - counted(had) + counted(wanted);
  if (wanted <= had || after <= limits_.memory_bytes) return true;
  if (tripped_ == Trip::none && !wants_room_) {
    wants_room_ = true;
    lua_sethook(lua_, count_hook, LUA_MASKCOUNT, 1);
  }
  return after <= limits_.memory_bytes + limits_.memory_bytes / 2;
}

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): lua_Alloc asks for it
void* Meter::allocate(void* meter, void* block, std::size_t old_size, std::size_t new_size) {
  auto& self = *static_cast<Meter*>(meter);
  const std::size_t had = block ? old_size : 0;  // for new objects old_size is their type
  if (new_size == 0) {
    std::free(block);
    self.used_bytes_ -= counted(had);
    return nullptr;
  }
  const bool is_text = !block && old_size == LUA_TSTRING;
  if (self.running_ && !self.may_grow(had, new_size, is_text)) {
    self.trip(Trip::memory);
    // For a new object Lua, which is built as C++, unwinds as after an error of its own. Null would
    // make it collect garbage first, all at once; parts of tables need that answer all the same.
    if (!block && old_size != 0) throw std::bad_alloc();
    return nullptr;
  }
  void* moved = std::realloc(block, new_size);
  if (!moved) return nullptr;
  self.used_bytes_ += counted(new_size) - counted(had);
  return moved;
}
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

}  // namespace memcoord::bindings
