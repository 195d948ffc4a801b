// memcoord admit: the body of the hook for libvirt. It reads a domain's XML from standard input and
// calls no function of libvirt's, which waits for the hook's end.

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <thread>

#include "engine/cli/admission.h"
#include "engine/cli/commands.h"
#include "engine/cli/control_request.h"
#include "engine/cli/help.h"
#include "engine/cli/run_control.h"
#include "engine/cli/system_time.h"
#include "engine/cli/terminal.h"
#include "engine/control/http.h"
#include "engine/control/reserve_routes.h"
#include "engine/core/printable.h"
#include "engine/observers/json.h"

namespace memcoord::cli {
namespace {

using observers::Json;

/// libvirt's remote protocol carries strings of 4 MiB at most.
constexpr std::size_t kMostXml = std::size_t{4} << 20U;
/// For libvirt to write the XML.
constexpr int kInputPatienceMs = 5000;
/// For one answer of a run, which answers from finished ticks.
constexpr std::chrono::milliseconds kAnswerPatience{2000};

struct AdmitOptions {
  std::string socket;
  std::string name;
  std::string operation;
  std::string suboperation;
  std::string extra;
  AdmissionOptions admission;
};

class HookClock : public Clock {
 public:
  [[nodiscard]] MonotonicTime now() const override { return system_monotonic_time(); }
  [[nodiscard]] WallTime wall_now() const override { return system_wall_time(); }
  bool sleep_for(Duration duration) override {
    std::this_thread::sleep_for(duration);
    return true;
  }
};

/// The run behind a control socket.
class SocketClient : public ReserveClient {
 public:
  explicit SocketClient(std::filesystem::path socket) : socket_(std::move(socket)) {}

  Result<bool> reserve(const std::string& name, MemorySize size, Duration time) override {
    const auto json =
        ask({"POST",
             "/v1/reserve",
             {},
             Json::object({{"name", name}, {"bytes", size.bytes()}, {"seconds", seconds_of(time)}})
                 .line()});
    if (!json) return fail(json.error());
    const auto since = json->find("since");
    if (!since || !since->is_number()) return unexpected_response();
    since_ = since->number();
    return json->find("dry_run") != Json(true);
  }
  Status release(const std::string& name) override {
    const auto json = ask({"POST", "/v1/release", {}, Json::object({{"name", name}}).line()});
    if (!json) return fail(json.error());
    return {};
  }
  Result<bool> can_fit(MemorySize size) override {
    const auto json = ask({"GET", "/v1/headroom", {}, {}});
    if (!json) return fail(json.error());
    const auto grantable = json->find("grantable");
    const auto reclaimable = json->find("reclaimable");
    const bool are_sizes =
        grantable && grantable->is_number() && reclaimable && reclaimable->is_number();
    if (!are_sizes) return unexpected_response();
    if (json->find("dry_run") == Json(true)) return true;
    return static_cast<double>(size.bytes()) <= grantable->number() + reclaimable->number();
  }
  Result<bool> is_ready(const std::string& name) override {
    const auto json = ask({"GET", "/v1/headroom", {}, {}});
    if (!json) return fail(json.error());
    const auto ready = is_ready_in(*json, name, since_);
    if (!ready) return unexpected_response();
    return *ready;
  }

 private:
  [[nodiscard]] tl::unexpected<Error> unexpected_response() const {
    return fail(ErrorCode::internal, socket_.string(), "unexpected response");
  }
  [[nodiscard]] Result<Json> ask(const control::Request& request) const {
    auto response = control::send_request(socket_, request, kAnswerPatience);
    if (!response) return fail(response.error());
    const bool busy = response->status >= 500;
    const auto body = control::response_body(*std::move(response));
    if (body) {
      auto json = Json::parse(*body);
      if (!json) return unexpected_response();
      return json;
    }
    Error error = body.error();
    if (busy) error.code = ErrorCode::timed_out;
    return fail(std::move(error));
  }

  std::filesystem::path socket_;
  double since_ = 0;  ///< of the newest reserve()
};

/// All of standard input. Errors: invalid_input (too long), timed_out (libvirt does not end it),
/// unavailable (it cannot be read).
Result<std::string> read_input() {
  std::string text;
  std::array<char, 65536> part{};
  const auto failed = [](ErrorCode code, const char* what) {
    return fail(code, "", std::string("standard input ") + what);
  };
  for (;;) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, kInputPatienceMs);
    if (ready == 0) return failed(ErrorCode::timed_out, "has no end");
    if (ready < 0 && errno == EINTR) continue;
    const ssize_t read = ready < 0 ? -1 : ::read(STDIN_FILENO, part.data(), part.size());
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return failed(ErrorCode::unavailable, "cannot be read");
    if (read == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(read));
    if (text.size() > kMostXml) return failed(ErrorCode::invalid_input, "is too long for XML");
  }
}

