// The order of the words in a command line.

#include <algorithm>
#include <cctype>
#include <string_view>

#include "engine/cli/usage.h"

namespace memcoord::cli {

const Option* own_option(const Command& command, std::string_view name) {
  const auto found =
      std::find_if(command.options.begin(), command.options.end(), [&](const Option& option) {
        return std::find(option.names.begin(), option.names.end(), name) != option.names.end();
      });
  return found == command.options.end() ? nullptr : &*found;
}

std::string_view option_name(std::string_view word) {
  return word.starts_with("--") ? word.substr(0, word.find('=')) : word.substr(0, 2);
}

namespace {

/// The option of that name, of the command or of one below it.
const Option* option_within(const Command& command, std::string_view name) {
  if (const Option* own = own_option(command, name)) return own;
  for (const Command& sub : command.commands) {
    if (const Option* option = option_within(sub, name)) return option;
  }
  return nullptr;
}

bool is_option(std::string_view word) {
  return word.size() > 1 && word[0] == '-' &&
         std::isdigit(static_cast<unsigned char>(word[1])) == 0;
}

/// "--policy" of "--policy=band"
std::string_view name_part(std::string_view word) {
  return word.substr(0, word.find('='));
}

/// Follows a command line from word to word.
class WordWalk {
 public:
  WordWalk(const Command& program, const std::vector<std::string>& words)
      : program_(program), command_(&program), words_(words) {}

  /// Finds the innermost command.
  Status to_command();
  [[nodiscard]] WordOrder ordered() const;

 private:
  [[nodiscard]] const Option* option_here(std::string_view name) const;
  /// The number of words that the option at `i` takes: itself, and its value.
  [[nodiscard]] std::size_t span_at(std::size_t i) const;
  [[nodiscard]] Status check_option(std::size_t i) const;
  /// Whether the command has the option, and it takes as many words there.
  [[nodiscard]] bool is_for_command(std::size_t i) const;
  [[nodiscard]] bool is_unknown(const std::string& word) const;
  void visit_word(std::size_t i);

  const Command& program_;
  const Command* command_;  ///< the innermost so far
  const std::vector<std::string>& words_;
  std::size_t behind_command_ = 0;  ///< the position behind the innermost command's word
  std::string argument_;            ///< the first argument before the first command
  bool unknown_option_ = false;     ///< before that argument
};

const Option* WordWalk::option_here(std::string_view name) const {
  const Option* option = option_within(*command_, name);
  return option != nullptr ? option : own_option(program_, name);
}

std::size_t WordWalk::span_at(std::size_t i) const {
  const Option* option = option_here(words_[i]);  // none for "--policy=band" and "-nVALUE"
  return option != nullptr && option->takes_value() && i + 1 < words_.size() ? 2 : 1;
}

Status WordWalk::check_option(std::size_t i) const {
  const std::string& word = words_[i];
  const std::string with_two_dashes = "-" + std::string(name_part(word));
  if (word[1] != '-' && word.size() > 2 && option_here(with_two_dashes) != nullptr) {
    return fail(ErrorCode::invalid_input, std::string(name_part(word)), "no such option",
                "did you mean " + with_two_dashes + "?");
  }
  if (span_at(i) < 2) return {};
  const std::string& value = words_[i + 1];
  const bool is_long = value.size() > 2 && value.starts_with("--");
  if (!is_long && (!is_option(value) || option_here(value) == nullptr)) return {};
  return fail(ErrorCode::invalid_input, option_here(word)->name(),
              "needs a value before " + std::string(name_part(value)), hint_for_help(*command_));
}

bool WordWalk::is_unknown(const std::string& word) const {
  return option_here(option_name(word)) == nullptr;
}

void WordWalk::visit_word(std::size_t i) {
  if (const Command* named = command_->find(words_[i])) {
    command_ = named;
    behind_command_ = i + 1;
  } else if (command_ == &program_ && argument_.empty() && !unknown_option_) {
    argument_ = words_[i];
  }
}

Status WordWalk::to_command() {
  for (std::size_t i = 0; i < words_.size() && words_[i] != "--";) {
    if (!is_option(words_[i])) {
      visit_word(i++);
      continue;
    }
    if (Status checked = check_option(i); !checked) return checked;
    if (is_unknown(words_[i])) unknown_option_ = true;
    i += span_at(i);
  }
  return {};
}

bool WordWalk::is_for_command(std::size_t i) const {
  const std::string& word = words_[i];
  const std::string_view name = option_name(word);
  const Option* option = own_option(*command_, name);
  if (option == nullptr) return false;
  const bool attached = name.size() < word.size();  // "-cURI", "--connect=URI"
  if (attached) return word[1] == '-' || option->takes_value();
  return option->takes_value() == (span_at(i) == 2);
}

WordOrder WordWalk::ordered() const {
  WordOrder order{{}, command_, argument_};
  std::vector<std::string> moved;
  for (std::size_t i = 0; i < behind_command_;) {
    const bool option = is_option(words_[i]);
    const std::size_t end = option ? i + span_at(i) : i + 1;
    auto& target = option && is_for_command(i) ? moved : order.words;
    for (; i < end; ++i) target.push_back(words_[i]);
  }
  order.words.insert(order.words.end(), moved.begin(), moved.end());
  order.words.insert(order.words.end(),
                     words_.begin() + static_cast<std::ptrdiff_t>(behind_command_), words_.end());
  return order;
}

}  // namespace

Result<WordOrder> order_words(const Command& program, const std::vector<std::string>& words) {
  WordWalk walk(program, words);
  if (Status found = walk.to_command(); !found) return fail(found.error());
  return walk.ordered();
}

}  // namespace memcoord::cli
