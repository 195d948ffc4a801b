#include "engine/control/web_access.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/observers/json.h"
#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::control;

namespace {

constexpr const char* kExpectedToken = "0123456789abcdef";

WebAccess access_to(const std::string& ip, bool needs_token = false) {
  WebAccess access{.address = {ip, 9798}};
  if (needs_token) access.token = [] { return std::string(kExpectedToken); };
  return access;
}

Request web_request(const std::string& path, std::map<std::string, std::string> headers = {}) {
  headers.emplace("host", "localhost:9798");
  return {"GET", path, {}, {}, {}, std::move(headers)};
}

/// The status of a request that these rules answer; 200 if they let it pass.
int status_of(const Request& request, const WebAccess& access) {
  const auto refused = refusal(request, access);
  if (!refused) return 200;
  const auto body = observers::Json::parse(refused->body);
  REQUIRE(body);
  CHECK_FALSE(body->at("error").string().empty());
  CHECK_FALSE(body->at("hint").string().empty());
  return refused->status;
}

int host_status(const std::string& host, const WebAccess& access) {
  return status_of(web_request("/v1/status", {{"host", host}}), access);
}

}  // namespace

TEST_CASE("a request names the server by its address, as localhost or by a further name") {
  WebAccess access = access_to("127.0.0.1");
  access.hosts = {"metrics.example.com", "2001:db8::7"};
  for (const std::string host : {"127.0.0.1", "127.0.0.1:9798", "localhost", "LocalHost:1234",
                                 "localhost.", "metrics.example.com:443", "[2001:DB8::0:7]:1"}) {
    CAPTURE(host);
    CHECK(host_status(host, access) == 200);
  }
  for (const std::string host :
       {"evil.example", "evil.example:9798", "localhost.evil.example", "127.0.0.1.evil.example",
        "127.0.0.2", "[::1]", "metrics.example.com.evil.example", "0.0.0.0"}) {
    CAPTURE(host);
    CHECK(host_status(host, access) == 421);
  }
  CHECK(host_status("", access) == 400);
  CHECK(status_of({"GET", "/metrics", {}, {}, {}, {}}, access) == 400);
  CHECK(status_of(web_request("/metrics", {{"host", "evil.example"}}), access) == 421);
}

TEST_CASE("a Host header that is not one host with a port is refused") {
  const WebAccess access = access_to("127.0.0.1");
  for (const std::string host :
       {"localhost, evil.example", "localhost:1, evil.example", ", localhost", "localhost, ",
        "localhost:@evil.example", "localhost:80:evil", "localhost:80.evil.example", "x@localhost",
        " ", "[", "[]", ":9798", "127.0.0.1/", "[::1", "[::1]x", "[localhost]:1x", "localhost:-1",
        "localhost: 1"}) {
    CAPTURE(host);
    CHECK(host_status(host, access) == 400);
  }
  CHECK(host_name("LocalHost.:9798") == "localhost");
  CHECK(host_name("localhost:") == "localhost");
  CHECK(host_name("[2001:DB8::7]:1") == "2001:db8::7");
  const std::string shown = refusal(web_request("/", {{"host", "a:b"}}), access)->body;
  CHECK(contains(shown, "a:b is not one host with a port"));
}

TEST_CASE("a server of every address answers to any IP address, and to no other name") {
  const WebAccess access = access_to("0.0.0.0", true);
  const auto status = [&](const std::string& host) {
    return status_of(web_request("/metrics", {{"host", host}}), access);
  };
  CHECK(status("192.0.2.7:9798") == 200);
  CHECK(status("[2001:db8::7]:9798") == 200);
  CHECK(status("evil.example:9798") == 421);
}