/// libvirt shows standard error where a hook refuses; otherwise only its debug log has it.
void say(const std::string& name, const std::string& what) {
  standard_error() << "memcoord: " << printable(name, 200) << ": " << printable(what, 1000) << '\n';
}

/// Memory that memcoord never takes back from the guest needs room like any other.
std::string left_alone(const libvirt::DomainDescription& guest) {
  if (guest.settings.exclude) return "; memcoord leaves it alone, as its settings say";
  if (!guest.unsuitable.empty()) return "; memcoord leaves it alone: " + guest.unsuitable;
  return {};
}

/// The guest whose XML is on standard input. Errors: those of read_input() and of
/// libvirt::describe_domain(); invalid_input (it has no memory, or another name).
Result<libvirt::DomainDescription> described_guest(const std::string& name) {
  const auto xml = read_input();
  if (!xml) return fail(xml.error());
  auto guest = libvirt::describe_domain(*xml, name);
  if (guest && !guest->name.empty() && guest->name != name) {
    return fail(ErrorCode::invalid_input, name, "its XML is that of " + guest->name);
  }
  if (guest && guest->maximum.is_zero()) {
    return fail(ErrorCode::invalid_input, name, "its XML names no memory");
  }
  return guest;
}

ExitCode reserve_for_start(const AdmitOptions& options, SocketClient& client) {
  const auto guest = described_guest(options.name);
  if (!guest) {
    say(options.name, "it starts without room made for it: " + guest.error().message);
    return ExitCode::ok;
  }
  HookClock clock;
  const Admission admission =
      admit(options.name, memory_to_start(*guest), options.admission, client, clock);
  say(options.name, admission.why + left_alone(*guest));
  return admission.starts ? ExitCode::ok : ExitCode::failed;
}

Result<ExitCode> admit_guest(const AdmitOptions& options) {
  SocketClient client(control_socket(options.socket));
  switch (hook_call(options.operation, options.suboperation)) {
    case HookCall::reserve:
      return reserve_for_start(options, client);
    case HookCall::release:
      if (const Status released = client.release(options.name); !released) {
        say(options.name, "no reserve is released: " + released.error().text());
      }
      return ExitCode::ok;
    case HookCall::other:
      break;
  }
  return ExitCode::ok;
}

void add_hook_arguments(Command& command, AdmitOptions& options) {
  add_argument(
      command,
      {.names = "NAME", .value = "NAME", .description = "the domain's name", .required = true},
      options.name);
  add_argument(command,
               {.names = "OPERATION",
                .value = "OPERATION",
                .description = "prepare and release count; every other one is let pass",
                .required = true},
               options.operation);
  add_argument(command,
               {.names = "PART",
                .value = "PART",
                .description = "begin, end, or another word of libvirt's",
                .required = true},
               options.suboperation);
  add_argument(command, {"EXTRA", "EXTRA", "a further word of libvirt's, which does not count"},
               options.extra);
}

Result<Duration> parse_hold(const std::string& text) {
  auto time = parse_duration(text);
  if (time && *time > control::kLongestReserve) {
    return fail(ErrorCode::invalid_input, "", "'" + text + "' is more than 1h",
                "expected a time of at most 1h");
  }
  return time;
}

}  // namespace

void add_admit_command(Command& program) {
  const auto options = std::make_shared<AdmitOptions>();
  Command& command = program.add(
      "admit",
      "Make room for a guest that is about to start: the body of a hook for libvirt, which gives "
      "the arguments and the domain's XML on standard input. Whatever fails, the guest starts.",
      [options]() -> Result<ExitCode> {
        try {
          return admit_guest(*options);
        } catch (const std::exception& error) {  // the exit code 1 would refuse the start
          say(options->name, std::string("it starts without room made for it: ") + error.what());
          return ExitCode::ok;
        }
      });
  add_hook_arguments(command, *options);
  add_option(command, {"--wait", "TIME", "how long the start waits for the memory; default 10s"},
             into(options->admission.wait, parse_duration));
  add_option(command,
             {"--hold", "TIME",
              "how long the memory stays reserved, unless the guest's balloon driver answers "
              "before; default 60s, at most 1h"},
             into(options->admission.hold, parse_hold));
  add_flag(command,
           {"--refuse",
            "refuse the start, with the exit code 1, where the memory is not there after --wait"},
           options->admission.refuse);
  add_control_option(command, options->socket);
  command.footer = examples_text({{"memcoord admit --wait 5s -- web prepare begin - < web.xml",
                                   "make room for web, as libvirt's hook does"}});
}

}  // namespace memcoord::cli
