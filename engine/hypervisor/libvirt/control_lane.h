#pragma once
// The lane for questions about the whole connection: who is there, how the host is, which monitor
// is stuck. Its calls are those that libvirt serves even where guests hang; so where it gets no
// answer, the daemon itself is the one that does not answer.

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "engine/hypervisor/libvirt/lane.h"

namespace memcoord::libvirt {

class ControlLane {
 public:
  /// A connection that has not answered for so long is given up and opened anew: keepalive would
  /// have closed it by then, had there been a wire to watch.
  static constexpr std::chrono::seconds kGiveUpAfter{25};

  explicit ControlLane(std::shared_ptr<Connector> connector)
      : connector_(std::move(connector)), lane_(std::make_unique<Lane>(connector_)) {}

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
    lane_->post([pending, done, asked = std::move(question)](const auto& connection) {
      pending->put(asked(connection));
      done->put(true);
    });
    unanswered_ = done;
    asked_at_ = std::chrono::steady_clock::now();
    std::optional<Answer> answer = pending->wait_until(deadline);
    if (answer) unanswered_.reset();
    return answer;
  }

  /// For how long the daemon has been silent; zero where it is not.
  [[nodiscard]] std::chrono::steady_clock::duration silent_for() const {
    if (!unanswered_) return {};
    return std::chrono::steady_clock::now() - asked_at_;
  }
  void request_end() { lane_->request_end(); }
  bool end_until(Instant deadline) { return lane_->end_until(deadline); }

 private:
  bool answered_by(Instant deadline) {
    if (!unanswered_) return true;
    if (unanswered_->wait_until(deadline)) {
      unanswered_.reset();
      return true;
    }
    if (silent_for() < kGiveUpAfter) return false;
    lane_ = std::make_unique<Lane>(connector_);
    unanswered_.reset();
    return true;
  }

  std::shared_ptr<Connector> connector_;
  std::unique_ptr<Lane> lane_;
  std::shared_ptr<Pending<bool>> unanswered_;
  Instant asked_at_;
};

}  // namespace memcoord::libvirt
