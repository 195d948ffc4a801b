#include <doctest/doctest.h>

#include "engine/hypervisor/libvirt/domain_configuration.h"
#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::libvirt;

namespace {

const std::string kBalloon = "<memballoon model='virtio'/>";

std::string domain(const std::string& devices, const std::string& rest = "") {
  return "<domain type='kvm'><name>a</name><memory unit='KiB'>2097152</memory>" + rest +
         "<devices>" + devices + "</devices></domain>";
}

std::string why_unsuitable(const std::string& devices, const std::string& rest = "") {
  const auto read = describe_domain(domain(devices, rest), "a");
  REQUIRE(read);
  return read->unsuitable;
}

}  // namespace

TEST_CASE("a domain with a balloon is suitable") {
  CHECK(why_unsuitable(kBalloon).empty());
  CHECK(why_unsuitable("<memballoon model='virtio-transitional'/>").empty());
}

TEST_CASE("a domain without a balloon device is unsuitable") {
  CHECK(contains(why_unsuitable(""), "no balloon device"));
  CHECK(contains(why_unsuitable("<memballoon model='none'/>"), "no balloon device"));
}

TEST_CASE("a passed-through device pins a domain's memory and makes it unsuitable") {
  CHECK(contains(why_unsuitable(kBalloon + "<hostdev mode='subsystem' type='pci'/>"), "VFIO"));
  CHECK(contains(why_unsuitable(kBalloon + "<hostdev mode='subsystem' type='mdev'/>"), "VFIO"));
  CHECK(contains(why_unsuitable(kBalloon + "<interface type='hostdev'/>"), "VFIO"));
}

TEST_CASE("a passed-through USB device pins nothing") {
  CHECK(why_unsuitable(kBalloon + "<hostdev mode='subsystem' type='usb'/>").empty());
  CHECK(why_unsuitable(kBalloon + "<interface type='network'/>").empty());
}

TEST_CASE("a vDPA device makes a domain unsuitable") {
  CHECK(contains(why_unsuitable(kBalloon + "<interface type='vdpa'/>"), "vDPA"));
  CHECK(contains(why_unsuitable(kBalloon + "<disk type='vhostvdpa'/>"), "vDPA"));
}

TEST_CASE("encrypted memory makes a domain unsuitable") {
  CHECK(contains(why_unsuitable(kBalloon, "<launchSecurity type='sev'/>"), "sev"));
}

TEST_CASE("locked memory and hugepages make a domain unsuitable") {
  CHECK(contains(why_unsuitable(kBalloon, "<memoryBacking><locked/></memoryBacking>"), "locked"));
  CHECK(contains(why_unsuitable(kBalloon, "<memoryBacking><hugepages/></memoryBacking>"),
                 "hugepages"));
  CHECK(why_unsuitable(kBalloon, "<memoryBacking><nosharepages/></memoryBacking>").empty());
  CHECK(why_unsuitable(kBalloon,
                       "<memoryBacking><hugepages><page size='4' unit='KiB'/></hugepages>"
                       "</memoryBacking>")
            .empty());
}

TEST_CASE("the description says where a domain's memory comes from") {
  const auto backing = [](const std::string& rest, const std::string& devices = kBalloon) {
    return describe_domain(domain(devices, rest), "a")->backing;
  };
  using Kind = MemoryBacking::Kind;
  CHECK(backing("") == MemoryBacking());
  CHECK(backing("<memoryBacking><locked/></memoryBacking>").kind == Kind::pinned);
  CHECK(backing("", kBalloon + "<hostdev mode='subsystem' type='pci'/>").kind == Kind::pinned);
  CHECK(backing("<launchSecurity type='sev'/>").kind == Kind::pinned);
  CHECK(backing("<launchSecurity type='sev-snp'/>").kind == Kind::hidden);
  CHECK(backing("<launchSecurity type='tdx'/>").kind == Kind::hidden);
  CHECK(backing("<memoryBacking><source type='memfd'/></memoryBacking>").shared);
  CHECK(backing("<memoryBacking><access mode='shared'/></memoryBacking>").shared);
  CHECK_FALSE(backing("<memoryBacking><source type='anonymous'/></memoryBacking>").shared);
}