TEST_CASE("over TCP, only GET and HEAD are allowed") {
  const WebAccess access = access_to("127.0.0.1");
  for (const std::string method :
       {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", ""}) {
    CAPTURE(method);
    Request request = web_request("/v1/pause");
    request.method = method;
    CHECK(status_of(request, access) == 405);
    CHECK(refusal(request, access)->headers.at("Allow") == "GET, HEAD");
  }
  Request head = web_request("/v1/status");
  head.method = "HEAD";
  CHECK(status_of(head, access) == 200);
}

TEST_CASE("a page of another site reads no figures") {
  const WebAccess access = access_to("127.0.0.1");
  const auto status = [&](const std::string& name, const std::string& value) {
    return status_of(web_request("/v1/status", {{name, value}}), access);
  };
  CHECK(status("origin", "http://localhost:9798") == 200);
  CHECK(status("origin", "HTTP://LOCALHOST:9798") == 200);
  CHECK(status("origin", "http://localhost:80") == 403);
  CHECK(status("origin", "http://evil.example") == 403);
  CHECK(status("origin", "null") == 403);
  CHECK(status("sec-fetch-site", "same-origin") == 200);
  CHECK(status("sec-fetch-site", "none") == 200);
  CHECK(status("sec-fetch-site", "same-site") == 403);
  CHECK(status("sec-fetch-site", "cross-site") == 403);
  // A link on another page may lead to memcoord's page.
  CHECK(status_of(web_request("/", {{"sec-fetch-site", "cross-site"}}), access) == 200);
}

TEST_CASE("with a token, every path but /metrics needs it") {
  for (const std::string ip : {"127.0.0.1", "192.0.2.7"}) {
    CAPTURE(ip);
    const WebAccess access = access_to(ip, true);
    CHECK(status_of(web_request("/metrics"), access) == 200);
    for (const std::string path : {"/", "/v1/status", "/metrics/", "/metricsx", "/v1/../metrics"}) {
      CAPTURE(path);
      CHECK(status_of(web_request(path), access) == 401);
      CHECK(
          status_of(web_request(path, {{"authorization", std::string("Bearer ") + kExpectedToken}}),
                    access) == 200);
    }
  }
}

TEST_CASE("the token is a bearer token or the password of any user") {
  const WebAccess access = access_to("127.0.0.1", true);
  const auto status = [&](const std::string& authorization) {
    return status_of(web_request("/", {{"authorization", authorization}}), access);
  };
  CHECK(status("bearer   0123456789abcdef") == 200);
  CHECK(status("Basic eDowMTIzNDU2Nzg5YWJjZGVm") == 200);  // x:0123456789abcdef
  CHECK(status("basic OjAxMjM0NTY3ODlhYmNkZWY=") == 200);  // :0123456789abcdef
  CHECK(status("Basic MDEyMzQ1Njc4OWFiY2RlZg==") == 401);  // without a user
  CHECK(status("Basic eDo=") == 401);                      // x:
  for (const std::string wrong :
       {"Bearer 0123456789abcde", "Bearer 0123456789abcdeg", "Bearer 0123456789abcdef0",
        "Bearer 0123456789abcdef0123456789abcdef", "Bearer ", "Bearer", "Basic",
        "Basic ====", "Basic \xff", "Digest 0123456789abcdef", "0123456789abcdef",
        "Bearer 0123456789abcdef, Bearer x"}) {
    CAPTURE(wrong);
    CHECK(status(wrong) == 401);
  }
  // A browser asks for a password if it finds a challenge of its own line.
  CHECK(contains(refusal(web_request("/"), access)->headers.at("WWW-Authenticate"), "\nBasic "));
}

TEST_CASE("an empty token refuses every client") {
  WebAccess access = access_to("127.0.0.1");
  access.token = [] { return std::string(); };
  CHECK(status_of(web_request("/", {{"authorization", "Bearer "}}), access) == 401);
  CHECK(status_of(web_request("/", {{"authorization", "Basic Og=="}}), access) == 401);
}

TEST_CASE("without a token, an address that others reach serves metrics only") {
  for (const std::string ip : {"192.0.2.7", "0.0.0.0", "::"}) {
    CAPTURE(ip);
    CHECK(status_of(web_request("/metrics"), access_to(ip)) == 200);
    CHECK(status_of(web_request("/v1/status"), access_to(ip)) == 403);
    CHECK(status_of(web_request("/"), access_to(ip)) == 403);
  }
  CHECK(status_of(web_request("/"), access_to("::1")) == 200);
}

TEST_CASE("a restricted handler gets only the requests that may pass") {
  std::vector<std::string> passed;
  const Handler handler = restricted(
      [&](const Request& request) {
        passed.push_back(request.method + " " + request.path);
        return Response{};
      },
      access_to("127.0.0.1"));
  CHECK(handler(web_request("/v1/status")).status == 200);
  Request change = web_request("/v1/pause");
  change.method = "POST";
  CHECK(handler(change).status == 405);
  CHECK(passed == std::vector<std::string>{"GET /v1/status"});
}
