#include <doctest/doctest.h>

#include "engine/hypervisor/libvirt/domain_configuration.h"
#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::libvirt;

namespace {

std::string complaint(std::string_view element) {
  const auto read = parse_settings(element, "web1");
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::invalid_input);
  CHECK(read.error().object.find("'web1'") != std::string::npos);
  CHECK_FALSE(read.error().hint.empty());
  return read.error().text();
}

}  // namespace

TEST_CASE("parse_settings reads every setting") {
  const auto read = parse_settings(
      R"(<memcoord:domain minimum="512MiB" maximum="2GiB" weight="2.5" priority="-3" exclude="yes">
           <memcoord:label name="tier" value="web"/>
           <!-- a comment is no matter -->
           <memcoord:label name="owner" value=""/>
         </memcoord:domain>)",
      "web1");
  REQUIRE(read);
  CHECK(read->minimum == MemorySize::from_mib(512));
  CHECK(read->maximum == MemorySize::from_gib(2));
  CHECK(read->weight == 2.5);
  CHECK(read->priority == -3);
  CHECK(read->exclude);
  CHECK(read->labels == std::map<std::string, std::string>{{"owner", ""}, {"tier", "web"}});
}

TEST_CASE("an empty element sets nothing") {
  CHECK(parse_settings("<domain/>", "web1") == DomainSettings{});
}

TEST_CASE("settings that were written are read back unchanged") {
  DomainSettings settings;
  settings.minimum = MemorySize::from_kib(524289);
  settings.maximum = MemorySize::from_gib(3);
  settings.weight = 0.1;
  settings.priority = 7;
  settings.exclude = true;
  settings.labels = {{"owner", "\"Ann\" <ann@example.org> & Co"}, {"tier", "web"}};
  CHECK(parse_settings(write_settings(settings), "web1") == settings);
  CHECK(parse_settings(write_settings({}), "web1") == DomainSettings{});
}

TEST_CASE("a size without a unit counts KiB in metadata") {
  CHECK(parse_settings("<domain minimum='4096'/>", "web1")->minimum == MemorySize::from_mib(4));
}

TEST_CASE("the error about a malformed setting says what was expected") {
  CHECK(contains(complaint("<domain minimum='much'/>"), "minimum=\"much\" is not a size"));
  CHECK(contains(complaint("<domain minimum='0'/>"), "minimum=\"0\" is not a size"));
  CHECK(contains(complaint("<domain maximum='-1GiB'/>"), "maximum"));
  CHECK(contains(complaint("<domain weight='0'/>"), "a number over 0"));
  CHECK(contains(complaint("<domain weight='nan'/>"), "a number over 0"));
  CHECK(contains(complaint("<domain weight='inf'/>"), "a number over 0"));
  CHECK(contains(complaint("<domain weight='2kg'/>"), "a number over 0"));
  CHECK(contains(complaint("<domain priority='1.5'/>"), "a whole number"));
  CHECK(contains(complaint("<domain priority='99999999999'/>"), "a whole number"));
  CHECK(contains(complaint("<domain exclude='maybe'/>"), "yes or no"));
}

TEST_CASE("the error about an unknown key names the known ones") {
  const std::string text = complaint("<domain minimun='512MiB'/>");
  CHECK(contains(text, "unknown key 'minimun'"));
  CHECK(contains(text, "did you mean 'minimum'?"));
  CHECK(contains(complaint("<domain colour='red'/>"), "known are minimum, maximum"));
}

TEST_CASE("the command that clears settings follows the hint, and replaces only its own kind") {
  const auto hint_of = [](const char* element) {
    Error error = parse_settings(element, "web1").error();
    add_clear_command(error, "CLEAR");
    return error.hint;
  };
  CHECK(hint_of("<domain minimun='1GiB'/>") ==
        "did you mean 'minimum'? or start afresh with: CLEAR");
  CHECK(hint_of("<domain minimum='lots'/>") == "start afresh with: CLEAR");
}

TEST_CASE("an unknown element, or a label without a name or a value, is an error") {
  CHECK(contains(complaint("<domain><minimum>1GiB</minimum></domain>"), "<minimum>"));
  CHECK(contains(complaint("<domain><label value='web'/></domain>"), "without a name"));
  CHECK(contains(complaint("<domain><label name='tier'/></domain>"), "without a name or a value"));
}

TEST_CASE("a minimum over the maximum is an error") {
  CHECK(contains(complaint("<domain minimum='2GiB' maximum='1GiB'/>"),
                 "the minimum 2GiB is over the maximum 1GiB"));
}

