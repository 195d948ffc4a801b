#include "engine/cli/logging.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>

namespace memcoord::cli {
namespace {

// "%*" in a pattern: the priority that systemd reads at the start of a line, see sd-daemon(3).
class Priority : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& line) override {
    const std::string_view text = message.level >= spdlog::level::err    ? "<3>"
                                  : message.level == spdlog::level::warn ? "<4>"
                                  : message.level == spdlog::level::info ? "<6>"
                                                                         : "<7>";
    line.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<Priority>();
  }
};

// Hands each line to a function.
class FunctionSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(LogDiversion::Take take) : take_(std::move(take)) { set_pattern_("%v"); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::string text(line.data(), line.size());
    while (!text.empty() && text.back() == '\n') text.pop_back();
    const auto severity = message.level >= spdlog::level::err    ? Note::Severity::error
                          : message.level == spdlog::level::warn ? Note::Severity::warning
                                                                 : Note::Severity::info;
    take_(std::move(text), severity);
  }
  void flush_() override {}

 private:
  LogDiversion::Take take_;
};

// JOURNAL_STREAM is inherited; only where it names this very stream does systemd read it.
bool systemd_reads() {
  const char* named = std::getenv("JOURNAL_STREAM");
  struct stat stream {};
  if (named == nullptr || ::fstat(STDERR_FILENO, &stream) != 0) return false;
  return fmt::format("{}:{}", stream.st_dev, stream.st_ino) == named;
}

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(const std::string& level, bool colored) {
  spdlog::sink_ptr sink;
  if (colored) {
    sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(spdlog::color_mode::always);
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  auto logger = std::make_shared<spdlog::logger>("memcoord", sink);
  if (systemd_reads()) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<Priority>('*').set_pattern("%*%v");
    logger->set_formatter(std::move(formatter));
  } else {
    logger->set_pattern("%H:%M:%S %^%l%$ %v");
  }
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  return logger;
}

LogDiversion::LogDiversion(std::shared_ptr<spdlog::logger> log, Take take)
    : log_(std::move(log)), before_(log_->sinks()) {
  log_->sinks() = {std::make_shared<FunctionSink>(std::move(take))};
}

LogDiversion::~LogDiversion() {
  log_->sinks() = std::move(before_);
}

}  // namespace memcoord::cli
