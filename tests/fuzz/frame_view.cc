// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/frame_view.h"

#include <algorithm>
#include <cstring>

namespace sluice::fuzz {
namespace {

constexpr size_t kMostExtensions = 16;

void read_ipv4(Octets octets, View& view) {
  const uint8_t* header = octets.data() + view.l3;
  const size_t left = octets.size() - view.l3;
  const size_t length = (header[0] & 0xF) * 4u, total = load16(header + 2);
  if (length < 20 || total < length || left < length) return;
  view.family = 4;
  view.is_cut = total > left;
  view.end = view.l3 + std::min(total, left);
  view.protocol = header[9];
  view.l4 = view.l3 + length;
  view.more = (header[6] & 0x20) != 0;
  view.offset = static_cast<uint16_t>((load16(header + 6) & 0x1FFF) * 8);
  view.is_part = view.more || view.offset != 0;
}

bool step_over_fragment(Octets octets, View& view) {
  const uint8_t* header = octets.data() + view.l4;
  view.more = (header[3] & 1) != 0;
  view.offset = load16(header + 2) & 0xFFF8;
  view.is_part = view.more || view.offset != 0;
  view.protocol = header[0];
  view.l4 += 8;
  return view.offset == 0;
}

// Over one extension header; false: there is none.
bool step_over(Octets octets, View& view) {
  if (view.l4_length() < 8) return false;
  if (view.protocol == kFragment) return step_over_fragment(octets, view);
  if (view.protocol != kHopByHop && view.protocol != kRouting && view.protocol != kDestinationOptions)
    return false;
  const size_t length = 8 + octets[view.l4 + 1] * 8u;
  if (view.l4_length() < length) return false;
  view.protocol = octets[view.l4];
  view.l4 += length;
  return true;
}

void read_ipv6(Octets octets, View& view) {
  const uint8_t* header = octets.data() + view.l3;
  const size_t left = octets.size() - view.l3, total = 40u + load16(header + 4);
  view.family = 6;
  view.is_cut = total > left;
  view.end = view.l3 + std::min(total, left);
  view.protocol = header[6];
  view.l4 = view.l3 + 40;
  for (size_t i = 0; i < kMostExtensions && step_over(octets, view); ++i) {
  }
}

void read_ip(Octets octets, View& view) {
  const size_t left = octets.size() - view.l3;
  const unsigned version = left > 0 ? octets[view.l3] >> 4 : 0;
  if (version == 4 && left >= 20) read_ipv4(octets, view);
  if (version == 6 && left >= 40) read_ipv6(octets, view);
}

uint16_t fold(uint64_t sum) {
  sum = (sum & 0xFFFF'FFFF) + (sum >> 32);
  sum = (sum & 0xFFFF'FFFF) + (sum >> 32);
  sum = (sum & 0xFFFF) + (sum >> 16);
  sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<uint16_t>(sum == 0xFFFF ? 0 : sum);
}

Octets part_of(Octets octets, size_t from, size_t to) {
  from = std::min(from, octets.size());
  return octets.subspan(from, std::max(from, std::min(to, octets.size())) - from);
}

uint16_t sum_of_addresses(Octets frame, const View& view) {
  return view.family == 4 ? sum_of(frame.subspan(view.l3 + 12, 8)) : sum_of(frame.subspan(view.l3 + 8, 32));
}

uint16_t swapped(uint64_t number) {
  return static_cast<uint16_t>(number << 8 | (number >> 8 & 0xFF));
}

uint16_t pseudo_header(Octets frame, const View& view) {
  if (view.family == 4 && view.protocol == kIcmp) return 0;
  return add_sums(sum_of_addresses(frame, view), add_sums(swapped(view.protocol), swapped(view.l4_length())));
}

bool has_no_checksum(Octets frame, const View& view) {
  return view.family == 4 && view.protocol == kUdp && load16(&frame[view.l4 + 6]) == 0;
}

// What NAT leaves as it is in a quoted packet: all but addresses, ports and checksums.
uint64_t hash_of_quote(Octets frame, const View& view) {
  const View quote = view_of_ip(part_of(frame, 0, view.end), view.l4 + 8);
  uint64_t hash = hash_of(part_of(frame, view.l4, view.l4 + 2), view.protocol);
  const size_t begin = view.l4 + 8;
  hash = hash_of(part_of(frame, begin, begin + 8), hash);
  if (quote.family != 4) return hash;
  hash = hash_of(part_of(frame, begin + 20, quote.l4), hash);
  const size_t checksum = checksum_offset(quote);
  if (quote.offset != 0 || checksum == 0) return hash;
  hash = hash_of(part_of(frame, quote.l4 + (quote.protocol == kIcmp ? 6 : 4), quote.l4 + checksum), hash);
  return hash_of(part_of(frame, quote.l4 + std::max<size_t>(checksum + 2, 8), view.end), hash);
}

}  // namespace

View view_of_ip(Octets octets, size_t at) {
  View view;
  view.l3 = std::min(at, octets.size());
  read_ip(octets, view);
  return view;
}

View view_of(Octets frame) {
  View view;
  if (frame.size() < 14) return view;
  view.type = load16(&frame[12]);
  view.l3 = 14;
  while ((view.type == kTypeVlan || view.type == kTypeProvider) && frame.size() >= view.l3 + 4) {
    view.type = load16(&frame[view.l3 + 2]);
    view.l3 += 4;
    view.tags += 4;
  }
  if (view.type == kTypeIpv4 || view.type == kTypeIpv6) read_ip(frame, view);
  if ((view.type == kTypeIpv4) != (view.family == 4)) view.family = 0;
  return view;
}

bool is_error(const View& view, Octets frame) {
  if (view.l4_length() < 8 || view.offset != 0) return false;
  const uint8_t type = frame[view.l4];
  if (view.family == 6) return view.protocol == kIcmpv6 && type < 128;
  return view.protocol == kIcmp && (type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

size_t checksum_offset(const View& view) {
  if (view.protocol == kTcp) return 16;
  if (view.protocol == kUdp) return 6;
  return view.protocol == (view.family == 4 ? kIcmp : kIcmpv6) ? 2 : 0;
}

uint16_t sum_of(Octets octets) {
  uint64_t sum = 0;
  size_t at = 0;
  for (; at + 8 <= octets.size(); at += 8) {
    uint32_t two[2];
    std::memcpy(two, octets.data() + at, 8);
    sum += uint64_t{two[0]} + two[1];
  }
  uint16_t word = 0;
  for (; at + 2 <= octets.size(); at += 2) {
    std::memcpy(&word, octets.data() + at, 2);
    sum += word;
  }
  word = 0;
  if (at < octets.size()) std::memcpy(&word, octets.data() + at, 1);
  return fold(sum + word);
}

uint16_t add_sums(uint32_t a, uint32_t b) {
  return fold(uint64_t{a} + b);
}

uint16_t header_error(Octets frame, const View& view) {
  return view.family == 4 ? sum_of(part_of(frame, view.l3, view.l4)) : 0;
}

uint16_t transport_error(Octets frame, const View& view) {
  const size_t checksum = checksum_offset(view);
  if (view.family == 0 || view.is_part || view.is_cut || checksum == 0 || view.l4_length() < checksum + 2)
    return 0;
  if (has_no_checksum(frame, view)) return 0;
  return add_sums(pseudo_header(frame, view), sum_of(frame.subspan(view.l4, view.l4_length())));
}

uint16_t sum_of_first_part(Octets frame, const View& view) {
  const uint16_t sum = sum_of(part_of(frame, view.l4, view.end));
  const bool alone = view.family == 4 && view.protocol == kIcmp;
  return alone ? sum : add_sums(sum, sum_of_addresses(frame, view));
}

void repair_checksums(Frame& frame) {
  const View view = view_of(frame);
  if (view.family == 0) return;
  const size_t checksum = checksum_offset(view);
  if (checksum != 0 && !view.is_part && !view.is_cut && view.l4_length() >= checksum + 2) {
    uint8_t* at = frame.data() + view.l4 + checksum;
    store16(at, 0);
    const uint16_t sum = add_sums(pseudo_header(frame, view), sum_of(part_of(frame, view.l4, view.end)));
    const auto value = static_cast<uint16_t>(~sum);
    std::memcpy(at, &value, 2);
  }
  if (view.family != 4) return;
  uint8_t* at = frame.data() + view.l3 + 10;
  store16(at, 0);
  const auto value = static_cast<uint16_t>(~sum_of(part_of(frame, view.l3, view.l4)));
  std::memcpy(at, &value, 2);
}

uint64_t lasting_hash(Octets frame, const View& view) {
  frame = part_of(frame, 0, view.end);  // what stands behind is padding, and is lost
  if (is_error(view, frame) && view.family == 4) return hash_of_quote(frame, view);
  const size_t checksum = checksum_offset(view);
  uint64_t hash = uint64_t{view.family} << 8 | view.protocol;
  if (checksum == 0 || view.offset != 0) return hash_of(part_of(frame, view.l4, view.end), hash);
  if (view.protocol == kIcmp) {
    hash = hash_of(part_of(frame, view.l4, view.l4 + 2), hash);
    return hash_of(part_of(frame, view.l4 + 6, view.end), hash);
  }
  if (view.protocol != kIcmpv6) hash = hash_of(part_of(frame, view.l4 + 4, view.l4 + checksum), hash);
  return hash_of(part_of(frame, view.l4 + checksum + 2, view.end), hash);
}

uint64_t hash_of(Octets octets, uint64_t seed) {
  uint64_t hash = seed ^ (octets.size() * 0x9E37'79B9'7F4A'7C15u);
  const auto mix = [&](uint64_t word) {
    hash = (hash ^ word) * 0xD6E8'FEB8'6659'FD93u;
    hash ^= hash >> 32;
  };
  size_t at = 0;
  for (uint64_t word; at + 8 <= octets.size(); at += 8) {
    std::memcpy(&word, octets.data() + at, 8);
    mix(word);
  }
  uint64_t rest = 0;
  if (at < octets.size()) std::memcpy(&rest, octets.data() + at, octets.size() - at);
  mix(rest);
  return hash;
}

}  // namespace sluice::fuzz
