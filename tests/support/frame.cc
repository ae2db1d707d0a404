// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/frame.h"

#include <cstdio>
#include <stdexcept>

namespace sluice::test {
namespace {

Frame parse_mac(const char* text) {
  unsigned octet[6];
  if (std::sscanf(text, "%x:%x:%x:%x:%x:%x", &octet[0], &octet[1], &octet[2], &octet[3], &octet[4],
                  &octet[5]) != 6) {
    throw std::invalid_argument(text);
  }
  return Frame(octet, octet + 6);
}

void append16(Frame& frame, uint16_t number) {
  frame.push_back(static_cast<uint8_t>(number >> 8));
  frame.push_back(static_cast<uint8_t>(number));
}

}  // namespace

FrameBuilder::FrameBuilder(const char* source) : addresses_(parse_mac(kEverybody)) {
  const Frame mac = parse_mac(source);
  addresses_.insert(addresses_.end(), mac.begin(), mac.end());
}

FrameBuilder& FrameBuilder::to(const char* destination) {
  const Frame mac = parse_mac(destination);
  std::copy(mac.begin(), mac.end(), addresses_.begin());
  return *this;
}

FrameBuilder& FrameBuilder::vlan(uint16_t vid, uint8_t pcp, bool dei) {
  return tag(0x8100, static_cast<uint16_t>(pcp << 13 | static_cast<int>(dei) << 12 | vid));
}

FrameBuilder& FrameBuilder::tag(uint16_t tpid, uint16_t tci) {
  append16(tags_, tpid);
  append16(tags_, tci);
  return *this;
}

FrameBuilder& FrameBuilder::type(uint16_t ethertype) {
  type_ = ethertype;
  return *this;
}

FrameBuilder& FrameBuilder::octets(size_t length) {
  length_ = length;
  return *this;
}

FrameBuilder& FrameBuilder::first(uint8_t octet) {
  first_ = octet;
  return *this;
}

FrameBuilder::operator Frame() const {
  Frame frame = addresses_;
  frame.insert(frame.end(), tags_.begin(), tags_.end());
  append16(frame, type_);
  for (uint8_t octet = first_; frame.size() < length_; ++octet) frame.push_back(octet);
  frame.resize(length_);
  return frame;
}

Frame padded(Frame frame, size_t count) {
  frame.resize(frame.size() + count);
  return frame;
}

std::string station(unsigned i) {
  char text[18];
  std::snprintf(text, sizeof text, "02:01:%02x:%02x:%02x:%02x", i >> 24 & 0xff, i >> 16 & 0xff, i >> 8 & 0xff,
                i & 0xff);
  return text;
}

}  // namespace sluice::test
