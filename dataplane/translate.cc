// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/translate.h"

#include <rte_mbuf.h>

#include "dataplane/ip_header.h"
#include "dataplane/quote.h"

namespace sluice::dataplane {
namespace {

using Port = BigEndian<uint16_t>;

/// Changes fields and remembers how their sum changed, as checksum_after() takes it.
class Delta {
 public:
  template <class Field>
  void replace(Field& field, const std::type_identity_t<Field>& value) {
    static_assert(sizeof field % 2 == 0);
    std::array<uint16_t, sizeof field / 2> before, after;
    std::memcpy(before.data(), &field, sizeof field);
    std::memcpy(after.data(), &value, sizeof field);
    std::memcpy(&field, &value, sizeof field);
    for (size_t i = 0; i < before.size(); ++i) sum_ += static_cast<uint16_t>(~before[i]) + uint32_t{after[i]};
  }
  [[nodiscard]] uint16_t folded() const {
    const uint32_t once = (sum_ & 0xFFFF) + (sum_ >> 16);
    return static_cast<uint16_t>((once & 0xFFFF) + (once >> 16));
  }

 private:
  uint32_t sum_ = 0;
};

void adjust(WireChecksum& checksum, uint16_t delta) {
  checksum = checksum_after(checksum, delta);
}

// 0 says that there is none (RFC 768): it stays 0, and a sum that comes out as 0 is sent as FFFF.
void adjust_udp(WireChecksum& checksum, uint16_t delta) {
  if (checksum == 0) return;
  adjust(checksum, delta);
  if (checksum == 0) checksum = 0xFFFF;
}

template <class Header>
Header* at(uint8_t* packet, unsigned offset) {
  return reinterpret_cast<Header*>(packet + offset);
}

void set_addresses(Ipv4Header* header, const Flow& leaving) {
  header->source = BigEndian<uint32_t>(leaving.source);
  header->destination = BigEndian<uint32_t>(leaving.destination);
}

void translate_transport(uint8_t* transport, const Flow& leaving, uint16_t delta) {
  if (leaving.protocol == kProtocolTcp) {
    auto* tcp = at<TcpHeader>(transport, 0);
    tcp->source = Port(leaving.source_port);
    tcp->destination = Port(leaving.destination_port);
    adjust(tcp->checksum, delta);
  } else if (leaving.protocol == kProtocolUdp) {
    auto* udp = at<UdpHeader>(transport, 0);
    udp->source = Port(leaving.source_port);
    udp->destination = Port(leaving.destination_port);
    adjust_udp(udp->checksum, delta);
  } else if (leaving.protocol == kProtocolIcmp) {
    auto* icmp = at<IcmpHeader>(transport, 0);
    icmp->a = Port(leaving.source_port);
    adjust(icmp->checksum, delta);
  }
}

// The transport header in a quote: as much of it as is there. Its checksum is the original's, over data that
// may not be there, and changes with addresses and ports like any other.
void translate_quoted_transport(uint8_t* transport, unsigned length, const Flow& quoted, uint16_t delta,
                                Delta& outer) {
  if (quoted.protocol == kProtocolIcmp) {
    auto* icmp = at<IcmpHeader>(transport, 0);
    outer.replace(icmp->a, Port(quoted.source_port));
    outer.replace(icmp->checksum, checksum_after(icmp->checksum, delta));
    return;
  }
  if (quoted.protocol != kProtocolTcp && quoted.protocol != kProtocolUdp) return;
  auto* ports = at<UdpHeader>(transport, 0);
  outer.replace(ports->source, Port(quoted.source_port));
  outer.replace(ports->destination, Port(quoted.destination_port));
  if (quoted.protocol == kProtocolUdp) {
    WireChecksum checksum = ports->checksum;
    adjust_udp(checksum, delta);
    outer.replace(ports->checksum, checksum);
  } else if (length >= offsetof(TcpHeader, urgent)) {
    auto* tcp = at<TcpHeader>(transport, 0);
    outer.replace(tcp->checksum, checksum_after(tcp->checksum, delta));
  }
}

// The quoted packet left in the other direction: it is given back the form in which it came. Its deltas are
// those of this direction: the reverse of a flow has the same sum.
void translate_quote(const Batch& batch, uint8_t place, const Session& session, unsigned direction,
                     uint8_t* packet) {
  const std::optional<Quote> quote = read_quote(batch, place);
  if (!quote) return;  // session has read it
  const Flow quoted = session.arriving(1 - direction);
  Delta outer;
  auto* header = at<Ipv4Header>(packet, quote->offset);
  outer.replace(header->source, BigEndian<uint32_t>(quoted.source));
  outer.replace(header->destination, BigEndian<uint32_t>(quoted.destination));
  outer.replace(header->checksum, checksum_after(header->checksum, session.ip_delta_of(direction)));
  translate_quoted_transport(packet + quote->transport, quote->length, quoted, session.l4_delta_of(direction),
                             outer);
  adjust(at<IcmpHeader>(packet, batch.l4[place])->checksum, outer.folded());
}

// An error comes from the host that the packet was for, or from a router before it: its own address stays,
// unless that side's addresses are not to be seen (RFC 5508 REQ-4, REQ-5).
void translate_error(const Batch& batch, uint8_t place, const Session& session, unsigned direction,
                     uint8_t* packet) {
  translate_quote(batch, place, session, direction, packet);
  const Flow arriving = session.arriving(direction), leaving = session.leaving(direction);
  auto* header = at<Ipv4Header>(packet, 0);
  Delta outer;
  if (arriving.source != leaving.source) outer.replace(header->source, BigEndian<uint32_t>(leaving.source));
  outer.replace(header->destination, BigEndian<uint32_t>(leaving.destination));
  adjust(header->checksum, outer.folded());
}

}  // namespace

void translate(const Batch& batch, uint8_t place, const Session& session, unsigned direction) {
  auto* packet = rte_pktmbuf_mtod_offset(batch.packet[place], uint8_t*, batch.l3[place]);
  if ((batch.flags[place] & kIsIcmpError) != 0)
    return translate_error(batch, place, session, direction, packet);
  auto* header = at<Ipv4Header>(packet, 0);
  const Flow leaving = session.leaving(direction);
  set_addresses(header, leaving);
  adjust(header->checksum, session.ip_delta_of(direction));
  const uint8_t flags = batch.flags[place];
  if ((flags & kIsLaterFragment) != 0 || (flags & kHasPorts) == 0) return;
  translate_transport(packet + batch.l4[place], leaving, session.l4_delta_of(direction));
}

}  // namespace sluice::dataplane
