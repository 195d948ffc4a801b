// The words of an unfinished command line.

#include <algorithm>
#include <cctype>

#include "engine/cli/completion.h"

namespace memcoord::cli {
namespace {

class ShellLineReader {
 public:
  ShellLineReader(std::string_view line, std::string_view breaks) : line_(line), breaks_(breaks) {}

  ShellLine read() {
    for (at_ = 0; at_ < line_.size(); ++at_) {
      if (quote_ != '\0') {
        read_quoted();
      } else {
        read_plain();
      }
    }
    result_.words.push_back(word_);
    result_.quote = quote_;
    return std::move(result_);
  }

 private:
  void read_quoted() {
    const char c = line_[at_];
    const bool escapes = quote_ == '"' && c == '\\' && at_ + 1 < line_.size() &&
                         std::string_view("\"\\$`").find(line_[at_ + 1]) < std::string_view::npos;
    if (c == quote_) {
      quote_ = '\0';
      result_.kept = before_quote_;  // a closed quote is a part of the word as any other
    } else if (escapes) {
      word_ += line_[++at_];
    } else {
      word_ += c;
    }
  }

  void read_plain() {
    const char c = line_[at_];
    if (c == '\\') {
      in_word_ = true;
      if (at_ + 1 < line_.size()) word_ += line_[++at_];
    } else if (c == '"' || c == '\'') {
      in_word_ = true;
      quote_ = c;
      before_quote_ = std::exchange(result_.kept, word_.size());
    } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      end_word();
    } else if (c == '<' || c == '>') {
      begin_redirection();
    } else {
      if (c == '~' && !in_word_) result_.tilde = true;
      in_word_ = true;
      word_ += c;
      if (breaks_.find(c) < std::string_view::npos) result_.kept = word_.size();
    }
  }

  void end_word() {
    if (!in_word_) return;
    if (!std::exchange(result_.redirects, false)) result_.words.push_back(word_);
    begin_word();
  }

  void begin_word() {
    word_.clear();
    in_word_ = false;
    result_.kept = 0;
    result_.tilde = false;
  }

  // "2>errors", ">>file": neither the descriptor nor the file is a word of the command.
  void begin_redirection() {
    const bool descriptor = !word_.empty() && std::all_of(word_.begin(), word_.end(), [](char one) {
      return std::isdigit(static_cast<unsigned char>(one)) != 0;
    });
    if (!descriptor) end_word();
    begin_word();
    result_.redirects = true;
  }

  std::string_view line_;
  std::string_view breaks_;
  ShellLine result_;
  std::size_t at_ = 0;
  char quote_ = '\0';
  std::size_t before_quote_ = 0;
  std::string word_;
  bool in_word_ = false;
};

bool is_plain(char c) {
  constexpr std::string_view kPlain = "_.,:=/@%+-";
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0 || kPlain.find(c) < std::string_view::npos;
}

}  // namespace

ShellLine split_shell_line(std::string_view line, std::string_view breaks) {
  return ShellLineReader(line, breaks).read();
}

std::optional<std::string> shell_word_in(const ShellLine& line, std::string_view text) {
  // No escape keeps bash's history expansion from a "!" in double quotes.
  if (line.quote == '"' && text.find('!') < std::string_view::npos) return std::nullopt;
  std::string word;
  for (const char c : text) {
    const bool tilde = word.empty() && line.tilde && line.kept == 0 && c == '~';
    const bool special = line.quote == '"'
                             ? std::string_view("\"\\$`").find(c) < std::string_view::npos
                             : line.quote == '\0' && !is_plain(c) && !tilde;
    if (line.quote == '\'' && c == '\'') {
      word += "'\\''";
    } else {
      if (special) word += '\\';
      word += c;
    }
  }
  return word;
}

}  // namespace memcoord::cli