TEST_CASE("text that is no settings element is an error") {
  CHECK(contains(complaint(""), "not XML"));
  CHECK(contains(complaint("minimum=1GiB"), "not XML"));
  CHECK(contains(complaint("<domain minimum="), "not XML"));
  CHECK(contains(complaint("<vm minimum='1GiB'/>"), "expected one <domain> element, found <vm>"));
}

TEST_CASE("a change sets what it names and keeps the rest") {
  DomainSettings settings;
  settings.minimum = MemorySize::from_mib(512);
  settings.labels = {{"tier", "web"}};
  SettingsChange change;
  change.priority = 5;
  change.labels = {{"owner", "ann"}};
  const auto after = changed(settings, change, "web1");
  REQUIRE(after);
  CHECK(after->minimum == MemorySize::from_mib(512));
  CHECK(after->priority == 5);
  CHECK(after->labels.size() == 2);
}

TEST_CASE("clearing resets settings to their defaults, one by one or all together") {
  DomainSettings settings;
  settings.minimum = MemorySize::from_mib(512);
  settings.maximum = MemorySize::from_gib(1);
  settings.weight = 3;
  settings.priority = 4;
  settings.exclude = true;
  settings.labels = {{"tier", "web"}, {"owner", "ann"}};
  SettingsChange some;
  some.clear = {"minimum", "weight", "label:tier"};
  const auto after = changed(settings, some, "web1");
  REQUIRE(after);
  CHECK_FALSE(after->minimum);
  CHECK(after->maximum == MemorySize::from_gib(1));
  CHECK(after->weight == 1.0);
  CHECK(after->labels == std::map<std::string, std::string>{{"owner", "ann"}});
  SettingsChange all;
  all.clear = {"maximum", "priority", "exclude", "labels", "minimum", "weight"};
  CHECK(changed(settings, all, "web1") == DomainSettings{});
  all.clear = {"all"};
  CHECK(changed(settings, all, "web1") == DomainSettings{});
}

TEST_CASE("a setting that one change clears and sets is set") {
  SettingsChange change;
  change.clear = {"all"};
  change.minimum = MemorySize::from_gib(1);
  DomainSettings settings;
  settings.priority = 9;
  const auto after = changed(settings, change, "web1");
  REQUIRE(after);
  CHECK(after->minimum == MemorySize::from_gib(1));
  CHECK(after->priority == 0);
}

TEST_CASE("a change to contradictory or unknown settings is an error") {
  SettingsChange unknown;
  unknown.clear = {"colour"};
  CHECK_FALSE(changed({}, unknown, "web1"));
  DomainSettings settings;
  settings.maximum = MemorySize::from_mib(100);
  SettingsChange minimum;
  minimum.minimum = MemorySize::from_gib(1);
  CHECK_FALSE(changed(settings, minimum, "web1"));
  SettingsChange weight;
  weight.weight = -1.0;
  CHECK_FALSE(changed({}, weight, "web1"));
}

TEST_CASE("the command that sets the same settings is quoted for the shell") {
  DomainSettings settings;
  settings.minimum = MemorySize::from_mib(512);
  settings.weight = 2.5;
  settings.priority = -3;
  settings.exclude = true;
  settings.labels = {{"it's", "a b"}};
  CHECK(set_command("my vm; reboot", settings) ==
        "memcoord domain set 'my vm; reboot' --clear all --minimum 512MiB --weight 2.5 "
        "--priority=-3 --exclude --label='it'\\''s=a b'");
  CHECK(clear_command("-weight", "test:///a b") ==
        "memcoord domain set -c 'test:///a b' -- -weight --clear all");
  CHECK(contains(complaint("<domain minimum='lots'/>"),
                 "start afresh with: memcoord domain set web1 --clear all"));
}

TEST_CASE("settings larger than 64 KiB are an error, and errors quote large values in part") {
  const auto with_label = [](std::size_t size) {
    return "<domain><label name='a' value='" + std::string(size, 'x') + "'/></domain>";
  };
  CHECK(parse_settings(with_label(kMaxMetadata - 100), "web1"));
  CHECK(contains(complaint(with_label(kMaxMetadata)), "larger than 64 KiB"));
  CHECK(complaint("<domain minimum='" + std::string(60'000, '9') + "x'/>").size() < 400);
  CHECK(complaint("<domain " + std::string(60'000, 'k') + "='1'/>").size() < 400);
  CHECK(complaint("<domain><" + std::string(60'000, 'k') + "/></domain>").size() < 400);
  CHECK(complaint("<" + std::string(60'000, 'k') + "/>").size() < 400);
}

TEST_CASE("parse_settings does not expand entities that a document type declares") {
  const auto read = parse_settings(
      "<!DOCTYPE domain [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]>"
      "<domain><label name='x' value='&b;&lt;&#65;'/></domain>",
      "web1");
  REQUIRE(read);
  CHECK(read->labels.at("x") == "&b;<A");
}
