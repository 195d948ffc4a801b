#pragma once
// A lane for one question at a time about the whole connection: how the host is, who is there,
// which monitor is stuck. Where an answer does not come, nothing is piled up behind it.

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "engine/hypervisor/libvirt/lane.h"

namespace memcoord::libvirt {

class QuestionLane {
 public:
  explicit QuestionLane(std::shared_ptr<Connector> connector) : lane_(std::move(connector)) {}

  /// Asks one question and waits for the answer until the deadline; none where it does not come.
  /// While an earlier question is unanswered no other is put. `question` runs on the lane's thread,
  /// maybe long after the wait is over: it must own what it uses.
  template <class Question>
  auto ask(Instant deadline, Question question)
      -> std::optional<std::invoke_result_t<Question, const LvResult<LaneConnection>&>> {
    if (!answered_by(deadline)) return std::nullopt;
    using Answer = std::invoke_result_t<Question, const LvResult<LaneConnection>&>;
    const auto pending = std::make_shared<Pending<Answer>>();
    const auto done = std::make_shared<Pending<bool>>();
    lane_.post([pending, done, asked = std::move(question)](const auto& connection) {
      pending->put(asked(connection));
      done->put(true);
    });
    unanswered_ = done;
    asked_at_ = std::chrono::steady_clock::now();
    std::optional<Answer> answer = pending->wait_until(deadline);
    if (answer) unanswered_.reset();
    return answer;
  }

  /// Whether a question is still unanswered, so that the next one would wait for it.
  [[nodiscard]] bool waits() const { return unanswered_ && !unanswered_->is_there(); }
  /// For how long it has been without an answer; zero where it is not.
  [[nodiscard]] std::chrono::steady_clock::duration silent_for() const {
    if (!unanswered_) return {};
    return std::chrono::steady_clock::now() - asked_at_;
  }
  void request_end() { lane_.request_end(); }
  bool end_until(Instant deadline) { return lane_.end_until(deadline); }

 private:
  bool answered_by(Instant deadline) {
    if (!unanswered_) return true;
    if (unanswered_->wait_until(deadline)) {
      unanswered_.reset();
      return true;
    }
    return false;
  }

  Lane lane_;
  std::shared_ptr<Pending<bool>> unanswered_;
  Instant asked_at_;
};

}  // namespace memcoord::libvirt
