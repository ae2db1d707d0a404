// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/quote.h"

#include "dataplane/checksum.h"
#include "dataplane/ip_header.h"

namespace sluice::dataplane {
namespace {

constexpr unsigned kQuotedTransport = 8;  // what every error quotes at least (RFC 792)

uint16_t load16(const uint8_t* at) {
  BigEndian<uint16_t> value;
  std::memcpy(&value, at, sizeof value);
  return value.host();
}

// False: a protocol without ports other than those that only their addresses tell apart.
bool read_ports(const uint8_t* transport, Flow& flow) {
  if (flow.protocol == kProtocolTcp || flow.protocol == kProtocolUdp) {
    flow.source_port = load16(transport);
    flow.destination_port = load16(transport + 2);
  } else if (flow.protocol == kProtocolIcmp) {
    if (transport[0] != icmp::kEcho && transport[0] != icmp::kEchoReply) return false;
    flow.source_port = flow.destination_port = load16(transport + 4);
  }
  return true;
}

}  // namespace

std::optional<Quote> read_quote(const Batch& batch, uint8_t place) {
  const auto* packet = l3_header<uint8_t>(batch, place);
  const unsigned offset = batch.l4[place] + unsigned{sizeof(IcmpHeader)}, end = contiguous(batch, place);
  if (offset + sizeof(Ipv4Header) > end) return std::nullopt;
  Ipv4Header header;
  std::memcpy(&header, packet + offset, sizeof header);
  const unsigned transport = offset + header.header_length();
  const bool whole = header.version_ihl >> 4 == 4 && header.header_length() >= sizeof header &&
                     transport + kQuotedTransport <= end;
  if (!whole || (header.fragment.host() & kFragmentOffset) != 0) return std::nullopt;
  Quote quote{{header.source.host(), header.destination.host(), 0, 0, header.protocol},
              static_cast<uint16_t>(offset),
              static_cast<uint16_t>(transport),
              static_cast<uint16_t>(end - transport),
              internet_checksum(packet + offset, header.header_length()) == 0xFFFF};
  if (!read_ports(packet + transport, quote.flow)) return std::nullopt;
  return quote;
}

}  // namespace sluice::dataplane
