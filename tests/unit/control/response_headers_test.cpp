#include "engine/control/response_headers.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::control;

TEST_CASE("every response tells browsers to run, frame and guess nothing of others") {
  const Response response = completed({404, "{}"}, "");
  CHECK(response.headers.at("Content-Security-Policy").starts_with("default-src 'none'; "));
  CHECK_FALSE(contains(response.headers.at("Content-Security-Policy"), "unsafe"));
  CHECK(response.headers.at("X-Content-Type-Options") == "nosniff");
  CHECK(response.headers.at("X-Frame-Options") == "DENY");
  CHECK(response.headers.at("Referrer-Policy") == "no-referrer");
  CHECK(response.headers.at("Cross-Origin-Resource-Policy") == "same-origin");
  CHECK(response.headers.at("Cache-Control") == "no-store");
  CHECK(response.status == 404);
  CHECK(response.body == "{}");
}

TEST_CASE("a response keeps its own headers, except those that protect") {
  const Response response = completed(
      {200, "", "text/html", {{"Cache-Control", "max-age=60"}, {"X-Frame-Options", ""}}}, "");
  CHECK(response.headers.at("Cache-Control") == "max-age=60");
  CHECK(response.headers.at("X-Frame-Options") == "DENY");
}

TEST_CASE("a large body is compressed if the client accepts it") {
  const std::string text(100'000, 'x');
  const Response small = completed({200, std::string(1000, 'x')}, "gzip");
  CHECK(small.body.size() == 1000);
  CHECK_FALSE(small.headers.contains("Vary"));
  const Response plain = completed({200, text}, "");
  CHECK(plain.body == text);
  CHECK(plain.headers.at("Vary") == "Accept-Encoding");
  CHECK_FALSE(plain.headers.contains("Content-Encoding"));
  const Response compressed = completed({200, text}, "deflate, gzip");
  CHECK(compressed.headers.at("Content-Encoding") == "gzip");
  CHECK(compressed.headers.at("Vary") == "Accept-Encoding");
  CHECK(compressed.body.starts_with("\x1f\x8b"));
  CHECK(compressed.body.size() < 2000);
  const Response already =
      completed({200, text, "text/html", {{"Content-Encoding", "br"}}}, "gzip");
  CHECK(already.body == text);
}

TEST_CASE("a client accepts gzip by its name or by *, unless its weight is 0") {
  for (const char* yes : {"gzip", "gzip, deflate, br", "br,gzip;q=0.5", " gzip ; q=1.000", "*",
                          "GZIP", "GZip;Q=1", "gzip; q = 0.5", "gzip;x=1;q=0.1"}) {
    CAPTURE(yes);
    CHECK(accepts_gzip(yes));
  }
  for (const char* no :
       {"", "br", "gzip;q=0", "gzip;q=0.000, *", "*, gzip;q=0", "*;q=0", "identity", "xgzip",
        ",,;,", "gzip;q=", "gzip;Q=0", "gzip;q = 0", "gzip ; q= 0.0", "gzip;x=1;q=0", "gzi"}) {
    CAPTURE(no);
    CHECK_FALSE(accepts_gzip(no));
  }
}
