#pragma once
// The version of this build, and the folder of its data. CMake writes the values (version.cpp.in).

#include <string_view>

namespace memcoord::cli {

/// "0.2.0" for a release and for a tree without git; "0.2.0+12.gabc1234" for the twelfth commit
/// after the tag v0.2.0, "0.2.0+gabc1234" without that tag; ".dirty" follows if files differ from
/// the commit.
extern const std::string_view kVersion;
/// The distribution's package that this program is from: "Debian 0.2.0-1". Empty for other builds.
extern const std::string_view kPackage;
/// The release that the tree belongs to, and its day: "0.2.0", "2026-11-26".
extern const std::string_view kRelease;
extern const std::string_view kReleaseDay;
/// Where an installed memcoord finds its policies and scenarios.
extern const std::string_view kInstalledData;

}  // namespace memcoord::cli
