#include "engine/control/tcp_address.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::control;

namespace {

std::string refused_address(const std::string& text) {
  const auto address = parse_tcp_address(text);
  REQUIRE_FALSE(address);
  CHECK(address.error().code == ErrorCode::invalid_input);
  CHECK(address.error().object.empty());
  CHECK_FALSE(address.error().hint.empty());
  CHECK(address.error().text().find('\n') == std::string::npos);
  return address.error().text();
}

}  // namespace

TEST_CASE("an address is a port of this host alone, or an IP address and a port") {
  CHECK(parse_tcp_address("9798") == TcpAddress{"127.0.0.1", 9798});
  CHECK(parse_tcp_address("localhost:1") == TcpAddress{"127.0.0.1", 1});
  CHECK(parse_tcp_address("192.0.2.7:65535") == TcpAddress{"192.0.2.7", 65535});
  CHECK(parse_tcp_address("0.0.0.0:80") == TcpAddress{"0.0.0.0", 80});
  CHECK(parse_tcp_address("[2001:DB8:0::7]:80") == TcpAddress{"2001:db8::7", 80});
  CHECK(parse_tcp_address("[::]:80") == TcpAddress{"::", 80});
  CHECK(TcpAddress{"::1", 80}.text() == "[::1]:80");
  CHECK(TcpAddress{"127.0.0.1", 80}.text() == "127.0.0.1:80");
}

TEST_CASE("an address that is none is refused with its forms") {
  for (const std::string text : {"0", "65536", "99999999999999999999", "09798", "-1", "+80",
                                 "localhost:0", "localhost:", "1.2.3.4:x", "1.2.3.4:80 ", "80x"}) {
    CAPTURE(text);
    CHECK(contains(refused_address(text), "'" + text + "' has no port"));
  }
  CHECK(contains(refused_address("metrics"), "has no port; give a port (9798: this host only)"));
  CHECK(contains(refused_address("[::1]"), "has no port; "));
  CHECK(contains(refused_address(""), "the address is empty; "));
  CHECK(contains(refused_address(" 9798"), "has no port"));
  CHECK(contains(refused_address("::1:80"), "has an IPv6 address without brackets"));
  for (const std::string text :
       {"example.com:80", "LOCALHOST:80", "1.2.3:80", "010.0.0.1:80", "[1.2.3.4]:80", "[::1%lo]:80",
        "http://1.2.3.4:80", " 1.2.3.4:80"}) {
    CAPTURE(text);
    refused_address(text);
  }
  CHECK(contains(refused_address("example.com:80"), "names are not looked up"));
  CHECK(contains(refused_address("*:80"), "for every address of this host, give 0.0.0.0:80 or"));
  CHECK(contains(refused_address(":80"), "for every address of this host, give 0.0.0.0:80 or"));
  CHECK_FALSE(contains(refused_address("\x1b[31m\n"), "\x1b"));
  CHECK_FALSE(contains(refused_address("http://\x1b[31m\n/"), "\x1b"));
}

TEST_CASE("a URL is refused with the address that is in it") {
  CHECK(refused_address("http://127.0.0.1:9799/") ==
        "'http://127.0.0.1:9799/' is a URL; give it without http:// and path: 127.0.0.1:9799");
  CHECK(refused_address("http://[::1]:80") ==
        "'http://[::1]:80' is a URL; give it without http:// and path: [::1]:80");
  CHECK(refused_address("localhost:9798/metrics") ==
        "'localhost:9798/metrics' has a path; give it without http:// and path: 127.0.0.1:9798");
  CHECK(refused_address("https://example.com/") ==
        "'https://example.com/' is a URL; give it without http:// and path");
  CHECK(refused_address("//") == "'//' has a path; give it without http:// and path");
}

TEST_CASE("an address tells whom it reaches") {
  using Reach = TcpAddress::Reach;
  CHECK(TcpAddress{"127.0.0.1", 1}.reach() == Reach::loopback);
  CHECK(TcpAddress{"127.9.9.9", 1}.reach() == Reach::loopback);
  CHECK(TcpAddress{"::1", 1}.reach() == Reach::loopback);
  CHECK(TcpAddress{"128.0.0.1", 1}.reach() == Reach::one_address);
  CHECK(TcpAddress{"::ffff:127.0.0.1", 1}.reach() == Reach::one_address);
  CHECK(TcpAddress{"0.0.0.0", 1}.reach() == Reach::every_address);
  CHECK(TcpAddress{"::", 1}.reach() == Reach::every_address);
}

TEST_CASE("a further name of the host has neither scheme nor port") {
  CHECK(parse_host_name("Metrics.Example.COM.") == "metrics.example.com");
  CHECK(parse_host_name("[2001:DB8::0:7]") == "2001:db8::7");
  CHECK(parse_host_name("192.0.2.7") == "192.0.2.7");
  for (const std::string text : {"", ".", "http://a", "a:80", "a/b", "*", "a b", "ä", "a\n",
                                 "*.example.com", "a..", "a..b", ".a"}) {
    CAPTURE(text);
    const auto name = parse_host_name(text);
    REQUIRE_FALSE(name);
    CHECK(contains(name.error().text(), "is not the name of a host; give a name without scheme"));
  }
  CHECK_FALSE(parse_host_name(std::string(254, 'a')));
}
