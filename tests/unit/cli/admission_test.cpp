#include "engine/cli/admission.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/text.h"
#include "tests/world/fakes.h"

using namespace memcoord;
using namespace memcoord::cli;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

/// A run that answers as a test says.
struct FakeRun : ReserveClient {
  Result<bool> reserve(const std::string& name, MemorySize size, Duration time) override {
    reserved.push_back(name + " " + size.text());
    held_for = time;
    return on_reserve();
  }
  Status release(const std::string& name) override {
    released.push_back(name);
    return {};
  }
  Result<bool> can_fit(MemorySize) override {
    ++fit_questions;
    return on_fit();
  }
  Result<bool> is_ready(const std::string&) override {
    ++questions;
    return on_question();
  }

  std::function<Result<bool>()> on_reserve = [] { return true; };
  std::function<Result<bool>()> on_question = [] { return true; };
  std::vector<std::string> reserved;
  std::vector<std::string> released;
  Duration held_for{};
  std::function<Result<bool>()> on_fit = [] { return true; };
  int questions = 0;
  int fit_questions = 0;
};

Result<bool> busy() {
  return fail(ErrorCode::timed_out, "", "memcoord does not answer");
}
Result<bool> absent() {
  return fail(ErrorCode::unavailable, "/run/x.sock", "no memcoord runs here");
}

struct Start {
  FakeRun run;
  FakeClock clock;
  AdmissionOptions options;
  Admission admit() { return cli::admit("web", 1_GiB, options, run, clock); }
};

libvirt::DomainDescription described(const std::string& inner) {
  return libvirt::describe_domain("<domain type='kvm'>" + inner + "</domain>", "web").value();
}

}  // namespace

TEST_CASE("a hook reserves before a start, releases after an end, and lets every other call pass") {
  CHECK(hook_call("prepare", "begin") == HookCall::reserve);
  CHECK(hook_call("release", "end") == HookCall::release);
  for (const char* operation : {"start", "started", "stopped", "reconnect", "attach", "migrate",
                                "restore", "", "PREPARE"}) {
    CHECK(hook_call(operation, "begin") == HookCall::other);
  }
  CHECK(hook_call("prepare", "end") == HookCall::other);
}

TEST_CASE("a guest is counted with its maximum and its QEMU, without hugepages") {
  const std::string memory = "<memory unit='MiB'>1024</memory>";
  const std::string smaller = "<currentMemory unit='MiB'>512</currentMemory>";
  CHECK(memory_to_start(described(memory)) == 1_GiB + 64_MiB);
  CHECK(memory_to_start(described(memory + smaller)) == 1_GiB + 64_MiB);
  CHECK(memory_to_start(described(memory + "<memoryBacking><hugepages/></memoryBacking>")) ==
        64_MiB);
}

TEST_CASE("a reserve from before the request is not ready, whatever the run shows of it") {
  const auto headroom = observers::Json::parse(R"({"reserves":[
      {"name":"web","since":3,"ready":true},{"name":"db","since":5,"ready":false},
      {"name":"db","since":7,"ready":true}]})")
                            .value();
  CHECK(is_ready_in(headroom, "web", 3) == true);
  CHECK(is_ready_in(headroom, "web", 2) == true);
  CHECK(is_ready_in(headroom, "web", 4) == false);
  CHECK(is_ready_in(headroom, "db", 5) == false);
  CHECK(is_ready_in(headroom, "db", 6) == true);
  CHECK(is_ready_in(headroom, "mail", 1) == false);
  CHECK(is_ready_in(observers::Json::parse("{}").value(), "web", 1) == std::nullopt);
  CHECK(is_ready_in(observers::Json::parse("{\"reserves\":5}").value(), "web", 1) == std::nullopt);
}

TEST_CASE("a start goes on as soon as its memory is there") {
  Start start;
  start.options.hold = 90s;
  start.run.on_question = [&] { return start.run.questions > 3; };
  const Admission admission = start.admit();
  CHECK(admission.starts);
  CHECK(admission.why == "1 GiB are reserved for it");
  CHECK(start.run.reserved == std::vector<std::string>{"web 1 GiB"});
  CHECK(start.run.held_for == 90s);
  CHECK(start.clock.slept() == 300ms);
  CHECK(start.run.released.empty());
}

TEST_CASE("a start waits no longer than it may, and then goes on and keeps its reserve") {
  Start start;
  start.options.wait = 5s;
  start.run.on_question = [] { return false; };
  const Admission admission = start.admit();
  CHECK(admission.starts);
  CHECK(admission.why ==
        "it starts without room made for it: the 1 GiB that it may take are not free after 5 s");
  CHECK(start.clock.slept() == 5s);
  CHECK(start.run.released.empty());
}

TEST_CASE("a start is refused only where the operator has said so, and loses its reserve") {
  Start start;
  start.options.refuse = true;
  start.run.on_question = [] { return false; };
  const Admission admission = start.admit();
  CHECK_FALSE(admission.starts);
  CHECK(admission.why == "it does not start: the 1 GiB that it may take are not free after 10 s");
  CHECK(start.run.released == std::vector<std::string>{"web"});
}

TEST_CASE("a guest that the host cannot fit is refused without a reserve, so that no other gives") {
  Start start;
  start.options.refuse = true;
  start.run.on_fit = [] { return false; };
  CHECK_FALSE(start.admit().starts);
  CHECK(start.run.reserved.empty());
  CHECK(start.clock.slept() == 10s);

  // Room may come while it waits.
  Start later;
  later.options.refuse = true;
  later.run.on_fit = [&] { return later.run.fit_questions > 2; };
  CHECK(later.admit().starts);
  CHECK(later.run.reserved.size() == 1);
}

TEST_CASE("a guest that the host cannot fit starts without a reserve, so that no other gives") {
  Start start;
  start.run.on_fit = [] { return false; };
  const Admission admission = start.admit();
  CHECK(admission.starts);
  CHECK(admission.why ==
        "it starts without room made for it: the 1 GiB that it may take do not fit on this host");
  CHECK(start.run.reserved.empty());
  CHECK(start.clock.slept() == 0s);
}

TEST_CASE("a start goes on where memcoord is absent, busy or in a dry run, even if it may refuse") {
  for (const bool refuse : {false, true}) {
    Start gone;
    gone.options.refuse = refuse;
    gone.run.on_reserve = absent;
    gone.run.on_fit = absent;
    CHECK(gone.admit().starts);
    CHECK(gone.clock.slept() == 0s);

    Start slow;
    slow.options.refuse = refuse;
    slow.run.on_reserve = busy;
    slow.run.on_fit = busy;
    CHECK(slow.admit().starts);
    CHECK(slow.clock.slept() == 10s);

    Start dies;
    dies.options.refuse = refuse;
    dies.run.on_question = absent;
    CHECK(contains(dies.admit().why, "no memcoord runs here"));

    Start dry;
    dry.options.refuse = refuse;
    dry.run.on_reserve = [] { return false; };
    CHECK(contains(dry.admit().why, "dry run"));
    CHECK(dry.run.questions == 0);
  }
}

TEST_CASE("a run that is busy once is asked again") {
  Start start;
  start.run.on_reserve = [&]() -> Result<bool> {
    if (start.run.reserved.size() < 3) return busy();
    return true;
  };
  start.run.on_question = [&]() -> Result<bool> {
    if (start.run.questions == 1) return busy();
    return true;
  };
  CHECK(start.admit().why == "1 GiB are reserved for it");
}
