#include "engine/cli/completion.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "engine/cli/command.h"
#include "engine/cli/run_options.h"
#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::cli;

namespace {

using Words = std::vector<std::string>;

// A program with the run's options and some commands like the real ones.
struct CompletedProgram {
  CompletedProgram() {
    add_run_options(program, options);
    add_list(program.add("check", "checks policies", {}), {"POLICY", "POLICY", ""},
             into_list(list));
    Command& compare = program.add("compare", "compares policies", {});
    add_list(compare, {"-p,--policies", "POLICY...", ""}, into_list(list));
    add_list(compare, {"-S,--scenarios", "SCENARIO...", ""}, into_list(list));
    add_flag(compare, {"--json", "", "Options", ""}, flag);
    add_flag(compare, {"--csv", "", "Options", "--json"}, flag);
    Command& domain = program.add("domain", "settings", {});
    Command& set = domain.add("set", "changes", {});
    add_argument(set, {"NAME", "NAME", ""}, word);
    add_flag(set, {"--json", ""}, flag);
    domain.add("show", "shows", {});
    Command& explain = program.add("explain", "explains", {});
    add_argument(explain, {"DOMAIN", "DOMAIN", ""}, word);
    add_option(explain, {"--control", "PATH", ""}, into_text(word));
    Command& policy = program.add("policy", "changes the policy", {});
    add_argument(policy, {"POLICY", "FILE|NAME", ""}, word);
    add_set_option(policy, settings);
    add_argument(program.add("dry-run", "", {}), {"STATE", "on|off", ""}, word);
    add_list(program.add("help", "", {}), {"COMMAND", "COMMAND", ""}, into_list(list));
    Command& simulate = program.add("simulate", "simulates", {});
    add_option(simulate, {"-S,--scenario", "FILE|NAME", ""}, into_text(word));
    add_option(simulate, {"--report", "FILE", ""}, into_text(word));
    add_option(simulate, {"--output", "PAGE", ""}, into_text(word));
  }

  Words after(const Words& words) {
    Words texts;
    answer = complete(program, words, sources);
    for (const Candidate& candidate : answer.candidates) texts.push_back(candidate.text);
    return texts;
  }
  std::string bash(const std::string& line) {
    return completion_answer(program, {"bash", " \t\n\"'@><=;|&(:", line}, sources);
  }
  std::string description_of(const std::string& text) {
    const auto found = std::find_if(answer.candidates.begin(), answer.candidates.end(),
                                    [&](const Candidate& one) { return one.text == text; });
    return found == answer.candidates.end() ? "not offered" : found->description;
  }

  Command program{"memcoord", "balances"};
  RunOptions options;
  Words list;
  std::map<std::string, std::string> settings;
  std::string word;
  bool flag = false;
  std::string asked_policy;
  std::string asked_socket;
  Words domains{"web", "web 2", "db"};
  FileQuery query;
  Words listed;
  CompletionSources sources{
      .default_policy = "adaptive",
      .policies =
          [] {
            return std::vector<Candidate>{{"band", ""}, {"halving", ""}};
          },
      .scenarios =
          [] {
            return std::vector<Candidate>{{"case1", ""}, {"case2", ""}};
          },
      .parameters =
          [this](const std::string& policy) {
            asked_policy = policy;
            if (policy == "none") return std::vector<CompletedParameter>{};
            return std::vector<CompletedParameter>{
                {"low", "100MiB", "the lower bound", {}},
                {"mode", "calm", "", {"calm", "eager"}},
            };
          },
      .domains =
          [this](const std::string& socket) {
            asked_socket = socket;
            return domains;
          },
      .files =
          [this](const FileQuery& asked) {
            query = asked;
            return listed;
          },
  };
  Completions answer;
};

}  // namespace

TEST_CASE("commands complete in the first word, and subcommands after their command") {
  CompletedProgram program;
  CHECK(program.after({"do"}) == Words{"domain"});
  CHECK(program.description_of("domain") == "settings");
  CHECK(program.after({"domain", ""}) == Words{"set", "show"});
  CHECK(program.after({"domain", "sh"}) == Words{"show"});
  CHECK(program.after({"help", "domain", "se"}) == Words{"set"});
  CHECK(program.after({"help", "exp"}) == Words{"explain"});
}