TEST_CASE("guest cells without hugepages are in the ordinary pool") {
  const auto beside = [](const std::string& pages) {
    const auto read =
        describe_domain(domain(kBalloon, "<memoryBacking><hugepages>" + pages +
                                             "</hugepages></memoryBacking><cpu><numa>"
                                             "<cell id='0' memory='1048576' unit='KiB'/>"
                                             "<cell id='1' memory='512' unit='MiB'/>"
                                             "<cell id='2' memory='524288'/></numa></cpu>"),
                        "a");
    CHECK(read->backing.hugepages);
    return read->backing.beside_hugepages;
  };
  CHECK(beside("") == MemorySize());
  CHECK(beside("<page size='1' unit='G'/>") == MemorySize());
  CHECK(beside("<page size='1' unit='G' nodeset='0'/>") == MemorySize::from_gib(1));
  CHECK(beside("<page size='4' nodeset='0'/><page size='2048' nodeset='1-2'/>") ==
        MemorySize::from_mib(1024));
  CHECK(beside("<page size='2' unit='M' nodeset='0-1'/>") == MemorySize::from_mib(512));
  CHECK(beside("<page size='2' unit='M' nodeset='0,2'/>") == MemorySize::from_mib(512));
  CHECK(beside("<page size='2' unit='M' nodeset='0'/><page size='1' unit='G'/>") == MemorySize());
}

TEST_CASE("a DIMM on hugepages is not in the ordinary pool, the rest of its guest is") {
  const auto read = describe_domain(
      domain(kBalloon + "<memory model='dimm'><source><pagesize unit='KiB'>2048</pagesize></source>"
                        "<target><size unit='KiB'>393216</size></target></memory>"
                        "<memory model='dimm'><target><size unit='GiB'>1</size></target></memory>"),
      "a");
  CHECK(read->backing.hugepages);
  CHECK(read->backing.beside_hugepages == read->maximum - MemorySize::from_mib(384));
  CHECK(contains(read->unsuitable, "hugepages"));
}

TEST_CASE("the description has the memory that virtio-mem has not plugged in") {
  const auto left_out = [](const std::string& target) {
    const auto read = describe_domain(
        domain(kBalloon + "<memory model='virtio-mem'><target>" + target + "</target></memory>"),
        "a");
    return read->backing.unplugged;
  };
  const std::string size = "<size unit='GiB'>60</size>";
  CHECK(left_out(size + "<requested unit='GiB'>2</requested>") == MemorySize::from_gib(58));
  CHECK(left_out(size + "<requested unit='KiB'>0</requested><current unit='GiB'>3</current>") ==
        MemorySize::from_gib(57));
  CHECK(left_out(size) == MemorySize());
  CHECK(describe_domain(domain(kBalloon + "<memory model='virtio-mem'/>"), "a")->backing.kind ==
        MemoryBacking::Kind::pinned);
}

TEST_CASE("the description has the cgroup's limit, and libvirt's largest number means none") {
  const auto limit = [](const std::string& element) {
    return describe_domain(domain(kBalloon, "<memtune>" + element + "</memtune>"), "a")->hard_limit;
  };
  CHECK(limit("<hard_limit unit='GiB'>3</hard_limit>") == MemorySize::from_gib(3));
  CHECK(limit("<hard_limit>1048576</hard_limit>") == MemorySize::from_gib(1));
  CHECK_FALSE(limit("<hard_limit unit='KiB'>9007199254740991</hard_limit>"));
  CHECK_FALSE(limit("<soft_limit unit='GiB'>3</soft_limit>"));
}

TEST_CASE("virtio-mem makes a domain unsuitable, a DIMM does not") {
  CHECK(contains(why_unsuitable(kBalloon + "<memory model='virtio-mem'/>"), "virtio-mem"));
  CHECK(why_unsuitable(kBalloon + "<memory model='dimm'/>").empty());
}

TEST_CASE(
    "the description has the nodes that all memory is bound to, in all of libvirt's notations") {
  const auto nodes = [](const std::string& policy) {
    const auto read = describe_domain(domain(kBalloon, "<numatune>" + policy + "</numatune>"), "a");
    REQUIRE(read);
    const auto& bound_to = read->bound_to;
    if (bound_to.empty()) return NodeSet();
    CHECK(bound_to.size() == 1);
    CHECK_FALSE(bound_to[0].size);
    return bound_to[0].nodes;
  };
  CHECK(nodes("<memory mode='strict' nodeset='1'/>") == NodeSet{1});
  CHECK(nodes("<memory nodeset='0'/>") == NodeSet{0});
  CHECK(nodes("<memory mode='strict' nodeset='0-2,5'/>") == NodeSet{0, 1, 2, 5});
  CHECK(nodes("<memory mode='strict' nodeset='1-4,^3'/>") == NodeSet{1, 2, 4});
  CHECK(nodes("<memory mode='strict' nodeset='1-2000000000'/>").size() == 1023);
  CHECK(nodes("<memory mode='strict' nodeset='none'/>").empty());
  CHECK(nodes("").empty());
}

