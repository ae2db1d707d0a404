// SPDX-License-Identifier: BSD-3-Clause
//
// From a frame back to its line. What a line would fill in anyway is left out.
#include <algorithm>
#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "control/packet_line.h"
#include "dataplane/ethernet.h"
#include "dataplane/ip.h"

namespace sluice::control {
namespace {

constexpr size_t kShortest = 60;           // octets, without the FCS (IEEE 802.3 4A.2.3.2.4)
constexpr size_t kLongestFilled = 60 + 8;  // and two tags that were pushed onto such
constexpr unsigned kRoundsAtMost = 4;      // what one field says may change what is filled in for another

// What a line says even if it would be filled in so.
constexpr std::array<std::string_view, 14> kAlwaysSaid = {"src",   "dst",  "vid",  "sport", "dport",
                                                          "flags", "type", "code", "op",    "sha",
                                                          "spa",   "tha",  "tpa",  "target"};

bool is_always_said(std::string_view header, std::string_view field) {
  const bool has_type = header == "icmp" || header == "icmpv6" || header == "lladdr";
  return std::find(kAlwaysSaid.begin(), kAlwaysSaid.end(), field) != kAlwaysSaid.end() &&
         (field != "type" || has_type);
}

uint64_t number_of(const HeaderFormat& header, Octets octets, std::string_view field) {
  uint64_t number = 0;
  for (const uint8_t octet : get_bits(octets, *field_named(header, field))) number = number << 8 | octet;
  return number;
}

// RFC 1191 section 4, RFC 4443 section 3.2.
bool tells_mtu(const HeaderFormat& header, Octets octets) {
  if (header.name == "icmpv6") return number_of(header, octets, "type") == 2;
  return number_of(header, octets, "type") == 3 && number_of(header, octets, "code") == 4;
}

// What follows an ICMP header; "": data.
std::string_view behind_icmp(bool ipv6, uint64_t type) {
  if (!ipv6) return type == 3 || type == 11 || type == 12 ? "ipv4" : "";
  if (type >= 1 && type <= 4) return "ipv6";
  return type == 135 || type == 136 ? "nd" : "";
}

// The header that follows one; null: data.
const HeaderFormat* behind(const HeaderFormat& header, Octets octets) {
  const std::string_view name = header.name;
  if (name == "eth" || name == "vlan" || name == "svlan")
    return header_of_type(static_cast<uint16_t>(number_of(header, octets, "type")));
  if (name == "ipv4") {
    const bool goes_on = number_of(header, octets, "ihl") == 5 && number_of(header, octets, "offset") == 0;
    return goes_on ? header_of_protocol(static_cast<uint8_t>(number_of(header, octets, "protocol")))
                   : nullptr;
  }
  if (name == "ipv6") return header_of_protocol(static_cast<uint8_t>(number_of(header, octets, "next")));
  if (name == "frag" && number_of(header, octets, "offset") == 0)
    return header_of_protocol(static_cast<uint8_t>(number_of(header, octets, "next")));
  if (name == "icmp" || name == "icmpv6")
    return header_named(behind_icmp(name == "icmpv6", number_of(header, octets, "type")));
  if (name == "nd" || name == "lladdr") return header_named("lladdr");
  return nullptr;
}

}  // namespace

// What fills a frame up is no payload: the IP header says where that ends, or there are only zeroes.
size_t PacketLine::end_of_packet(Octets frame) const {
  const size_t headers = headers_.back().at + headers_.back().format->octets;
  for (const Header& header : headers_) {
    const bool four = header.format->name == "ipv4", six = header.format->name == "ipv6";
    if (!four && !six) continue;
    const size_t length = number_of(*header.format, frame.subspan(header.at), "length");
    return std::clamp(header.at + length + (six ? header.format->octets : 0u), headers, frame.size());
  }
  size_t end = frame.size();
  while (end <= kLongestFilled && end > headers && frame[end - 1] == 0) --end;
  return end;
}

PacketLine PacketLine::of(Octets frame) {
  PacketLine line;
  size_t at = 0;
  for (const HeaderFormat* next = header_named("eth"); next != nullptr;) {
    if (frame.size() < at + next->octets) break;
    line.headers_.push_back({next, {}, at});
    const Octets octets = frame.subspan(at);
    at += next->octets;
    for (const Field& field : next->fields) {
      const bool is_mtu = field.name == "mtu" && tells_mtu(*next, octets);
      if (is_mtu || is_always_said(next->name, field.name))
        line.headers_.back().said.push_back({&field, get_bits(octets, field), all_ones(field)});
    }
    next = behind(*next, octets);
  }
  if (line.headers_.empty()) return line;
  size_t end = line.end_of_packet(frame);
  const auto rest = frame.subspan(end);
  const bool only_filled = frame.size() <= kLongestFilled &&
                           std::all_of(rest.begin(), rest.end(), [](uint8_t octet) { return octet == 0; });
  if (!only_filled || frame.size() < kShortest) end = frame.size();
  line.payload_.assign(frame.begin() + static_cast<std::ptrdiff_t>(at),
                       frame.begin() + static_cast<std::ptrdiff_t>(end));
  if (frame.size() < kShortest) line.cut_ = frame.size();
  for (const bool checksums : {false, true}) {
    for (unsigned round = 0; round < kRoundsAtMost && line.say_what_differs(frame, checksums); ++round)
      continue;
  }
  return line;
}

// Checksums last: what else differs changes what they are to be.
bool PacketLine::say_what_differs(Octets frame, bool checksums) {
  const std::vector<uint8_t> filled = fill({});
  bool any = false;
  for (Header& header : headers_) {
    for (const Field& field : header.format->fields) {
      const bool skipped = header.says(field.name) || field.name == "mtu";
      if (skipped || (field.name == "checksum") != checksums) continue;
      if (filled.size() < header.at + header.format->octets) continue;
      const Bits seen = get_bits(frame.subspan(header.at), field);
      if (seen == get_bits(Octets(filled).subspan(header.at), field)) continue;
      header.said.push_back({&field, seen, all_ones(field)});
      any = true;
    }
  }
  return any;
}

std::string PacketLine::text() const {
  std::string text;
  for (const Header& header : headers_) {
    absl::StrAppend(&text, text.empty() ? "" : " / ", std::string(header.format->name));
    for (const Said& said : header.said)
      absl::StrAppend(&text, " ", std::string(said.field->name), "=", bits_text(*said.field, said.value));
  }
  if (!payload_.empty()) {
    bool counts_up = true;
    for (size_t i = 0; i < payload_.size(); ++i) counts_up = counts_up && payload_[i] == (i & 0xFF);
    if (counts_up) {
      absl::StrAppend(&text, " / payload ", payload_.size());
    } else {
      const std::string octets(payload_.begin(), payload_.end());
      absl::StrAppend(&text, " / payload hex=", absl::BytesToHexString(octets));
    }
  }
  if (cut_ != 0) absl::StrAppend(&text, " / cut ", cut_);
  return text;
}

}  // namespace sluice::control