TEST_CASE("options of the named command complete by their long names") {
  CompletedProgram program;
  CHECK(program.after({"--pol"}) ==
        Words{"--policy", "--policy-time", "--policy-instructions", "--policy-memory"});
  CHECK(program.after({"domain", "set", "web", "--js"}) == Words{"--json"});
  CHECK(program.after({"domain", "show", ""}) == Words{"--help"});
}

TEST_CASE("options that are given or contradicted are not offered again") {
  CompletedProgram program;
  CHECK(program.after({"compare", "--json", "--"}) == Words{"--help", "--policies", "--scenarios"});
  CHECK(program.after({"compare", "--csv", "--j"}).empty());
  CHECK(program.after({"--journal", "x", "--jou"}) == Words{"--journal-max", "--journal-keep"});
  CHECK(program.after({"--include", "x", "--inc"}) == Words{"--include"});
}

TEST_CASE("an option's value completes by its kind") {
  CompletedProgram program;
  CHECK(program.after({"--policy", "h"}) == Words{"halving"});
  CHECK(program.answer.files == "*.lua");
  CHECK(program.after({"-p", ""}) == Words{"band", "halving"});
  CHECK(program.after({"--policy=b"}) == Words{"--policy=band"});
  CHECK(program.answer.prefix == "--policy=");
  CHECK(program.after({"--headroom", "us"}) == Words{"usable"});
  CHECK(program.after({"--units", "M"}) == Words{"MiB"});
  CHECK(program.after({"--dry-run="}) == Words{"--dry-run=true", "--dry-run=false"});
  CHECK(program.after({"--control", "o"}) == Words{"off"});
  CHECK(program.answer.files == "*.sock");
  CHECK(program.after({"dry-run", ""}) == Words{"on", "off"});
  CHECK(program.after({"simulate", "--scenario", ""}) == Words{"case1", "case2"});
  CHECK(program.after({"--connect", "sim:"}) == Words{"sim:case1", "sim:case2"});
  CHECK(program.answer.files == "*.lua");
  CHECK(program.answer.prefix == "sim:");
  CHECK(program.after({"--connect", "qemu"}) == Words{"qemu:///system", "qemu:///session"});
}

TEST_CASE("files complete by the kind that an option takes") {
  CompletedProgram program;
  const auto files = [&](const Words& words) {
    CHECK(program.after(words).empty());
    return program.answer.files;
  };
  CHECK(files({"--journal", ""}) == "*.jsonl");
  CHECK(files({"--config=me"}) == "*.toml");
  CHECK(files({"simulate", "--report", ""}) == "*.html");
  CHECK(files({"simulate", "--output", ""}) == "*.html");
  CHECK(files({"--ticks", ""}) == "");
}

TEST_CASE("a word after a flag may be a command, a word after an option is its value") {
  CompletedProgram program;
  CHECK(program.after({"--dry-run", "do"}) == Words{"domain"});
  CHECK(program.after({"--policy", "check", "do"}) == Words{"domain"});
}

TEST_CASE("a list completes each of its words, each name once, up to the next option") {
  CompletedProgram program;
  CHECK(program.after({"check", ""}) == Words{"band", "halving"});
  CHECK(program.after({"check", "halving", ""}) == Words{"band"});
  CHECK(program.after({"compare", "--policies", "band", ""}) == Words{"halving"});
  CHECK(program.after({"compare", "-p", "band", "--scenarios", ""}) == Words{"case1", "case2"});
  CHECK(program.after({"compare", "-p", "band", "--sc"}) == Words{"--scenarios"});
}

