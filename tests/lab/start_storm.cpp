#include "tests/lab/start_storm.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace memcoord::lab {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// Gives every guest all that the guard allows, so that nothing is left for guests that start.
constexpr const char* kGreedy = R"(
return {
  api = 1,
  summary = "Grow every domain to its maximum",
  tick = function(ctx)
    for _, d in ipairs(ctx.domains) do d:set(d.maximum, "greedy") end
  end,
}
)";

/// The memory that the QEMU processes of the lab hold. What they share, such as QEMU's own code,
/// counts once.
MemorySize resident(const LabHost& host) {
  MemorySize sum;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(host.folder() / "libvirt/qemu/run", gone)) {
    if (entry.path().extension() != ".pid") continue;
    std::string process;
    std::ifstream(entry.path()) >> process;
    std::ifstream rollup("/proc/" + process + "/smaps_rollup");
    for (std::string word; rollup >> word;) {
      std::uint64_t kib = 0;
      if (word == "Pss:" && rollup >> kib) sum += MemorySize::from_kib(kib);
    }
  }
  return sum;
}

}  // namespace

/// Observes the host's memory from its construction to end().
class TightHost::Sampler {
 public:
  explicit Sampler(const LabHost& host)
      : host_(host), thread_([this](const std::stop_token& stop) { run(stop); }) {}
  StormResult end() {
    thread_.request_stop();
    thread_.join();
    return result_;
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const MemorySize now = resident(host_);
      result_.most = std::max(result_.most, now);
      ++result_.samples;
      if (now + kFloor > kBudget) ++result_.breaches;
      std::this_thread::sleep_for(250ms);
    }
  }

  const LabHost& host_;
  StormResult result_;
  std::jthread thread_;
};

TightHost::TightHost(const std::string& binary)
    : binary_(binary.empty() ? MEMCOORD_BINARY : binary),
      socket_((host_.folder() / "control.sock").string()) {
  std::vector<GuestSpec> specs;
  for (int i = 0; i < kFilling; ++i) {
    // It touches most of its memory and frees it again; the host keeps it resident.
    specs.push_back(guest_of("filling" + std::to_string(i), "600:5,600:2,20:0,20:3600", 768_MiB));
  }
  filling_ = boot(host_, specs);
  std::this_thread::sleep_for(15s);
  run_ = std::make_unique<Coordination>(host_,
                                        "--policy " + write_policy(host_, "greedy", kGreedy) +
                                            " --control " + socket_ + " --host-memory " +
                                            std::to_string(kBudget.kib() / 1024) + "MiB 0.5",
                                        "run", binary_);
  wait_until_full();
}

void TightHost::wait_until_full() const {
  const auto is_full = [](const Tick& tick) {
    return std::count_if(tick.snapshot.domains.begin(), tick.snapshot.domains.end(),
                         [](const Domain& domain) { return domain.actual >= 700_MiB; }) == kFilling;
  };
  if (!run_->wait_for_tick(is_full, run_->ticks().size())) {
    throw std::runtime_error("the guests do not fill the host");
  }
}

bool TightHost::hook(const std::string& name, const std::string& operation) const {
  const std::string xml = (host_.folder() / (name + ".xml")).string();
  std::ofstream(xml)
      << "<domain type='qemu'><name>" + name +
             "</name><devices><memballoon model='virtio'/></devices><memory unit='KiB'>" +
             std::to_string((kNewcomer + kTranslated).kib()) + "</memory></domain>";
  const std::string command = binary_ + " admit --refuse --wait 120s --hold 120s --control " +
                              socket_ + " -- " + name + " " + operation + " - < " + xml;
  testing::Process process({"/bin/sh", "-c", "exec " + command});
  // Each waits two minutes at most; a busy machine's guests release their memory slowly.
  for (int waits = 0; waits < 3 && !process.wait_for_errors("\n"); ++waits) {
    if (operation != "prepare begin") break;
  }
  return process.finish().exit_code == 0;
}

StormResult TightHost::start(int guests, bool with_hook) {
  Sampler sampler(host_);
  const auto began = std::chrono::steady_clock::now();
  std::mutex mutex;
  Guests started;  // under mutex
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> starts;
    for (int i = 0; i < guests; ++i) {
      starts.emplace_back([&, name = "new" + std::to_string(i)] {
        if (with_hook && !hook(name, "prepare begin")) {
          ++refused;
          return;
        }
        GuestSpec spec = guest_of(name, "40:0,40:3600", kNewcomer);
        spec.maximum = kNewcomer;
        auto guest = std::make_unique<Guest>(host_, spec);
        const std::lock_guard lock(mutex);
        started.push_back(std::move(guest));
      });
    }
  }
  for (const auto& guest : started) {
    if (!guest->wait_for("lab: start")) throw std::runtime_error(guest->name() + " does not boot");
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::this_thread::sleep_for(10s);
  StormResult result = sampler.end();
  result.refused = refused;
  result.seconds = took.count();
  for (const auto& guest : started) {
    guest->destroy();
    if (with_hook) (void)hook(guest->name(), "release end");
  }
  return result;
}

}  // namespace memcoord::lab
