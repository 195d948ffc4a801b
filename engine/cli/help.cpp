#include "engine/cli/help.h"

#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <lua.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "engine/cli/options.h"
#include "engine/cli/version.h"

namespace memcoord::cli {
namespace {

constexpr std::size_t kColumn = 30;
constexpr std::size_t kWidth = 96;
constexpr const char* kGeneral = "General";

// Breaks text at blanks into lines that start at `indent`; the first line has `used` columns taken.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t used) {
  std::string result;
  std::size_t column = used;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const bool first = column == used && result.empty();
    if (!first && column + 1 + word.size() > kWidth) {
      result += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!first) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

// "  --name VALUE      what it does", the right column wrapped.
std::string row(std::string name, const std::string& description) {
  name = "  " + name;
  if (name.size() + 2 > kColumn) {
    name += "\n" + std::string(kColumn, ' ');
  } else {
    name.resize(kColumn, ' ');
  }
  return name + wrapped(description, kColumn, kColumn) + "\n";
}

class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool positional) const override {
    std::string name = option->get_name(positional, !positional);
    if (const auto comma = name.find(','); comma != std::string::npos) name.insert(comma + 1, " ");
    const bool takes_value = option->get_items_expected_max() > 0;
    if (!positional && takes_value) name += " " + option->get_type_name();
    if (positional && option->get_items_expected_max() > 1) name += "...";
    const bool told_above = !positional && option->get_positional();
    return row(name, told_above ? "the same as " + option->get_name(true, false)
                                : option->get_description());
  }
  std::string make_subcommand(const CLI::App* app) const override {
    return row(app->get_name(), app->get_description());
  }
  std::string make_positionals(const CLI::App* app) const override {
    std::string rows;
    for (const CLI::Option* option : positionals(app)) rows += make_option(option, true);
    return rows.empty() ? rows : "\nArguments:\n" + rows;
  }
  std::string make_usage(const CLI::App* app, std::string /*name*/) const override {
    const std::string called = command_name(*app);
    const bool commands = !app->get_subcommands([](const CLI::App*) { return true; }).empty();
    std::string usage = "\nUsage: " + called;
    if (app->get_require_subcommand_min() > 0) return usage + " COMMAND [OPTIONS]\n";
    usage += " [OPTIONS]";
    for (const CLI::Option* option : positionals(app)) usage += " " + make_option_usage(option);
    if (commands) usage += "\n       " + called + " COMMAND [OPTIONS]";
    return usage + "\n";
  }
  std::string make_description(const CLI::App* app) const override {
    return wrapped(app->get_description(), 0, 0) + "\n";
  }
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    std::string text = make_description(app) + make_usage(app, std::move(name));
    text += make_positionals(app) + grouped_options(app) + make_subcommands(app, mode);
    return text + (app->get_footer().empty() ? "" : "\n" + make_footer(app));
  }

 private:
  static std::vector<const CLI::Option*> positionals(const CLI::App* app) {
    return app->get_options([](const CLI::Option* option) { return option->get_positional(); });
  }
  static bool belongs(const CLI::Option* option, const std::string& group) {
    return !group.empty() && option->get_group() == group && option->nonpositional();
  }
  std::string grouped_options(const CLI::App* app) const {
    std::string text;
    std::vector<std::string> groups = app->get_groups();
    // What every program has comes last.
    std::stable_partition(groups.begin(), groups.end(),
                          [](const std::string& group) { return group != kGeneral; });
    for (const std::string& group : groups) {
      std::string rows;
      for (const CLI::Option* option : app->get_options()) {
        if (belongs(option, group)) rows += make_option(option, false);
      }
      if (!rows.empty()) text.append("\n").append(group).append(":\n").append(rows);
    }
    return text;
  }
  std::string make_option_usage(const CLI::Option* option) const override {
    const std::string name = option->get_name(true, false);
    const std::string shown = option->get_items_expected_max() > 1 ? name + "..." : name;
    return option->get_required() ? shown : "[" + shown + "]";
  }
};

std::string version_text() {
  unsigned long libvirt = 0;
  virGetVersion(&libvirt, nullptr, nullptr);
  return fmt::format("memcoord {} (libvirt {}.{}.{}, {})", kVersion, libvirt / 1000000,
                     libvirt / 1000 % 1000, libvirt % 1000, LUA_RELEASE);
}

}  // namespace

void describe_program(CLI::App& program) {
  program.name("memcoord");
  program.description(
      "Balances memory between the virtual machines of a KVM host: each interval it looks at the "
      "host and its domains, asks a policy written in Lua what to move, and moves balloons within "
      "floors that no policy can pass.");
  program.formatter(std::make_shared<HelpFormatter>());
  program.set_help_flag("-h,--help", "show this help");
  program.set_version_flag("--version", version_text, "show the version");
  program.get_option("--help")->group(kGeneral);
  program.get_option("--version")->group(kGeneral);
  program.get_option("--help")->configurable(false);
  program.allow_extras();
  program.require_subcommand(0, 1);
}

std::string examples_text(const std::vector<Example>& examples) {
  std::string text = "Examples:\n";
  for (const Example& example : examples) {
    text += "  " + example.command + "\n";
    text += "      " + wrapped(example.purpose, 6, 6) + "\n";
  }
  text.pop_back();
  return text;
}

std::string help_text(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return app.help(parent == nullptr ? "" : command_name(*parent));
}

}  // namespace memcoord::cli
