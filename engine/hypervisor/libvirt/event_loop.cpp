#include "engine/hypervisor/libvirt/event_loop.h"

#include <libvirt/libvirt.h>

#include <mutex>
#include <stop_token>
#include <thread>

namespace memcoord::libvirt {
namespace {

class RunningLoop final : public EventLoop {
 public:
  RunningLoop() {
    // Registered once a process: libvirt has no way back.
    static std::once_flag registered;
    std::call_once(registered, [] { (void)virEventRegisterDefaultImpl(); });
    // Idle until woken: without a timer, an iteration with nothing to watch would never return.
    timer_ = virEventAddTimeout(
        -1, [](int timer, void*) { virEventUpdateTimeout(timer, -1); }, nullptr, nullptr);
    thread_ = std::jthread([](const std::stop_token& stop) {
      while (!stop.stop_requested()) (void)virEventRunDefaultImpl();
    });
  }
  RunningLoop(const RunningLoop&) = delete;
  RunningLoop& operator=(const RunningLoop&) = delete;
  ~RunningLoop() override {
    thread_.request_stop();
    virEventUpdateTimeout(timer_, 0);
    thread_.join();
    virEventRemoveTimeout(timer_);
  }

 private:
  int timer_ = -1;
  std::jthread thread_;
};

}  // namespace

std::shared_ptr<EventLoop> EventLoop::shared() {
  static std::mutex mutex;
  static std::weak_ptr<EventLoop> running;
  const std::lock_guard lock(mutex);
  std::shared_ptr<EventLoop> loop = running.lock();
  if (!loop) {
    loop = std::make_shared<RunningLoop>();
    running = loop;
  }
  return loop;
}

}  // namespace memcoord::libvirt