TEST_CASE("a policy binds if the kernel keeps memory on its nodes when they are full") {
  const auto binds = [](const std::string& mode) {
    const std::string policy = "<numatune><memory mode='" + mode + "' nodeset='0'/></numatune>";
    return !describe_domain(domain(kBalloon, policy), "a")->bound_to.empty();
  };
  CHECK(binds("strict"));
  CHECK(binds("restrictive"));
  CHECK_FALSE(binds("preferred"));
  CHECK_FALSE(binds("interleave"));
}

TEST_CASE("libvirt's answer names the nodes that libvirt chose") {
  const std::string xml =
      domain(kBalloon, "<numatune><memory mode='strict' placement='auto'/></numatune>");
  CHECK(describe_domain(xml, "a", "1,3")->bound_to == std::vector<NodeBinding>{{{1, 3}}});
  CHECK(describe_domain(xml, "a")->bound_to.empty());
}

TEST_CASE("a guest's cell is bound by its own policy, or by that of all cells") {
  const auto bindings = [](const std::string& policies) {
    const std::string cells =
        "<cpu><numa><cell id='0' memory='1' unit='GiB'/><cell id='1' memory='524288'/>"
        "<cell id='2' memory='524288' unit='KiB'/></numa></cpu>";
    return describe_domain(domain(kBalloon, cells + "<numatune>" + policies + "</numatune>"), "a")
        ->bound_to;
  };
  using Bindings = std::vector<NodeBinding>;
  const MemorySize half = MemorySize::from_mib(512);
  const MemorySize one = MemorySize::from_gib(1);
  const std::string cell_0 = "<memnode cellid='0' mode='strict' nodeset='0'/>";
  const std::string cell_1 = "<memnode cellid='1' mode='strict' nodeset='1'/>";
  const std::string all_strict = "<memory mode='strict' nodeset='0-1'/>";
  CHECK(bindings(all_strict) == Bindings{{{0, 1}}});
  CHECK(bindings(all_strict + cell_0 + cell_1) ==
        Bindings{{{0}, one}, {{0, 1}, half}, {{1}, half}});
  CHECK(bindings("<memory mode='preferred' nodeset='2'/>" + cell_0) == Bindings{{{0}, one}});
  CHECK(bindings(cell_1) == Bindings{{{1}, half}});
  CHECK(bindings("<memnode cellid='0' mode='preferred' nodeset='0'/>").empty());
  CHECK(bindings(all_strict + "<memnode cellid='0' mode='preferred' nodeset='0'/>") ==
        Bindings{{{0, 1}}});
}

TEST_CASE("the description says whether the guest reports free pages") {
  const auto reporting = [](const std::string& balloon) {
    return describe_domain(domain(balloon), "a")->free_page_reporting;
  };
  CHECK(reporting("<memballoon model='virtio' freePageReporting='on'/>"));
  CHECK_FALSE(reporting("<memballoon model='virtio' freePageReporting='off'/>"));
  CHECK_FALSE(reporting(kBalloon));
}

TEST_CASE("the description has the balloon's options") {
  const auto read = describe_domain(
      domain("<memballoon model='virtio' autodeflate='on'><stats period='10'/></memballoon>"), "a");
  REQUIRE(read);
  CHECK(read->deflates_by_itself);
  CHECK(read->period == std::chrono::seconds(10));
  CHECK(read->maximum == MemorySize::from_gib(2));
  CHECK(read->name == "a");
}

TEST_CASE("a balloon without options does not deflate by itself and has no period") {
  const auto read = describe_domain(domain(kBalloon), "a");
  REQUIRE(read);
  CHECK_FALSE(read->deflates_by_itself);
  CHECK(read->period == std::chrono::seconds(0));
}

TEST_CASE("the namespace identifies the settings, whatever the prefix") {
  const std::string metadata =
      "<metadata><other:domain xmlns:other='http://example.org/' minimum='1GiB'/>"
      "<x:domain xmlns:x='https://memcoord.org/xmlns/domain/1.0' minimum='512MiB'>"
      "<x:label name='tier' value='web'/></x:domain></metadata>";
  const auto read = describe_domain(domain(kBalloon, metadata), "a");
  REQUIRE(read);
  CHECK(read->settings.minimum == MemorySize::from_mib(512));
  CHECK(read->settings.labels.at("tier") == "web");
}

TEST_CASE("a namespace that a parent element declares counts") {
  const std::string metadata =
      "<metadata xmlns:m='https://memcoord.org/xmlns/domain/1.0'><m:domain priority='3'/>"
      "</metadata>";
  const auto read = describe_domain(domain(kBalloon, metadata), "a");
  REQUIRE(read);
  CHECK(read->settings.priority == 3);
}

