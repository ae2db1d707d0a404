// SPDX-License-Identifier: BSD-3-Clause
//
// Frames as sentences: from("…:0a").to("…:0b").vlan(10).octets(100).
//
// Thread safety: plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::test {

/// The octets of a frame without its FCS.
using Frame = std::vector<uint8_t>;
using Frames = std::vector<Frame>;

/// Four stations, and everybody.
inline constexpr const char* kAnn = "02:00:00:00:00:0a";
inline constexpr const char* kBob = "02:00:00:00:00:0b";
inline constexpr const char* kCat = "02:00:00:00:00:0c";
inline constexpr const char* kDan = "02:00:00:00:00:0d";
inline constexpr const char* kEverybody = "ff:ff:ff:ff:ff:ff";
inline constexpr const char* kSomeGroup = "01:00:5e:00:00:05";

class FrameBuilder {
 public:
  explicit FrameBuilder(const char* source);
  FrameBuilder& to(const char* destination);
  /// Adds a C-tag; the outermost first.
  FrameBuilder& vlan(uint16_t vid, uint8_t pcp = 0, bool dei = false);
  FrameBuilder& tag(uint16_t tpid, uint16_t tci);
  FrameBuilder& type(uint16_t ethertype);
  /// The length of the whole frame; the payload counts up from `first`. Without this: 60.
  FrameBuilder& octets(size_t length);
  FrameBuilder& first(uint8_t octet);
  operator Frame() const;  // NOLINT: a builder is meant to become its frame

 private:
  Frame addresses_;
  Frame tags_;
  uint16_t type_ = 0x88B5;  // IEEE 802 local experimental
  size_t length_ = 60;
  uint8_t first_ = 0;
};

inline FrameBuilder from(const char* source) {
  return FrameBuilder(source);
}

/// The frame with `count` zeroes behind it.
Frame padded(Frame frame, size_t count);

/// The i-th of many stations.
std::string station(unsigned i);

}  // namespace sluice::test