TEST_CASE("--set completes the parameters of the policy on the line, then their values") {
  CompletedProgram program;
  CHECK(program.after({"--set", ""}) == Words{"low=", "mode="});
  CHECK(program.description_of("low=") == "default 100MiB: the lower bound");
  CHECK(program.asked_policy == "adaptive");
  CHECK(program.after({"--policy=none", "--set", ""}).empty());
  CHECK(program.after({"-p", "band", "--policy", "./mine.lua", "--set", ""}).size() == 2);
  CHECK(program.asked_policy == "./mine.lua");
  CHECK(program.after({"policy", "band", "--set", "l"}) == Words{"low="});
  CHECK(program.asked_policy == "band");
  CHECK(program.after({"policy", "--set", ""}).empty());
  CHECK(program.after({"--set", "low=1MiB", "--set", ""}) == Words{"mode="});
  CHECK(program.after({"--set", "low="}) == Words{"low=100MiB"});
  CHECK(program.after({"--set=mode="}) == Words{"--set=mode=calm", "--set=mode=eager"});
}

TEST_CASE("a policy in a list completes its own parameters") {
  CompletedProgram program;
  CHECK(program.after({"compare", "-p", "band:"}) == Words{"band:low=", "band:mode="});
  CHECK(program.asked_policy == "band");
  CHECK(program.after({"compare", "-p", "band:low=1,"}) == Words{"band:low=1,mode="});
  CHECK(program.after({"compare", "-p", "band:mode=e"}) == Words{"band:mode=eager"});
}

TEST_CASE("domains are those of the run that the line names") {
  CompletedProgram program;
  CHECK(program.after({"explain", "w"}) == Words{"web", "web 2"});
  CHECK(program.asked_socket == "");
  CHECK(program.after({"explain", "--control", "/tmp/x.sock", ""}).size() == 3);
  CHECK(program.asked_socket == "/tmp/x.sock");
  CHECK(program.after({"domain", "set", "d"}) == Words{"db"});
  program.domains.clear();
  CHECK(program.after({"explain", ""}).empty());
}

TEST_CASE("a domain whose name begins with a dash is offered only behind the mark") {
  CompletedProgram program;
  program.domains = {"-db", "--help"};
  CHECK(program.after({"explain", ""}).empty());
  CHECK(program.after({"explain", "--", ""}) == Words{"-db", "--help"});
  CHECK(program.after({"explain", "--", "-d"}) == Words{"-db"});
  CHECK(program.after({"domain", "set", "--", "-db", "--j"}) == Words{"--json"});
}

TEST_CASE("unknown words have no candidates and do no harm") {
  CompletedProgram program;
  CHECK(program.after({"--nonsense", "-"}).size() > 10);
  CHECK(program.after({"--nonsense=x"}).empty());
  CHECK(program.after({"-"}).size() > 10);
  CHECK(program.after({}).size() >= 2);
  CHECK(program.after({"help", "nobody", ""}).empty());
  CHECK(program.after({"--", ""}).size() >= 2);
}

