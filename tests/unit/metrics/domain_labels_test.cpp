#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/metrics/families.h"
#include "tests/text.h"
#include "tests/unit/metrics/metrics_text.h"

using namespace memcoord;
using namespace memcoord::test;

namespace {

std::vector<std::string> labels_of(const std::vector<std::string>& names) {
  std::vector<metrics::DomainFigures> domains;
  for (std::size_t i = 0; i < names.size(); ++i) {
    DomainIdentity identity;
    identity.uuid = id(std::to_string(i));
    identity.name = names[i];
    domains.emplace_back().identity = std::make_shared<const DomainIdentity>(identity);
  }
  return metrics::domain_labels_of(domains);
}

}  // namespace

TEST_CASE("a domain's label is its name") {
  CHECK(labels_of({"db", "web 1", "übung", "a\"b\\c"}) ==
        std::vector<std::string>{"db", "web 1", "übung", "a\"b\\c"});
}

TEST_CASE("a name that a page or a terminal cannot show gets the domain's UUID") {
  CHECK(labels_of({"a\nb", "\xff", ""}) ==
        std::vector<std::string>{"a b " + id("0").text(), "? " + id("1").text(), id("2").text()});
}

TEST_CASE("no two domains have the same label") {
  const std::string end(300, 'x');
  const auto labels = labels_of({"same", "same", "\x01", "\x02", end + "1", end + "2"});
  CHECK(std::set<std::string>(labels.begin(), labels.end()).size() == labels.size());
}
