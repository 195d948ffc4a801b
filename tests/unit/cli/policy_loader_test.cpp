#include "engine/cli/policy_loader.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/integration/cli/scratch_files.h"

using namespace memcoord;
using namespace memcoord::cli;
using memcoord::testing::ScratchFiles;
namespace fs = std::filesystem;

namespace {

// Data directories in a temporary folder.
class Places {
 public:
  fs::path add(const std::string& data_directory, const std::string& file) const {
    const std::string name = data_directory + "/" + file;
    fs::create_directories(fs::path(files_.path(name)).parent_path());
    return files_.write(name, "return {}\n");
  }
  [[nodiscard]] BundledFiles policies() const {
    return {BundledKind::policy, {files_.path("first"), files_.path("second")}};
  }

 private:
  ScratchFiles files_;
};

}  // namespace

TEST_CASE("a policy is found by name in the first directory that has it") {
  const Places places;
  const fs::path mine = places.add("first", "policies/halving.lua");
  places.add("second", "policies/halving.lua");
  const fs::path band = places.add("second", "policies/band.lua");
  CHECK(places.policies().find("halving").value() == mine);
  CHECK(places.policies().find("band").value() == band);
  CHECK(places.policies().list() == std::vector<fs::path>{band, mine});
}

TEST_CASE("tests and files for editors beside the policies are not policies") {
  const Places places;
  const fs::path only = places.add("first", "policies/band.lua");
  places.add("first", "policies/band_test.lua");
  places.add("first", "policies/memcoord.meta.lua");
  places.add("first", "policies/CMakeLists.txt");
  CHECK(places.policies().list() == std::vector<fs::path>{only});
}

TEST_CASE("a path stays as it is") {
  const Places places;
  const fs::path path = places.add("elsewhere", "my.lua");
  CHECK(places.policies().find(path.string()).value() == path);
}

TEST_CASE("a missing policy is named, with the nearest name or with the command that lists them") {
  const Places places;
  places.add("first", "policies/halving.lua");
  CHECK(places.policies().find("halvign").error().text() ==
        "halvign: no such policy; did you mean halving? 'memcoord policies' lists them");
  CHECK(places.policies().find("zzz").error().text() ==
        "zzz: no such policy; 'memcoord policies' lists them");
  CHECK(places.policies().find("no/such.lua").error().text() == "no/such.lua: no such file");
  CHECK(places.policies().find("/").error().text() ==
        "/: is a directory; give the path of a policy file");
}

TEST_CASE("directories without bundled files are refused with the variable to set") {
  const Places places;
  CHECK(places.policies().find("adaptive").error().text() ==
        "adaptive: no such policy, because no folder with bundled files is found; set "
        "MEMCOORD_DATA_DIR to a folder that has a folder policies");
  CHECK(places.policies().names().error().text() ==
        "policies: no bundled files found; set MEMCOORD_DATA_DIR to a folder that has a folder "
        "policies");
  places.add("first", "policies/halving.lua");
  places.add("second", "policies/band.lua");
  CHECK(places.policies().names().value() == std::vector<std::string>{"band", "halving"});
}
