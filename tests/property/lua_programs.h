#pragma once
// Random policies over everything that scripts can reach, for the sandbox's property.

#include <functional>
#include <string>

namespace memcoord::test {

/// Returns a number from 0 to bound - 1; the bound is at least 1.
using Choose = std::function<unsigned(unsigned bound)>;

/// A policy that runs a random program in tick 1 and holds a domain in every other. The same
/// choices give the same program.
std::string lua_program(const Choose& choose);

}  // namespace memcoord::test
