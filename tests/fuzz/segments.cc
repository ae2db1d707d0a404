// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/segments.h"

#include <algorithm>

namespace sluice::fuzz {
namespace {

void append16(Frame& frame, uint32_t number) {
  frame.push_back(static_cast<uint8_t>(number >> 8));
  frame.push_back(static_cast<uint8_t>(number));
}

void append32(Frame& frame, uint32_t number) {
  append16(frame, number >> 16);
  append16(frame, number);
}

void append_mac(Frame& frame, uint64_t mac) {
  append16(frame, static_cast<uint32_t>(mac >> 32));
  append32(frame, static_cast<uint32_t>(mac));
}

// Eight octets that no other packet has, then what is quick to make.
void append_data(Frame& frame, Random& random, size_t length) {
  const uint64_t mark = random.next();
  for (size_t i = 0; i < std::min<size_t>(length, 8); ++i)
    frame.push_back(static_cast<uint8_t>(mark >> (8 * i)));
  if (length > 8) frame.resize(frame.size() + length - 8, static_cast<uint8_t>(mark >> 11));
}

void add_ipv4(Frame& frame, const Address& source, const Address& destination, const Header& header,
              Octets segment) {
  const size_t length = 20 + header.options.size();
  frame.push_back(static_cast<uint8_t>(0x40 | length / 4));
  frame.push_back(header.traffic_class);
  append16(frame, static_cast<uint32_t>(length + segment.size()));
  append16(frame, header.id);
  append16(frame, header.part);
  frame.push_back(header.hops);
  frame.push_back(header.protocol);
  append16(frame, 0);
  append(frame, source.bytes());
  append(frame, destination.bytes());
  append(frame, header.options);
}

void add_ipv6(Frame& frame, const Address& source, const Address& destination, const Header& header,
              Octets segment) {
  append32(frame, 0x6000'0000u | uint32_t{header.traffic_class} << 20);
  append16(frame, static_cast<uint32_t>(header.options.size() + segment.size()));
  frame.push_back(header.options.empty() ? header.protocol : header.first_next);
  frame.push_back(header.hops);
  append(frame, source.bytes());
  append(frame, destination.bytes());
  append(frame, header.options);
}

Frame part_of_ipv4(const Frame& whole, const View& view, size_t from, size_t to, uint32_t id) {
  Frame part(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(view.l4));
  append(part, Octets(whole).subspan(view.l4 + from, to - from));
  uint8_t* header = part.data() + view.l3;
  store16(header + 2, static_cast<uint32_t>(part.size() - view.l3));
  store16(header + 4, id);
  store16(header + 6, static_cast<uint32_t>(from / 8) | (to < view.l4_length() ? 0x2000u : 0u));
  return part;
}

Frame part_of_ipv6(const Frame& whole, const View& view, size_t from, size_t to, uint32_t id) {
  Frame part(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(view.l3 + 40));
  part.push_back(part[view.l3 + 6]);
  part.push_back(0);
  append16(part, static_cast<uint32_t>(from) | (to < view.end - view.l3 - 40 ? 1u : 0u));
  append32(part, id);
  part[view.l3 + 6] = kFragment;
  append(part, Octets(whole).subspan(view.l3 + 40 + from, to - from));
  store16(part.data() + view.l3 + 4, static_cast<uint32_t>(part.size() - view.l3 - 40));
  return part;
}

}  // namespace

void append(Frame& frame, Octets octets) {
  frame.insert(frame.end(), octets.begin(), octets.end());
}

Frame begin(const Link& link, uint16_t type) {
  Frame frame;
  frame.reserve(128);
  append_mac(frame, link.destination);
  append_mac(frame, link.source);
  if (link.outer != 0) {
    append16(frame, kTypeProvider);
    append16(frame, link.outer);
  }
  if (link.tag != 0) {
    append16(frame, kTypeVlan);
    append16(frame, link.tag);
  }
  append16(frame, type);
  return frame;
}

void add_ip(Frame& frame, const Address& source, const Address& destination, const Header& header,
            Octets segment) {
  if (source.is_ipv4()) {
    add_ipv4(frame, source, destination, header, segment);
  } else {
    add_ipv6(frame, source, destination, header, segment);
  }
  append(frame, segment);
  repair_checksums(frame);
}

Frame udp(Random& random, uint16_t source, uint16_t destination, size_t data) {
  Frame segment;
  segment.reserve(8 + data);
  append16(segment, source);
  append16(segment, destination);
  append16(segment, static_cast<uint32_t>(8 + data));
  append16(segment, 0);
  append_data(segment, random, data);
  return segment;
}

Frame tcp(Random& random, uint16_t source, uint16_t destination, uint8_t flags, size_t data) {
  Frame segment;
  segment.reserve(24 + data);
  append16(segment, source);
  append16(segment, destination);
  append32(segment, static_cast<uint32_t>(random.next()));
  append32(segment, static_cast<uint32_t>(random.next()));
  const bool has_mss = (flags & 0x02) != 0;
  segment.push_back(has_mss ? 0x60 : 0x50);
  segment.push_back(flags);
  append16(segment, 0xFFFF);
  append32(segment, 0);
  if (has_mss) append32(segment, 0x0204'05B4);
  append_data(segment, random, data);
  return segment;
}

Frame icmp(Random& random, uint8_t type, uint8_t code, uint16_t id, size_t data) {
  Frame segment{type, code, 0, 0};
  segment.reserve(8 + data);
  append16(segment, id);
  append16(segment, random.word());
  append_data(segment, random, data);
  return segment;
}

Frame icmp_error(uint8_t type, uint8_t code, uint32_t rest, Octets about) {
  Frame segment{type, code, 0, 0};
  segment.reserve(8 + about.size());
  append32(segment, rest);
  append(segment, about);
  return segment;
}

Frame arp(const Link& link, uint16_t operation, uint32_t sender, uint32_t target) {
  Frame frame = begin(link, kTypeArp);
  append32(frame, 0x0001'0800);
  append16(frame, 0x0604);
  append16(frame, operation);
  append_mac(frame, link.source);
  append32(frame, sender);
  append_mac(frame, operation == 1 ? 0 : link.destination);
  append32(frame, target);
  return frame;
}

Frame discovery(const Link& link, uint8_t type, const Address& source, const Address& destination,
                const Address& target) {
  Frame segment{type, 0, 0, 0};
  append32(segment, type == 136 ? 0x6000'0000 : 0);
  const bool has_target = type == 135 || type == 136;
  if (type == 134) append32(segment, 0), append32(segment, 0);
  if (has_target) append(segment, target.bytes());
  segment.push_back(type == 136 ? 2 : 1);
  segment.push_back(1);
  append_mac(segment, link.source);
  Frame frame = begin(link, kTypeIpv6);
  add_ip(frame, source, destination, {.protocol = kIcmpv6, .hops = 255}, segment);
  return frame;
}

std::vector<Frame> parts_of(const Frame& whole, size_t length, uint32_t id) {
  const View view = view_of(whole);
  if (view.family == 0 || view.is_part || length == 0 || length % 8 != 0) return {whole};
  const size_t total = view.family == 4 ? view.l4_length() : view.end - view.l3 - 40;
  std::vector<Frame> parts;
  for (size_t from = 0; from < total; from += length) {
    const size_t to = std::min(from + length, total);
    parts.push_back(view.family == 4 ? part_of_ipv4(whole, view, from, to, id)
                                     : part_of_ipv6(whole, view, from, to, id));
    repair_checksums(parts.back());
  }
  return parts;
}

}  // namespace sluice::fuzz
