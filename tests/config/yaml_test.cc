// SPDX-License-Identifier: BSD-3-Clause
//
// Files that are no configuration at all: broken, hostile, or YAML that we do not take.
#include <algorithm>

#include "tests/config/findings.h"

namespace sluice::config {
namespace {

std::string repeat(std::string_view text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Yaml, AnEmptyFileIsRefusedAtItsFirstByte) {
  for (const char* text : {"", "\n", "# nothing\n", "---\n", "null\n", "~\n", "...\n"}) {
    EXPECT_THAT(findings(text), ElementsAre("f.yaml:1:1: error: the file is empty: write at least 'ports'"))
        << text;
  }
}

TEST(Yaml, AFileThatIsNoMappingIsRefused) {
  for (const char* text : {"ports\n", "[ports]\n", "- ports\n", "\"ports:\"\n"}) {
    EXPECT_THAT(findings(text),
                ElementsAre("f.yaml:1:1: error: the file must be a mapping of sections like 'ports:'"))
        << text;
  }
}

TEST(Yaml, EveryErrorIsReportedInTheOrderOfTheFile) {
  EXPECT_THAT(
      findings(R"(bridges: { lan: { ports: { b: {} } } }
log: { level: loud }
ports:
  a: { device: tap, mtu: 1 }
)"),
      ElementsAre("f.yaml:1:28: error: unknown port 'b': write 'a'",
                  "f.yaml:2:15: error: 'level' must be 'debug', 'info', 'warning' or 'error', not 'loud'",
                  "f.yaml:4:26: error: 'mtu' must be a decimal number from 68 to 65521, not '1'"));
}

TEST(Yaml, ADuplicateKeyIsRefusedAtAnyDepth) {
  EXPECT_THAT(findings(R"(ports:
  a: { device: tap, mtu: 1500, mtu: 9000 }
  a: { device: tap }
log: {}
log: {}
)"),
              ElementsAre("f.yaml:2:32: error: duplicate key 'mtu': it is given in line 2",
                          "f.yaml:3:3: error: duplicate key 'a': it is given in line 2",
                          "f.yaml:5:1: error: duplicate key 'log': it is given in line 4"));
}

TEST(Yaml, ASecondDocumentIsRefused) {
  EXPECT_THAT(findings("ports: { a: { device: tap } }\n---\nlog: {}\n"),
              ElementsAre(StartsWith("f.yaml:2:1: error: a second document begins here")));
  EXPECT_THAT(findings("ports: { a: { device: tap } }\n---\n"),
              ElementsAre(StartsWith("f.yaml:2:1: error: a second")));
  EXPECT_THAT(findings("- a\nports: {}\n"), ElementsAre(StartsWith("f.yaml:2:1: error: a second")));
}

TEST(Yaml, OneDocumentMayHaveItsMarks) {
  EXPECT_TRUE(parse("%YAML 1.2\n---\n" + with_ports("") + "...\n", "f.yaml").config);
}

TEST(Yaml, AnAliasIsACopyOfItsAnchor) {
  const Config config = parsed(R"(ports:
  a: &lan { device: tap, mtu: 9000 }
  b: *lan
)");
  EXPECT_EQ(config.ports[1].name, "b");
  EXPECT_EQ(config.ports[1].mtu, 9000);
}

TEST(Yaml, AnAliasInsideItsOwnAnchorIsRefused) {
  EXPECT_THAT(findings("ports: &all\n  a: *all\n"),
              ElementsAre("f.yaml:2:6: error: this alias contains itself: write its value out"));
}

TEST(Yaml, AnAliasWithoutAnAnchorIsRefused) {
  EXPECT_THAT(
      findings("ports: *all\n"),
      ElementsAre("f.yaml:1:8: error: this alias has no anchor: define it above, or write its value out"));
}

TEST(Yaml, AliasesThatMultiplyEndAtTheBudget) {
  std::string bomb = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string last = "*a" + std::to_string(i - 1) + " ";
    bomb +=
        "b" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeat(last + ", ", 9) + last + "]\n";
  }
  EXPECT_THAT(findings(bomb), ElementsAre(HasSubstr("error: more than 1000000 values, aliases included")));
}

TEST(Yaml, AliasesThatNestEndAtTheDepthBound) {
  std::string deep = "a0: &a0 []\n";
  for (int i = 1; i < 40; ++i) {
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + " ]\n";
  }
  EXPECT_THAT(findings(deep), ElementsAre("f.yaml:32:12: error: nested deeper than 32 levels"));
}

TEST(Yaml, DeepNestingIsRefusedWhateverItIsMadeOf) {
  for (const char* level : {"[", "{", "{a: ", "[a, ", "- ", "? ", "- ? ", "[? ", "{? ", "[{"}) {
    EXPECT_THAT(findings(repeat(level, 200'000)),
                ElementsAre(HasSubstr("error: nested deeper than 32 levels")))
        << level;
  }
  std::string indented;
  for (size_t i = 0; i < 2000; ++i) indented += std::string(i, ' ') + "a:\n";
  EXPECT_THAT(findings(indented), ElementsAre("f.yaml:33:33: error: nested deeper than 32 levels"));
}

TEST(Yaml, AMillionValuesEndAtTheBudget) {
  EXPECT_THAT(findings("[" + repeat("a,", 1'100'000) + "]"),
              ElementsAre(HasSubstr("error: more than 1000000 values")));
}

TEST(Yaml, AThousandErrorsAreEnough) {
  const auto all = findings("[" + repeat("!x a,", 5000) + "]");
  EXPECT_EQ(all.size(), 1001U);
  EXPECT_THAT(all.back(), HasSubstr("error: too many errors: mend these first"));
}

TEST(Yaml, AFileBeyondTheSizeBoundIsRefusedUnread) {
  EXPECT_THAT(findings(std::string((16 << 20) + 1, '#')),
              ElementsAre("f.yaml:1:1: error: the file has 16777217 bytes: at most 16777216 are read"));
}

TEST(Yaml, MergeKeysAreRefused) {
  EXPECT_THAT(findings(R"(ports:
  a: &lan { device: tap }
  b: { <<: *lan, mtu: 9000 }
)"),
              ElementsAre("f.yaml:3:3: error: port 'b' has no 'device': add it",
                          "f.yaml:3:8: error: merge keys ('<<') are not supported: write the keys out"));
}

TEST(Yaml, TagsAreRefused) {
  const char* message = ": error: tags like '!!str' are not supported: remove it";
  EXPECT_THAT(findings("ports: !!map { a: { device: !!str tap, mtu: !foo 1500 } }\n"),
              ElementsAre(std::string("f.yaml:1:8") + message, std::string("f.yaml:1:29") + message,
                          std::string("f.yaml:1:45") + message));
}

TEST(Yaml, AKeyMustBeAWord) {
  EXPECT_THAT(
      findings(with_ports("? [log]\n: {}\n? {}\n: {}\n~: {}\n")),
      ElementsAre("f.yaml:1:3: error: a key must be a word", "f.yaml:3:3: error: a key must be a word",
                  "f.yaml:5:1: error: a key must be a word"));
}

TEST(Yaml, AMissingValueIsReportedAtItsKeyNotAtTheNextToken) {
  EXPECT_THAT(findings("workers:\n\n# the next token is here\nports:\n  a: { device: tap }\n"),
              ElementsAre("f.yaml:1:1: error: 'workers' has no value: write one, or remove it"));
}

TEST(Yaml, AnOpenQuoteIsReportedWhereItBegins) {
  const char* message = "error: a quoted text that begins after this never ends: add the quote";
  EXPECT_THAT(findings("ports:\n  a:\n    device: \"tap\n"),
              ElementsAre(std::string("f.yaml:3:5: ") + message));
  EXPECT_THAT(findings("ports:\n  a:\n    device: 'tap\n"),
              ElementsAre(std::string("f.yaml:3:5: ") + message));
}

TEST(Yaml, AnOpenBracketIsReportedWhereItIs) {
  const char* message = "error: this bracket is not closed, or a ',' is missing after it";
  EXPECT_THAT(findings("ports:\n  a: { device: tap\n"), ElementsAre(std::string("f.yaml:2:6: ") + message));
  EXPECT_THAT(findings("ports:\n  a: { device: tap\nbridges: {}\n"),
              ElementsAre(std::string("f.yaml:2:6: ") + message));
  EXPECT_THAT(findings("workers: { cores: [1, 2 }\n"), ElementsAre(HasSubstr("error: ")));
}

TEST(Yaml, BrokenSyntaxIsReportedWithItsPlaceAndItsRemedy) {
  EXPECT_THAT(findings("ports:\n\ta: { device: tap }\n"),
              ElementsAre("f.yaml:2:1: error: a tab indents this line: use spaces"));
  EXPECT_THAT(findings("ports:\n  a: { device: tap }\n b: 1\n"),
              ElementsAre("f.yaml:3:2: error: not YAML here: check the indentation and the quotes"));
  EXPECT_THAT(
      findings("ports:\n  a: b: c\n"),
      ElementsAre("f.yaml:2:7: error: a ':' that begins no value: check the indentation, or quote the text"));
  EXPECT_THAT(findings("ports: { a: { device: tap }}}\n"),
              ElementsAre("f.yaml:1:29: error: this bracket closes nothing: remove it"));
  EXPECT_THAT(findings("ports: @a\n"),
              ElementsAre("f.yaml:1:8: error: this character begins nothing in YAML: quote the text"));
  EXPECT_THAT(
      findings("log: { target: \"\\q\" }\n"),
      ElementsAre("f.yaml:1:19: error: no escape that YAML has: write '\\\\' for a backslash, or use single "
                  "quotes"));
}

TEST(Yaml, BytesThatAreNotUtf8AreRefused) {
  const char* message = "error: this byte is not UTF-8: save the file as UTF-8 text";
  for (const char* bytes : {"\xff", "\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                            "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82"}) {
    EXPECT_THAT(findings(std::string("log: {}\n# ") + bytes + "\n"),
                ElementsAre(std::string("f.yaml:2:3: ") + message));
    EXPECT_THAT(findings(std::string("# ") + bytes), ElementsAre(std::string("f.yaml:1:3: ") + message));
  }
}

TEST(Yaml, Utf8IsTaken) {
  EXPECT_TRUE(parse(with_ports("# \u00e9 \u20ac \U0001f600"), "f.yaml").config);
  EXPECT_TRUE(parse("\xef\xbb\xbf" + with_ports(""), "f.yaml").config) << "a byte order mark";
}

TEST(Yaml, ControlCharactersAreRefused) {
  EXPECT_THAT(findings(std::string_view("log: {}\0\n", 9)),
              ElementsAre("f.yaml:1:8: error: control character 0: remove it"));
  EXPECT_THAT(findings("log: {}\n\x04\n"), ElementsAre("f.yaml:2:1: error: control character 4: remove it"));
  EXPECT_THAT(findings("log: {}\rports: {}\n"),
              ElementsAre("f.yaml:1:8: error: control character 13: remove it"));
  EXPECT_THAT(findings("log: {}\x7f"), ElementsAre("f.yaml:1:8: error: control character 127: remove it"));
}

TEST(Yaml, AnEscapedControlCharacterIsRefusedToo) {
  EXPECT_THAT(
      findings(with_ports(R"(log: { target: "/tmp/a\0b" })")),
      ElementsAre("f.yaml:1:16: error: 'target' must be text without control characters, and not empty"));
}

TEST(Yaml, LinesOfWindowsAreTakenWithTheSamePlaces) {
  EXPECT_THAT(findings("ports:\r\n  a: { device: null, mtu: 1 }\r\n"),
              ElementsAre(StartsWith("f.yaml:2:27: error: 'mtu'")));
}

TEST(Yaml, LongTextIsShortenedInMessages) {
  EXPECT_THAT(
      findings(with_ports(std::string(100, 'k') + ": 1")),
      ElementsAre(StartsWith("f.yaml:1:1: error: unknown key '" + std::string(64, 'k') + "…': write ")));
  EXPECT_THAT(
      findings(with_ports(std::string(63, 'k') + "\u00e9: 1")),
      ElementsAre(StartsWith("f.yaml:1:1: error: unknown key '" + std::string(63, 'k') + "…': write ")));
}

TEST(Yaml, TheFileIsCarriedIntoTheConfig) {
  EXPECT_EQ(parsed(with_ports("")).file, "f.yaml");
}

}  // namespace
}  // namespace sluice::config
