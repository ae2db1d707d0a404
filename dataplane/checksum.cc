// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/checksum.h"

#include <rte_ip.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>

namespace sluice::dataplane {
namespace {

struct Transport {
  uint32_t ip_offset;
  uint32_t offset;  ///< of the TCP or UDP header
  bool ipv6;
  bool udp;
  uint16_t ip_length;
  uint16_t layer2_length;
};

// False where there is no whole TCP or UDP header in the first segment: then there is nothing to finish.
bool find_transport(const rte_mbuf* packet, Transport& found) {
  rte_net_hdr_lens lengths{};
  const uint32_t type = rte_net_get_ptype(packet, &lengths, RTE_PTYPE_ALL_MASK);
  const uint32_t layer4 = type & RTE_PTYPE_L4_MASK;
  if (layer4 != RTE_PTYPE_L4_TCP && layer4 != RTE_PTYPE_L4_UDP) return false;
  found.layer2_length = lengths.l2_len;
  found.ip_length = lengths.l3_len;
  found.ip_offset = lengths.l2_len;
  found.offset = uint32_t{lengths.l2_len} + lengths.l3_len;
  found.ipv6 = RTE_ETH_IS_IPV6_HDR(type);
  found.udp = layer4 == RTE_PTYPE_L4_UDP;
  const uint32_t header = found.udp ? sizeof(rte_udp_hdr) : sizeof(rte_tcp_hdr);
  return found.offset + header <= packet->data_len;
}

void put(rte_mbuf* packet, const Transport& at, uint16_t checksum) {
  if (at.udp) {
    rte_pktmbuf_mtod_offset(packet, rte_udp_hdr*, at.offset)->dgram_cksum = checksum;
  } else {
    rte_pktmbuf_mtod_offset(packet, rte_tcp_hdr*, at.offset)->cksum = checksum;
  }
}

// Octets of the transport header and its data, by the IP header: padding behind them does not count.
uint32_t transport_length(rte_mbuf* packet, const Transport& at) {
  if (at.ipv6) {
    const auto* ip = rte_pktmbuf_mtod_offset(packet, rte_ipv6_hdr*, at.ip_offset);
    return rte_be_to_cpu_16(ip->payload_len) + uint32_t{sizeof *ip} - at.ip_length;
  }
  const auto* ip = rte_pktmbuf_mtod_offset(packet, rte_ipv4_hdr*, at.ip_offset);
  return uint32_t{rte_be_to_cpu_16(ip->total_length)} - at.ip_length;
}

uint16_t pseudo_header(rte_mbuf* packet, const Transport& at, uint32_t length) {
  const uint8_t protocol = at.udp ? IPPROTO_UDP : IPPROTO_TCP;
  if (!at.ipv6) return rte_ipv4_phdr_cksum(rte_pktmbuf_mtod_offset(packet, rte_ipv4_hdr*, at.ip_offset), 0);
  // Not rte_ipv6_phdr_cksum: it takes the length and protocol of the fixed header, wrong behind extensions.
  const auto* ip = rte_pktmbuf_mtod_offset(packet, rte_ipv6_hdr*, at.ip_offset);
  const struct {
    rte_be32_t length, protocol;
  } rest = {rte_cpu_to_be_32(length), rte_cpu_to_be_32(uint32_t{protocol})};
  uint32_t sum = __rte_raw_cksum(ip->src_addr, sizeof ip->src_addr + sizeof ip->dst_addr, 0);
  return __rte_raw_cksum_reduce(__rte_raw_cksum(&rest, sizeof rest, sum));
}

void ask_driver(rte_mbuf* packet, const Transport& at) {
  packet->l2_len = at.layer2_length;
  packet->l3_len = at.ip_length;
  packet->ol_flags |= at.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
  packet->ol_flags |= at.udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
}

}  // namespace

uint16_t internet_checksum(const void* octets, unsigned length) {
  return rte_raw_cksum(octets, length);
}

void finish_checksum(rte_mbuf* packet, bool by_driver) {
  packet->ol_flags &= ~RTE_MBUF_F_RX_L4_CKSUM_MASK;  // whatever comes of it, it is open no longer
  Transport at;
  if (!find_transport(packet, at)) return;
  const uint32_t length = transport_length(packet, at);
  if (length > packet->pkt_len - at.offset) return;  // the IP header lies about it: leave it as it came
  put(packet, at, pseudo_header(packet, at, length));
  if (by_driver) return ask_driver(packet, at);
  uint16_t sum = 0;
  if (rte_raw_cksum_mbuf(packet, at.offset, length, &sum) != 0) return;
  sum = static_cast<uint16_t>(~sum);
  put(packet, at, sum == 0 && at.udp ? 0xFFFF : sum);  // RFC 768: 0 means "none"
}

}  // namespace sluice::dataplane
