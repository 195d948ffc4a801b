#include "engine/cli/completion.h"

#include <algorithm>
#include <cctype>
#include <span>

namespace memcoord::cli {
namespace {

// The value that a half-written line is in the middle of, and what stands there so far.
struct Place {
  const Command* command;
  const Option* option = nullptr;  // whose value it is, where it is one's
  std::string prefix;              // "--policy=" in "--policy=hal"
  std::string word;
  std::size_t positionals = 0;
};

const Option* find_option(const Command& command, const std::string& name) {
  for (const Option& option : command.options) {
    const auto& names = option.names;
    if (std::find(names.begin(), names.end(), name) != names.end()) return &option;
  }
  return nullptr;
}

Place find_place(const Command& program, const std::vector<std::string>& words) {
  Place place{&program, nullptr, "", words.empty() ? "" : words.back()};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (place.option != nullptr) {
      place.option = nullptr;  // this word was its value
    } else if (words[i].starts_with("-")) {
      const Option* option = find_option(*place.command, words[i]);
      if (option != nullptr && option->takes_value()) place.option = option;
    } else if (const Command* command = place.command->find(words[i])) {
      place.command = command;
    } else {
      ++place.positionals;
    }
  }
  const std::size_t equals = place.word.find('=');
  if (place.option == nullptr && place.word.starts_with("--") && equals != std::string::npos) {
    place.option = find_option(*place.command, place.word.substr(0, equals));
    place.prefix = place.word.substr(0, equals + 1);
    place.word.erase(0, equals + 1);
  }
  return place;
}

// Options are written "--color auto|always|never" in the help where the values are these words.
std::vector<std::string> choices_of(const std::string& value) {
  const bool words = std::all_of(value.begin(), value.end(),
                                 [](unsigned char c) { return std::islower(c) != 0 || c == '|'; });
  std::vector<std::string> choices;
  if (!words || value.find('|') == std::string::npos) return choices;
  std::size_t start = 0;
  while (start <= value.size()) {
    const std::size_t end = std::min(value.find('|', start), value.size());
    choices.push_back(value.substr(start, end - start));
    start = end + 1;
  }
  return choices;
}

class Answer {
 public:
  explicit Answer(const Place& place) : place_(place) {}
  void add(const std::string& text, const std::string& description = {}) {
    if (!text.starts_with(place_.word)) return;
    answer_.candidates.push_back({place_.prefix + text, description});
  }
  void add_all(std::span<const std::string> texts) {
    for (const std::string& text : texts) add(text);
  }
  void add_value(const std::string& kind, const CompletionNames& names) {
    add_all(choices_of(kind));
    if (kind == "FILE|NAME" || kind == "POLICY") {
      add_all(names.policies);
      answer_.files = FileCandidates::lua;
    } else if (kind == "URI") {
      add("qemu:///system", "the machine's domains");
      add("qemu:///session", "your own domains");
      for (const std::string& scenario : names.scenarios)
        add("sim:" + scenario, "a simulated host");
    } else if (kind == "FILE" || kind == "PATH") {
      answer_.files = FileCandidates::any;
    }
  }
  void add_options() {
    for (const Option& option : place_.command->options) {
      for (const std::string& name : option.names) {
        if (name.starts_with("--")) add(name, option.description);
      }
    }
  }
  void add_commands() {
    for (const Command& command : place_.command->commands) {
      add(command.name, command.description);
    }
  }
  Completions take() { return std::move(answer_); }

 private:
  const Place& place_;
  Completions answer_;
};

// The argument that a word without a dash would be; the last one may take several.
const Option* argument_at(const Place& place) {
  const std::vector<const Option*> arguments = place.command->arguments();
  if (arguments.empty()) return nullptr;
  if (place.positionals < arguments.size()) return arguments[place.positionals];
  return arguments.back()->takes_several() ? arguments.back() : nullptr;
}

}  // namespace

Completions complete(const Command& program, const std::vector<std::string>& words,
                     const CompletionNames& names) {
  const Place place = find_place(program, words);
  Answer answer(place);
  if (place.option != nullptr) {
    answer.add_value(place.option->value, names);
  } else if (place.word.starts_with("-")) {
    answer.add_options();
  } else {
    if (place.positionals == 0) answer.add_commands();
    const Option* argument = argument_at(place);
    if (argument != nullptr) answer.add_value(argument->value, names);
  }
  return answer.take();
}

}  // namespace memcoord::cli
