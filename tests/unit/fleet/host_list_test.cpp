#include "engine/fleet/host_list.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/integration/cli/scratch_files.h"

using namespace memcoord;
using namespace memcoord::fleet;
using memcoord::testing::ScratchFiles;

namespace {

std::string refusal_of(const std::string& text) {
  const auto hosts = parse_fleet(text, "hosts.txt");
  return hosts ? "" : hosts.error().object + ": " + hosts.error().message;
}

}  // namespace

TEST_CASE("a fleet file has a host a line, with a name and a token file as needed") {
  const auto hosts = parse_fleet(
      "# the rack in room 2\n"
      "\n"
      "http://kvm1:9798/\n"
      "  https://kvm2/memcoord\tname=kvm2 token-file=kvm2.token  # behind a proxy\r\n"
      "./kvm3.sock name=kvm3\n"
      "/run/kvm4.sock\n"
      "kvm5.sock",
      "/etc/fleet/hosts.txt");
  REQUIRE(hosts);
  REQUIRE(hosts->size() == 5);
  CHECK(hosts->at(0).name == "kvm1:9798");
  CHECK(hosts->at(0).server.url == "http://kvm1:9798");
  CHECK(hosts->at(0).token_file.empty());
  CHECK(hosts->at(1).name == "kvm2");
  CHECK(hosts->at(1).server.url == "https://kvm2/memcoord");
  CHECK(hosts->at(1).token_file == "/etc/fleet/kvm2.token");
  CHECK(hosts->at(2).name == "kvm3");
  CHECK(hosts->at(2).server.socket == "/etc/fleet/./kvm3.sock");
  CHECK(hosts->at(3).name == "/run/kvm4.sock");
  CHECK(hosts->at(3).place == "/etc/fleet/hosts.txt:6");
  CHECK(hosts->at(4).server.socket == "/etc/fleet/kvm5.sock");
}

TEST_CASE("a line of a fleet file that cannot be used is refused with its place") {
  CHECK(refusal_of("http://a:1\nkvm1:9798\n") == "hosts.txt:2: 'kvm1:9798' is not an address");
  CHECK(refusal_of("kvm1\n") == "hosts.txt:1: 'kvm1' is not an address");
  CHECK(refusal_of("ftp://kvm1\n") == "hosts.txt:1: 'ftp://kvm1' is not a URL of http or https");
  CHECK(refusal_of("http://kvm1:99999\n") == "hosts.txt:1: 'http://kvm1:99999' is not a URL");
  CHECK(refusal_of("http://u:p@kvm1\n") ==
        "hosts.txt:1: 'http://u:p@kvm1' has a user or a password");
  CHECK(refusal_of("http://kvm1/?a=1\n") ==
        "hosts.txt:1: 'http://kvm1/?a=1' has a query or a fragment");
  CHECK(refusal_of("http://kvm1 nam=x\n") == "hosts.txt:1: 'nam=x' is no setting of a host");
  CHECK(refusal_of("http://kvm1 kvm2\n") == "hosts.txt:1: 'kvm2' is no setting of a host");
  CHECK(refusal_of("http://kvm1 name=\n") == "hosts.txt:1: 'name' has no value");
}

TEST_CASE("a name or an address that a fleet file has twice is refused") {
  CHECK(refusal_of("http://a:1 name=x\nhttp://b:1 name=x\n") ==
        "hosts.txt:2: the name 'x' is given twice (hosts.txt:1)");
  CHECK(refusal_of("http://a:1\nhttp://a:1/\n") ==
        "hosts.txt:2: the name 'a:1' is given twice (hosts.txt:1)");
}

TEST_CASE("a fleet file without hosts is refused") {
  CHECK(refusal_of("") == "hosts.txt: lists no host");
  CHECK(refusal_of("# none yet\n\n") == "hosts.txt: lists no host");
}

TEST_CASE("a command line names hosts by URL, by socket and by file") {
  const ScratchFiles files;
  const std::string list = files.write("hosts.txt", "http://b:1 name=b\n");
  const auto hosts = hosts_of({"http://a:1", list, files.path("later.sock")});
  REQUIRE(hosts);
  REQUIRE(hosts->size() == 3);
  CHECK(hosts->at(0).name == "a:1");
  CHECK(hosts->at(1).name == "b");
  CHECK(hosts->at(2).server.socket == files.path("later.sock"));
}

TEST_CASE("words that name no host are refused") {
  const ScratchFiles files;
  const auto refusal = [](const std::vector<std::string>& words) {
    return hosts_of(words).error().text();
  };
  CHECK(refusal({"kvm1:9798"}) == "'kvm1:9798' is not an address; write http://kvm1:9798");
  CHECK(refusal({"nowhere.txt"}) == "nowhere.txt: no such fleet file or socket");
  CHECK(refusal({"http://a:1", "http://a:1"})
            .starts_with("http://a:1: the name 'a:1' is given twice;"));
  CHECK(refusal({"http://a:1", files.write("list", "http://a:1")})
            .starts_with(files.path("list") + ":1: the name 'a:1' is given twice (http://a:1);"));
  CHECK(refusal({files.path(".")}).starts_with(files.path(".") + ": "));
}

TEST_CASE("a file that is no list is refused at its first line") {
  const ScratchFiles files;
  const std::string path = files.write("program", std::string("\x7f") + "ELF\x02\x01 a b\n");
  const auto hosts = hosts_of({path});
  REQUIRE_FALSE(hosts);
  CHECK(hosts.error().object == path + ":1");
}
