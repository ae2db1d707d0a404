// SPDX-License-Identifier: BSD-3-Clause
//
// The examples that users read: they are valid, mean what they show, and are where random damage starts.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "tests/config/findings.h"

namespace sluice::config {
namespace {

/// By file name.
std::map<std::string, std::string> examples() {
  std::map<std::string, std::string> examples;
  for (const auto& entry : std::filesystem::directory_iterator(EXAMPLES)) {
    std::ifstream in(entry.path());
    examples[entry.path().filename()] = std::string(std::istreambuf_iterator<char>(in), {});
  }
  return examples;
}

TEST(Examples, AreAllValidAndWithoutWarningsButOne) {
  EXPECT_GE(examples().size(), 3U);
  for (const auto& [name, text] : examples()) {
    const ParseResult result = parse(text, name);
    EXPECT_TRUE(result.config) << name;
    // NAT beside IPv6 is warned of, and meant so.
    EXPECT_THAT(lines(result), Each(HasSubstr("warning: NAT is for IPv4"))) << name;
  }
}

TEST(Examples, ShowAccessPortsTrunksAndStaticMacs) {
  const Config config = parsed(examples().at("vlans.yaml"));
  const Bridge& office = config.bridges.at(0);
  EXPECT_THAT(office.ports.at(0).vlans, ElementsAre(10));
  EXPECT_EQ(office.ports.at(1).mac_limit, 2U);
  EXPECT_EQ(office.ports.at(2).vlans.size(), 13U);
  EXPECT_EQ(office.ports.at(3).native_vlan, 0);
  EXPECT_EQ(office.static_macs.at(1).vlan, 10);
  EXPECT_FALSE(config.bridges.at(1).learning);
}

TEST(Examples, ShowEverySection) {
  const Config config = parsed(examples().at("every-key.yaml"));
  EXPECT_EQ(config.interfaces.size(), 3U);
  EXPECT_EQ(config.routes.size(), 5U);
  EXPECT_EQ(config.neighbors.size(), 1U);
  EXPECT_EQ(config.nat.at(0).port_forwards.size(), 2U);
  EXPECT_EQ(config.nat.at(0).statics.size(), 1U);
  EXPECT_TRUE(config.nat.at(1).masquerade);
}

/// Changes a few bytes of `text`: flips, doubles, removes or replaces them by what YAML cares about.
std::string damage(std::string text, std::mt19937& random) {
  constexpr std::string_view signs = ":-{}[],#&*!|>'\"%@` \n\t?0\\\x80\xff";
  const auto below = [&](size_t bound) { return random() % bound; };
  for (size_t left = 1 + below(8); left > 0 && text.size() > 1; --left) {
    const size_t at = below(text.size());
    const size_t length = below(std::min<size_t>(32, text.size() - at));
    switch (below(5)) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 1:
        text[at] = signs[below(signs.size())];
        break;
      case 2:
        text.insert(at, 1, signs[below(signs.size())]);
        break;
      case 3:
        text.erase(at, length);
        break;
      default:
        text.insert(below(text.size()), text.substr(at, length));
        break;
    }
  }
  return text;
}

TEST(Examples, DamagedAtRandomGiveAConfigOrErrors) {
  std::mt19937 random(1);
  size_t refused = 0;
  constexpr size_t kRounds = 20'000;
  std::vector<std::string> originals;
  for (const auto& [name, text] : examples()) originals.push_back(text);
  for (size_t round = 0; round < kRounds; ++round) {
    const std::string text = damage(originals[round % originals.size()], random);
    const ParseResult result = parse(text, "f.yaml");
    ASSERT_NE(result.config.has_value(), has_error(result)) << text;
    if (has_error(result)) ++refused;
  }
  EXPECT_GT(refused, kRounds / 10) << "the damage reaches the parser";
  EXPECT_LT(refused, kRounds) << "and leaves something to read";
}

}  // namespace
}  // namespace sluice::config
