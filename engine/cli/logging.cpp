#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "engine/cli/run_output.h"
#include "engine/cli/systemd.h"

namespace memcoord::cli {

using observers::Log;

namespace {

// In the order of Log::Level.
constexpr std::array<std::string_view, 5> kLevelNames{"debug", "info", "warning", "error", "off"};
constexpr std::array kSpdlogLevels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                   spdlog::level::err, spdlog::level::off};

Log::Level level_of(spdlog::level::level_enum level) {
  const auto* found = std::find(kSpdlogLevels.begin(), kSpdlogLevels.end(), level);
  return static_cast<Log::Level>(found - kSpdlogLevels.begin());
}

// "%*" in a pattern: the priority at the start of a line that systemd reads, see sd-daemon(3).
class Priority : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& line) override {
    const std::string text = "<" + std::to_string(priority_of(level_of(message.level))) + ">";
    line.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<Priority>();
  }
};

}  // namespace

std::shared_ptr<Log> make_log(const std::string& level, bool colored,
                              std::function<WallTime()> now) {
  spdlog::sink_ptr sink;
  if (colored) {
    sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(spdlog::color_mode::always);
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  auto logger = std::make_shared<spdlog::logger>("memcoord", sink);
  const bool to_journald = journald_reads_standard_error();
  if (to_journald) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<Priority>('*').set_pattern("%*%v");
    logger->set_formatter(std::move(formatter));
  } else {
    logger->set_pattern("%H:%M:%S %^%l%$ %v");
  }
  // The Log filters by level.
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::info);
  const auto* name = std::find(kLevelNames.begin(), kLevelNames.end() - 1, level);
  Log::Write write = [logger, now = std::move(now)](Log::Level at, const std::string& line,
                                                    const observers::LogFields& /*fields*/) {
    logger->log(now(), spdlog::source_loc{}, kSpdlogLevels.at(static_cast<std::size_t>(at)), line);
  };
  if (to_journald) write = log_to_journald(send_to_journald, std::move(write));
  return std::make_shared<Log>(static_cast<Log::Level>(name - kLevelNames.begin()),
                               std::move(write));
}

LogDiversion::LogDiversion(std::shared_ptr<Log> log, Take take)
    : log_(std::move(log)),
      before_(log_->redirect([take = std::move(take)](Log::Level level, const std::string& line,
                                                      const observers::LogFields& /*fields*/) {
        take(line, level == Log::Level::error     ? Note::Severity::error
                   : level == Log::Level::warning ? Note::Severity::warning
                                                  : Note::Severity::info);
      })) {}

LogDiversion::~LogDiversion() {
  log_->redirect(std::move(before_));
}

}  // namespace memcoord::cli