TEST_CASE("a shell's line is split into words, and nothing in it is expanded") {
  const auto words = [](const std::string& line) { return split_shell_line(line, "").words; };
  CHECK(words("a  b ") == Words{"a", "b", ""});
  CHECK(words(R"(a "b c" d\ e 'f "g' "h\"i\x")") == Words{"a", "b c", "d e", "f \"g", "h\"i\\x"});
  CHECK(words("a \"b c") == Words{"a", "b c"});
  CHECK(words("a '' \"\" b\\") == Words{"a", "", "", "b"});
  CHECK(words("a $(x) `y` $z *") == Words{"a", "$(x)", "`y`", "$z", "*"});
  CHECK(words("") == Words{""});
  CHECK(words("a 2>errors >> out b <in c") == Words{"a", "b", "c"});
  CHECK(split_shell_line("a >", "").redirects);
  CHECK(split_shell_line("a >fi", "").words.back() == "fi");
  CHECK_FALSE(split_shell_line("a >fi x", "").redirects);
}

TEST_CASE("bash keeps the part of a word up to a break or an open quote") {
  const auto kept = [](const std::string& line) { return split_shell_line(line, "=:").kept; };
  CHECK(kept("a sim:ca") == 4);
  CHECK(kept("a --set=low=1") == 10);
  CHECK(kept("a b:c d") == 0);
  CHECK(kept(R"(a sim\:ca)") == 0);
  CHECK(kept(R"(a "sim:ca)") == 0);
  CHECK(kept(R"(a x:"sim:ca)") == 2);
  CHECK(kept(R"(a "b:c"d)") == 0);
}

TEST_CASE("bash gets the rest of a word, and files too") {
  CompletedProgram program;
  program.listed = {"c.lua"};
  CHECK(program.bash("memcoord -c sim:c") == "case1\ncase2\nc.lua\n");
  CHECK(program.query.begun == "c");
  CHECK(program.query.glob == "*.lua");
  CHECK(program.bash("memcoord -c \"sim:c") == "sim:case1\nsim:case2\nsim:c.lua\n");
  program.listed = {"a:b.toml", "a:c/"};
  CHECK(program.bash("memcoord --config=a:") == "b.toml\nc/\n");
  CHECK(program.query.begun == "a:");
  program.listed = {"~/fi"};
  CHECK(program.bash("memcoord --json >~/") == "~/fi\n");
  CHECK(program.query.tilde);
  CHECK(program.query.glob == "*");
  CHECK(program.bash("memcoord explain web\\ ") == "web\\ 2\n");
  CHECK(program.bash("memcoord") == "");
}

TEST_CASE("a text for bash is quoted behind the quote that is open") {
  const auto quoted = [](const std::string& line, const std::string& text) {
    return shell_word_in(split_shell_line(line, ""), text).value_or("none");
  };
  CHECK(quoted("a ", "web-1.x:y=z") == "web-1.x:y=z");
  CHECK(quoted("a ", "b $(c) `d`;'e' ~") == R"(b\ \$\(c\)\ \`d\`\;\'e\'\ \~)");
  CHECK(quoted("a ~", "~/b c") == R"(~/b\ c)");
  CHECK(quoted("a \\~", "~/b") == R"(\~/b)");
  CHECK(quoted("a \"~", "~/$b`c\"d\\ e'") == R"(~/\$b\`c\"d\\ e')");
  CHECK(quoted("a \"", "b!c") == "none");
  CHECK(quoted("a '", "b'c !$d") == R"(b'\''c !$d)");
  CHECK(quoted("a ", "\xc3\xbc") == "\xc3\xbc");
}

TEST_CASE("zsh and fish get descriptions, and fish's last word comes as it is written") {
  CompletedProgram program;
  CHECK(completion_answer(program.program, {"zsh", "do"}, program.sources) ==
        "\n\ndomain\tsettings\n");
  CHECK(completion_answer(program.program, {"zsh", "--config=x"}, program.sources) ==
        "*.toml\n--config=\n");
  CHECK(completion_answer(program.program, {"fish", "explain", "'web 2"}, program.sources) ==
        "web 2\t\n");
  program.listed = {"~/a.toml"};
  CHECK(completion_answer(program.program, {"fish", "--config", "~/"}, program.sources) ==
        "~/a.toml\t\n");
  CHECK(program.query.tilde);
  CHECK(completion_answer(program.program, {"csh", "do"}, program.sources) == "");
  CHECK(completion_answer(program.program, {}, program.sources) == "");
}

TEST_CASE("names that act on the terminal or the script are left out") {
  CompletedProgram program;
  program.domains = {"a\nb", "a\tb", "a\x1b[2J", "a\xe2\x80\xae", "a$(x)"};
  CHECK(completion_answer(program.program, {"zsh", "explain", "a"}, program.sources) ==
        "\n\na$(x)\t\n");
  program.listed = {"a\nb", "ab"};
  CHECK(program.bash("memcoord --config a") == "ab\n");
}

TEST_CASE("three shells have a script") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    CAPTURE(shell);
    CHECK(contains(std::string(completion_script(shell)), std::string(kCompleteWord)));
  }
  CHECK(completion_script("csh").empty());
}
