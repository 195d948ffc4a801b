// Completion: what fits the last word of a command line, as a function of the command tree.

#include "engine/cli/completion.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>
#include <utility>

#include "engine/cli/usage.h"

namespace memcoord::cli {
namespace {

// --- The place of the last word ---

struct GivenOption {
  const Option* option;
  std::string value;
};

// The position of the last word of an unfinished line, and its text so far.
struct Place {
  const Command* program = nullptr;
  const Command* command = nullptr;
  const Option* option = nullptr;  // the option whose value the word is, or null
  std::string prefix;              // "--policy=" in "--policy=hal"
  std::string word;                // "hal"
  std::vector<GivenOption> given;  // the options before it
  std::vector<std::string> arguments;
  bool after_mark = false;  // "--" comes before it, so that it may begin with a dash

  [[nodiscard]] bool wants_option() const {
    return option == nullptr && word.starts_with("-") &&
           !(after_mark && arguments.size() < command->arguments().size());
  }
};

bool has_name(const Option& option, const std::string& name) {
  return std::find(option.names.begin(), option.names.end(), name) != option.names.end();
}

class PlaceFinder {
 public:
  explicit PlaceFinder(const Command& program) {
    place_.program = &program;
    place_.command = &program;
  }

  Place find(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i + 1 < words.size(); ++i) pass(words[i]);
    if (!words.empty()) stop_at(words.back());
    return std::move(place_);
  }

 private:
  void pass(const std::string& word) {
    const Option* option = place_.option;
    const bool dash = word.size() > 1 && word.starts_with("-");
    const bool ends_list = option != nullptr && option->kind == Option::Kind::list && dash;
    if (option != nullptr && !ends_list) {
      place_.given.push_back({option, word});
      if (option->kind != Option::Kind::list) place_.option = nullptr;
    } else if (word == "--") {
      place_.option = nullptr;
      place_.after_mark = true;
    } else if (dash && !(place_.after_mark && place_.arguments.empty())) {
      pass_option(word);
    } else if (const Command* command = place_.command->find(word)) {
      place_.command = command;
      place_.arguments.clear();
    } else {
      place_.arguments.push_back(word);
    }
  }

  void pass_option(const std::string& word) {
    const std::size_t equals = std::min(word.find('='), word.size());
    place_.option = own_option(*place_.command, word.substr(0, equals));
    if (place_.option == nullptr) return;
    if (equals < word.size()) {
      place_.given.push_back({place_.option, word.substr(equals + 1)});
    } else if (!place_.option->takes_value()) {
      place_.given.push_back({place_.option, ""});
    } else {
      return;  // the next word is its value
    }
    place_.option = nullptr;
  }

  void stop_at(const std::string& word) {
    place_.word = word;
    const bool list = place_.option != nullptr && place_.option->kind == Option::Kind::list;
    if (list && word.starts_with("-")) place_.option = nullptr;
    const std::size_t equals = word.find('=');
    if (!place_.wants_option() || !word.starts_with("--") || equals == std::string::npos) return;
    place_.option = own_option(*place_.command, word.substr(0, equals));
    place_.prefix = word.substr(0, equals + 1);
    place_.word.erase(0, equals + 1);
  }

