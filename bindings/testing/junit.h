#pragma once
// Test results for continuous integration: JUnit XML, as its readers agree on it.

#include <string>
#include <vector>

#include "bindings/testing/test_results.h"

namespace memcoord::bindings::testing {

/// A testsuite a file, in the order of the results.
std::string junit_xml(const std::vector<TestResult>& results);

}  // namespace memcoord::bindings::testing