TEST_CASE("malformed settings are an error of their own, and the rest of the XML is read") {
  const std::string metadata =
      "<metadata><m:domain xmlns:m='https://memcoord.org/xmlns/domain/1.0' weight='heavy'/>"
      "</metadata>";
  const auto read = describe_domain(domain(kBalloon, metadata), "a");
  REQUIRE(read);
  REQUIRE(read->settings_error);
  CHECK(contains(read->settings_error->text(), "weight=\"heavy\""));
  CHECK(read->settings == DomainSettings{});
  CHECK(read->maximum == MemorySize::from_gib(2));
}

TEST_CASE("the error about text that is no domain's XML names the domain") {
  CHECK_FALSE(describe_domain("<network/>", "a"));
  const auto cut_off = describe_domain("<domain><name>a", "a");
  REQUIRE_FALSE(cut_off);
  CHECK(cut_off.error().object == "a");
}

TEST_CASE("sizes have the units of libvirt, in either case, and no others") {
  const auto read = [](const std::string& unit, const std::string& count = "2") {
    return describe_domain("<domain><memory unit='" + unit + "'>" + count + "</memory></domain>",
                           "a");
  };
  const auto size = [&](const std::string& unit, const std::string& count = "2") {
    const auto described = read(unit, count);
    REQUIRE_MESSAGE(described, unit);
    return described->maximum;
  };
  for (const char* unit : {"b", "byte", "bytes", "Bytes"}) CHECK(size(unit, "2048") == 2_KiB);
  for (const char* unit : {"", "k", "K", "KiB", "kib"}) CHECK(size(unit) == 2_KiB);
  for (const char* unit : {"M", "MiB", "mib"}) CHECK(size(unit) == 2_MiB);
  for (const char* unit : {"G", "GiB"}) CHECK(size(unit) == 2_GiB);
  for (const char* unit : {"T", "TiB"}) CHECK(size(unit) == 2048_GiB);
  for (const char* unit : {"P", "PiB"}) CHECK(size(unit) == 2048_GiB * 1024);
  CHECK(size("EiB") == 2048_GiB * 1024 * 1024);
  // By 1,000, and rounded up to whole KiB.
  CHECK(size("KB") == 2_KiB);
  CHECK(size("MB") == MemorySize::from_kib(1954));
  CHECK(size("GB") == MemorySize::from_kib(1953125));
  CHECK(size("b", "1") == 1_KiB);
  CHECK(size("PB", "18446744073709551615") == MemorySize::largest());
  CHECK(size("EiB", "18446744073709551615") == MemorySize::largest());
  for (const char* unit : {"YiB", "ZB", "Ki", "KiBs", "bits", "kilobytes", " KiB", "8"}) {
    CAPTURE(unit);
    REQUIRE_FALSE(read(unit));
    CHECK(read(unit).error().message ==
          "its XML has a size in '" + std::string(unit) + "', which is no unit of libvirt");
  }
}

TEST_CASE("an unknown unit is found wherever a size is read, and nowhere else") {
  const std::string odd = " unit='YiB'>1<";
  for (const std::string& rest :
       {"<memtune><hard_limit" + odd + "/hard_limit></memtune>",
        std::string("<cpu><numa><cell memory='1' unit='YiB'/></numa></cpu>"),
        std::string("<memoryBacking><hugepages><page size='1' unit='YiB'/></hugepages>"
                    "</memoryBacking>")}) {
    CHECK_FALSE(describe_domain(domain(kBalloon, rest), "a"));
  }
  CHECK_FALSE(describe_domain(
      domain(kBalloon + "<memory><target><size" + odd + "/size></target></memory>"), "a"));
  // The unit of a drive's address is a number.
  CHECK(describe_domain(domain(kBalloon + "<disk><address type='drive' unit='0'/></disk>"), "a"));
}

TEST_CASE("libosinfo's metadata shows the guest's system, and Hyper-V features show Windows") {
  const auto system = [](const std::string& rest) {
    const auto read = describe_domain(domain(kBalloon, rest), "a");
    REQUIRE(read);
    return read->system;
  };
  const auto osinfo = [](const std::string& id) {
    return "<metadata><libosinfo:libosinfo "
           "xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'><libosinfo:os id='" +
           id + "'/></libosinfo:libosinfo></metadata>";
  };
  CHECK(system("") == GuestSystem::unknown);
  CHECK(system(osinfo("http://microsoft.com/win/2k22")) == GuestSystem::windows);
  CHECK(system(osinfo("http://freebsd.org/freebsd/13.1")) == GuestSystem::freebsd);
  CHECK(system(osinfo("http://debian.org/debian/12")) == GuestSystem::unknown);
  CHECK(system("<features><hyperv mode='custom'/></features>") == GuestSystem::windows);
  CHECK(missing_statistics(GuestSystem::windows) != missing_statistics(GuestSystem::freebsd));
}
