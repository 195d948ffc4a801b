#include "engine/cli/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/core/nearest.h"

namespace memcoord::cli {
namespace {

CLI::Option* add(CLI::App& app, const OptionText& text, TakeText take) {
  // The first of the names, without the dashes' alternatives: what errors call the option.
  const std::string shown = text.names.substr(text.names.rfind(',') + 1);
  const auto callback = [shown, take = std::move(take)](const CLI::results_t& values) {
    for (const std::string& value : values) {
      if (Status taken = take(value); !taken) {
        Error error = taken.error();
        error.object = error.object.empty() ? shown : shown + ": " + error.object;
        throw BadValue(std::move(error));
      }
    }
    return true;
  };
  CLI::Option* option = app.add_option(text.names, callback, text.description);
  return option->type_name(text.value)->type_size(1);
}

std::string hint_for_help(const CLI::App& app) {
  return "see '" + command_name(app) + " --help'";
}

// CLI11 names the option first in every message: "--policy: 1 required TEXT missing".
std::string named_first(std::string_view message) {
  return std::string(message.substr(0, message.find_first_of(": ")));
}

}  // namespace

CLI::Option* add_option(CLI::App& app, const OptionText& text, TakeText take) {
  return add(app, text, std::move(take))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

CLI::Option* add_repeated_option(CLI::App& app, const OptionText& text, TakeText take) {
  // Without allow_extra_args(false) "--include web-* 2" would swallow the interval.
  return add(app, text, std::move(take))
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->allow_extra_args(false);
}

CLI::Option* add_choice(CLI::App& app, const std::string& name, std::vector<std::string> choices,
                        const std::string& description, std::function<void(std::size_t)> take) {
  // In the help and to completion the choices are the value's name: "auto|always|never".
  const std::string listed = fmt::format("{}", fmt::join(choices, "|"));
  const auto take_text = [choices = std::move(choices),
                          take = std::move(take)](const std::string& text) -> Status {
    const auto found = std::find(choices.begin(), choices.end(), text);
    if (found == choices.end()) {
      return fail(ErrorCode::invalid_input, "", "'" + text + "' is not known",
                  fmt::format("expected {}", fmt::join(choices, ", ")));
    }
    take(static_cast<std::size_t>(found - choices.begin()));
    return {};
  };
  return add_option(app, {name, listed, description}, take_text);
}

std::vector<std::string> long_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Error usage_error(const CLI::ParseError& thrown, const CLI::App& app) {
  if (const auto* bad = dynamic_cast<const BadValue*>(&thrown)) return bad->error();
  Error error{ErrorCode::invalid_input, "", "", hint_for_help(app), ""};
  const std::string message = thrown.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&thrown) != nullptr) {
    error.object = named_first(message);
    error.message = "needs a value";
  } else if (dynamic_cast<const CLI::RequiredError*>(&thrown) != nullptr) {
    const bool command = message.rfind("A subcommand", 0) == 0;
    error.object = command ? command_name(app) : named_first(message);
    error.message = command ? "needs a command" : "is missing";
  } else if (dynamic_cast<const CLI::ConversionError*>(&thrown) != nullptr ||
             dynamic_cast<const CLI::InvalidError*>(&thrown) != nullptr) {
    error.object = named_first(message);
    error.message = "takes no value";
  } else if (dynamic_cast<const CLI::ExcludesError*>(&thrown) != nullptr) {
    const std::size_t other = message.rfind("--");
    error.object = message.substr(0, message.find(' '));
    error.message = "contradicts " + (other == std::string::npos ? "" : message.substr(other));
  } else {
    error.message = message;
  }
  return error;
}

Error unexpected_argument(const std::string& argument, const CLI::App& app) {
  Error error{ErrorCode::invalid_input, argument, "", hint_for_help(app), ""};
  if (argument.size() > 1 && argument.front() == '-') {
    error.object = argument.substr(0, argument.find('='));
    error.message = "no such option";
    const auto nearest = nearest_name(error.object, long_names(app));
    if (nearest) error.hint = "did you mean " + *nearest + "?";
  } else {
    error.message = "one argument too many";
  }
  return error;
}

std::string command_name(const CLI::App& app) {
  const std::string& name = app.get_name();
  return app.get_parent() == nullptr ? name : command_name(*app.get_parent()) + " " + name;
}

}  // namespace memcoord::cli