  Place place_;
};

// The argument that a word without a dash would be. The last argument may take several words.
const Option* argument_at(const Place& place) {
  const std::vector<const Option*> arguments = place.command->arguments();
  if (arguments.empty()) return nullptr;
  if (place.arguments.size() < arguments.size()) return arguments[place.arguments.size()];
  return arguments.back()->takes_several() ? arguments.back() : nullptr;
}

// The last value of an option before the word; empty without one.
std::string value_before(const Place& place, const std::string& name) {
  std::string value;
  for (const GivenOption& given : place.given) {
    if (has_name(*given.option, name)) value = given.value;
  }
  return value;
}

// --- Values ---

std::vector<std::string> parts_of(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find(separator, start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// Of "PATH|off", PATH stands for a value and "off" is one.
bool is_choice(const std::string& part) {
  return std::any_of(part.begin(), part.end(),
                     [](unsigned char c) { return std::islower(c) != 0; });
}

struct FilesOfOption {
  std::string_view name;  // of the option or the argument
  std::string_view glob;
};
constexpr std::array<FilesOfOption, 8> kFilesOfOptions{{{"--config", "*.toml"},
                                                        {"--control", "*.sock"},
                                                        {"--journal", "*.jsonl"},
                                                        {"JOURNAL", "*.jsonl"},
                                                        {"--junit", "*.xml"},
                                                        {"--output", "*.csv"},
                                                        {"--report", "*.html"},
                                                        {"PATH", "*.lua"}}};

std::string files_of(const Option& option) {
  for (const FilesOfOption& files : kFilesOfOptions) {
    if (files.name == option.name()) return std::string(files.glob);
  }
  return "*";
}

// The policy whose parameters --set sets.
std::string policy_before(const Place& place, const std::string& default_policy) {
  if (own_option(*place.command, "--policy") != nullptr) {
    const std::string policy = value_before(place, "--policy");
    return policy.empty() ? default_policy : policy;
  }
  return place.arguments.empty() ? std::string() : place.arguments.front();
}

std::string described(const CompletedParameter& parameter) {
  return "default " + parameter.default_text + (parameter.doc.empty() ? "" : ": " + parameter.doc);
}

// --- The answer ---

class CompletionAnswer {
 public:
  CompletionAnswer(const Place& place, const CompletionSources& sources)
      : place_(place), sources_(sources) {}

  Completions find() {
    if (place_.option != nullptr) {
      add_value(*place_.option);
    } else if (place_.wants_option()) {
      add_options();
    } else {
      const Option* argument = argument_at(place_);
      if (place_.arguments.empty()) add_commands(*place_.command);
      if (argument != nullptr) add_value(*argument);
      if (argument == nullptr && answer_.candidates.empty()) add_options();
    }
    return std::move(answer_);
  }

 private:
  void add(const std::string& text, const std::string& description = {}) {
    const std::string whole = place_.prefix + text;
    if (!text.starts_with(place_.word)) return;
    answer_.candidates.push_back({whole, description});
  }

  // A name from outside: a word that begins with a dash would be an option.
  void add_name(const std::string& name, const std::string& description = {}) {
    const bool taken_for_option =
        name.starts_with("-") && !place_.after_mark && place_.prefix.empty();
    if (!name.empty() && !taken_for_option) add(name, description);
  }

  void add_names(const std::vector<Candidate>& names) {
    for (const Candidate& name : names) {
      if (!is_on_line(name.text)) add_name(name.text, name.description);
    }
  }

  // A list names each thing once.
  [[nodiscard]] bool is_on_line(const std::string& name) const {
    const Option* option = place_.option != nullptr ? place_.option : argument_at(place_);
    if (option == nullptr || option->kind != Option::Kind::list) return false;
    const auto& arguments = place_.arguments;
    return std::any_of(place_.given.begin(), place_.given.end(),
                       [&](const GivenOption& given) {
                         return given.option == option && given.value == name;
                       }) ||
           (option->names.empty() &&
            std::find(arguments.begin(), arguments.end(), name) != arguments.end());
  }

  void add_files(const std::string& glob, const std::string& prefix = {}) {
    answer_.files = glob;
    answer_.prefix = place_.prefix + prefix;
  }

  void add_value(const Option& option) {
    if (option.kind == Option::Kind::flag) {
      add("true");
      add("false");
    }
    for (const std::string& part : parts_of(option.value, '|')) {
      if (is_choice(part)) {
        add(part);
      } else {
        add_placeholder(option, part);
      }
    }
  }

  void add_placeholder(const Option& option, const std::string& part) {
    const std::string kind = part.substr(0, part.find("..."));
    const bool scenario = option.name().starts_with("--scenario");
    if (kind == "DOMAIN" || option.value == "NAME") {
      for (const std::string& name : sources_.domains(value_before(place_, "--control"))) {
        add_name(name);
      }
    } else if (kind == "NAME" || kind == "POLICY" || kind == "SCENARIO") {
      add_names(scenario ? sources_.scenarios() : sources_.policies());
      if (kind != part && !scenario) add_policy_settings();
      add_files("*.lua");
    } else if (kind == "FILE" || kind == "PATH" || kind == "JOURNAL") {
      add_files(files_of(option));
    } else if (kind == "PAGE") {
      add_files("*.html");
    } else if (kind == "URI") {
      add_hosts();
    } else if (kind == "COMMAND") {
      add_command_names();
    } else if (kind == "NAME=VALUE" && has_name(option, "--set")) {
      add_settings(policy_before(place_, sources_.default_policy), "", settings_before(option));
    }
  }

  void add_hosts() {
    add("qemu:///system", "the domains of this host");
    add("qemu:///session", "the domains of your session");
    if (place_.command != place_.program) return;  // only a run takes simulated hosts
    for (const Candidate& scenario : sources_.scenarios()) {
      add_name("sim:" + scenario.text, scenario.description);
    }
    if (place_.word.starts_with("sim:")) add_files("*.lua", "sim:");
  }

  // The names of commands as arguments: "help domain set".
  void add_command_names() {
    const Command* command = place_.program;
    for (const std::string& name : place_.arguments) {
      command = command->find(name);
      if (command == nullptr) return;
    }
    add_commands(*command);
  }

  // The parameters that were set, "low" and "high" of "--set low=1 --set high=2".
  [[nodiscard]] std::vector<std::string> settings_before(const Option& option) const {
    std::vector<std::string> names;
    for (const GivenOption& given : place_.given) {
      if (given.option == &option) names.push_back(given.value.substr(0, given.value.find('=')));
    }
    return names;
  }

  // "low=" or, after it, its values. `before` is the part of the word before the setting.
  void add_settings(const std::string& policy, const std::string& before,
                    const std::vector<std::string>& set) {
    if (policy.empty()) return;
    for (const CompletedParameter& parameter : sources_.parameters(policy)) {
      const std::string assigned = before + parameter.name + "=";
      if (!place_.word.starts_with(assigned)) {
        const bool again = std::find(set.begin(), set.end(), parameter.name) != set.end();
        if (!again) add(assigned, described(parameter));
        continue;
      }
      for (const std::string& choice : parameter.choices) {
        add(assigned + choice, choice == parameter.default_text ? "the default" : "");
      }
      if (parameter.choices.empty()) add(assigned + parameter.default_text, "the default");
    }
  }

  // "halving:starved_below=200MiB,wasteful_above=": a policy in a list has settings of its own.
  void add_policy_settings() {
    const std::size_t colon =
        place_.word.rfind(':', std::min(place_.word.find('='), place_.word.size()));
    if (colon == std::string::npos) return;
    std::vector<std::string> set = parts_of(place_.word.substr(colon + 1), ',');
    const std::string unfinished = set.back();
    set.pop_back();
    for (std::string& one : set) one.erase(std::min(one.find('='), one.size()));
    const std::string before = place_.word.substr(0, place_.word.size() - unfinished.size());
    add_settings(place_.word.substr(0, colon), before, set);
  }

  void add_options() {
    for (const Option& option : place_.command->options) {
      if (!fits(option)) continue;
      for (const std::string& name : option.names) {
        if (name.starts_with("--")) add(name, option.description);
      }
    }
  }

  // Neither given already nor contradicted by an option that is.
  [[nodiscard]] bool fits(const Option& option) const {
    return std::none_of(place_.given.begin(), place_.given.end(), [&](const GivenOption& given) {
      const bool again = given.option == &option && !option.takes_several();
      const bool refused =
          has_name(*given.option, option.excludes) ||
          (!given.option->excludes.empty() && has_name(option, given.option->excludes));
      return again || refused;
    });
  }

  void add_commands(const Command& command) {
    for (const Command& sub : command.commands) add(sub.name, sub.description);
  }

  const Place& place_;
  const CompletionSources& sources_;
  Completions answer_;
};

}  // namespace

Completions complete(const Command& program, const std::vector<std::string>& words,
                     const CompletionSources& sources) {
  const Place place = PlaceFinder(program).find(words);
  return CompletionAnswer(place, sources).find();
}

}  // namespace memcoord::cli
