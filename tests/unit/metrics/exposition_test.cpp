// The two formats, as text.

#include "engine/metrics/exposition.h"

#include <doctest/doctest.h>

#include <limits>
#include <set>
#include <sstream>
#include <string>

#include "tests/text.h"
#include "tests/unit/metrics/metrics_text.h"

using namespace memcoord;
using namespace memcoord::test;
using metrics::append_openmetrics;
using metrics::append_prometheus;
using metrics::Family;
using metrics::FamilyType;
using metrics::Format;

namespace {

std::string prometheus_text(const Family& family) {
  std::string text;
  append_prometheus(text, family);
  return text;
}
std::string openmetrics_text(const Family& family) {
  std::string text;
  append_openmetrics(text, family);
  return text;
}

Family one_sample(double value) {
  return {"memcoord_x", "Help.", FamilyType::gauge, {{{}, value}}};
}

}  // namespace

TEST_CASE(
    "a counter's family has its ending in Prometheus' text, only its samples in OpenMetrics") {
  const Family family{
      "memcoord_moved_bytes_total", "Help.", FamilyType::counter, {{{{"way", "up"}}, 4096}}};
  CHECK(prometheus_text(family) ==
        "# HELP memcoord_moved_bytes_total Help.\n"
        "# TYPE memcoord_moved_bytes_total counter\n"
        "memcoord_moved_bytes_total{way=\"up\"} 4096\n");
  CHECK(openmetrics_text(family) ==
        "# TYPE memcoord_moved_bytes counter\n"
        "# UNIT memcoord_moved_bytes bytes\n"
        "# HELP memcoord_moved_bytes Help.\n"
        "memcoord_moved_bytes_total{way=\"up\"} 4096\n");
}

TEST_CASE("an info is a gauge in Prometheus' text, and has a type of its own in OpenMetrics") {
  const Family family{
      "memcoord_build_info", "Help.", FamilyType::info, {{{{"version", "0.9"}}, 1}}};
  CHECK(prometheus_text(family) ==
        "# HELP memcoord_build_info Help.\n"
        "# TYPE memcoord_build_info gauge\n"
        "memcoord_build_info{version=\"0.9\"} 1\n");
  CHECK(openmetrics_text(family) ==
        "# TYPE memcoord_build info\n"
        "# HELP memcoord_build Help.\n"
        "memcoord_build_info{version=\"0.9\"} 1\n");
}

TEST_CASE("a histogram has buckets up to infinity, a count and a sum in both formats") {
  Family family{"memcoord_x_seconds", "Help.", FamilyType::histogram};
  family.histograms = {{{{"stage", "a"}}, {{0.005, 1}, {1, 2}}, 3, 4.5}};
  const std::string samples =
      "memcoord_x_seconds_bucket{stage=\"a\",le=\"0.005\"} 1\n"
      "memcoord_x_seconds_bucket{stage=\"a\",le=\"1\"} 2\n"
      "memcoord_x_seconds_bucket{stage=\"a\",le=\"+Inf\"} 3\n";
  CHECK(prometheus_text(family) ==
        "# HELP memcoord_x_seconds Help.\n"
        "# TYPE memcoord_x_seconds histogram\n"
        "memcoord_x_seconds_count{stage=\"a\"} 3\n"
        "memcoord_x_seconds_sum{stage=\"a\"} 4.5\n" +
            samples);
  // OpenMetrics wants whole bounds with a fraction.
  CHECK(openmetrics_text(family) ==
        "# TYPE memcoord_x_seconds histogram\n"
        "# UNIT memcoord_x_seconds seconds\n"
        "# HELP memcoord_x_seconds Help.\n"
        "memcoord_x_seconds_bucket{stage=\"a\",le=\"0.005\"} 1\n"
        "memcoord_x_seconds_bucket{stage=\"a\",le=\"1.0\"} 2\n"
        "memcoord_x_seconds_bucket{stage=\"a\",le=\"+Inf\"} 3\n"
        "memcoord_x_seconds_count{stage=\"a\"} 3\n"
        "memcoord_x_seconds_sum{stage=\"a\"} 4.5\n");
}

TEST_CASE("quotes, backslashes and line ends in labels are escaped in both formats") {
  const Family family{"memcoord_x", "Help.", FamilyType::gauge, {{{{"domain", "a\"b\\c\nd"}}, 1}}};
  for (const std::string& text : {prometheus_text(family), openmetrics_text(family)}) {
    CHECK(contains(text, "memcoord_x{domain=\"a\\\"b\\\\c\\nd\"} 1\n"));
  }
}

TEST_CASE("byte counts and times read back as they were") {
  for (const double value : {0.0, 1.0, 9007199254740991.0, 9007199254741024.0,
                             18446744073709550592.0 * 1024, 1764163646.123, 0.53}) {
    for (const std::string& text :
         {prometheus_text(one_sample(value)), openmetrics_text(one_sample(value))}) {
      CAPTURE(text);
      const double read = std::stod(text.substr(text.rfind(' ')));
      CHECK(read == doctest::Approx(value).epsilon(1e-15));
      if (value < 9007199254740992.0 && value == static_cast<double>(static_cast<long>(value))) {
        CHECK(read == value);
        CHECK(text.substr(text.rfind(' ') + 1).find_first_of(".e") == std::string::npos);
      }
    }
  }
}

TEST_CASE("every family is there once, with its type before its samples, and the end comes last") {
  Tick tick = tick_of(World().host(8_GiB).domain("a", unused(1_GiB)).domain("b\n"));
  const std::string text = MetricsAfter{tick}.text(Format::openmetrics);
  std::istringstream lines(text);
  std::set<std::string> families;
  std::string family;
  std::string type;
  std::set<std::string> samples;
  std::string line;
  while (std::getline(lines, line) && line != "# EOF") {
    CAPTURE(line);
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "#") {
      std::string keyword;
      std::string name;
      words >> keyword >> name;
      if (keyword == "TYPE") {
        family = name;
        words >> type;
        CHECK(families.insert(family).second);
      }
      CHECK(name == family);
      continue;
    }
    CHECK(samples.insert(line.substr(0, line.rfind(' '))).second);
    const std::string name = line.substr(0, line.find_first_of("{ "));
    REQUIRE(name.starts_with(family));
    const std::string ending = name.substr(family.size());
    const std::set<std::string> endings = type == "counter" ? std::set<std::string>{"_total"}
                                          : type == "info"  ? std::set<std::string>{"_info"}
                                          : type == "histogram"
                                              ? std::set<std::string>{"_bucket", "_count", "_sum"}
                                              : std::set<std::string>{""};
    CHECK(endings.contains(ending));
    CHECK((type == "counter" || !family.ends_with("_total")));
  }
  CHECK(line == "# EOF");
  CHECK(!std::getline(lines, line));
  CHECK(families.size() > 35);
}
