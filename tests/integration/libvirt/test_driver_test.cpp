// The libvirt hypervisor on libvirt's own test driver, inside this process.
#include <doctest/doctest.h>

#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"

using namespace memcoord;

TEST_CASE("a domain of the test driver is sampled and moved") {
  auto hypervisor = libvirt::open("test:///default", {});
  if (!hypervisor) FAIL(hypervisor.error().text());
  REQUIRE(hypervisor);
  const auto before = (*hypervisor)->sample();
  REQUIRE(before);
  REQUIRE(before->domains.size() == 1);
  const Domain& domain = before->domains.front();
  CHECK(domain.name() == "test");
  CHECK(domain.actual == MemorySize::from_gib(2));
  CHECK(domain.maximum == MemorySize::from_gib(8));

  const Move move{domain.uuid(), domain.actual, MemorySize::from_gib(1)};
  const auto outcomes = (*hypervisor)->apply(std::span(&move, 1));
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes.front().kind == Outcome::Kind::applied);

  const auto after = (*hypervisor)->sample();
  REQUIRE(after);
  CHECK(after->domains.front().actual == MemorySize::from_gib(1));
}
