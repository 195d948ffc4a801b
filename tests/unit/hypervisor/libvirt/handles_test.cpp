#include "engine/hypervisor/libvirt/handles.h"

#include <doctest/doctest.h>

#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::libvirt;

namespace {

std::string uri_complaint(std::string_view text, ErrorCode code = ErrorCode::invalid_input) {
  const auto uri = parse_uri(text);
  REQUIRE_FALSE(uri);
  CHECK(uri.error().code == code);
  return uri.error().text();
}

}  // namespace

TEST_CASE("parse_uri splits a URI") {
  const auto uri = parse_uri("qemu+ssh://root@kvm1.example.org:2222/system?no_tty=1");
  REQUIRE(uri);
  CHECK(uri->driver == "qemu");
  CHECK(uri->transport == "ssh");
  CHECK(uri->server == "kvm1.example.org");
  CHECK(uri->path == "/system");
}

TEST_CASE("a URI without a server is local, unless its transport leaves the machine") {
  CHECK(parse_uri("qemu:///system")->is_local());
  CHECK(parse_uri("qemu+unix:///session?socket=/tmp/x/libvirt-sock")->is_local());
  CHECK(parse_uri("test:///default")->is_local());
  CHECK_FALSE(parse_uri("qemu+ssh://kvm1/system")->is_local());
  CHECK_FALSE(parse_uri("qemu+tcp:///system")->is_local());
  CHECK_FALSE(parse_uri("qemu://kvm1/system")->is_local());
}

TEST_CASE("only the test driver without a transport runs in this process") {
  CHECK(parse_uri("test:///default")->is_in_process());
  CHECK_FALSE(parse_uri("test+unix:///default?socket=/tmp/x/libvirt-sock")->is_in_process());
  CHECK_FALSE(parse_uri("qemu:///system")->is_in_process());
}

TEST_CASE("the error about a missing slash suggests the URI that was meant") {
  CHECK(contains(uri_complaint("qemu://system"), "did you mean qemu:///system?"));
  CHECK(contains(uri_complaint("qemu://session/"), "did you mean qemu:///session?"));
  CHECK(contains(uri_complaint("qemu+unix://system"), "did you mean qemu+unix:///system?"));
}

TEST_CASE("the error about text that is no URI gives an example") {
  CHECK(contains(uri_complaint(""), "qemu:///system"));
  CHECK(contains(uri_complaint("/var/run/libvirt"), "not a connection URI"));
  CHECK(contains(uri_complaint("localhost"), "not a connection URI"));
}

TEST_CASE("the test driver's file must exist and have an absolute path") {
  CHECK(contains(uri_complaint("test:///no/such%20file.xml", ErrorCode::not_found),
                 "no file /no/such file.xml"));
  CHECK(contains(uri_complaint("test://host.xml"), "names a host, not a file"));
  CHECK(contains(uri_complaint("test:///"), "names no test host"));
  CHECK(parse_uri("test:///default"));
  CHECK(parse_uri("test+unix:///default?socket=/tmp/x/libvirt-sock"));
}
