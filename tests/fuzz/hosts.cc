// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/hosts.h"

#include <algorithm>

#include "tests/fuzz/packet_maker.h"

namespace sluice::fuzz {
namespace {

constexpr size_t kMostAnswers = 512;
constexpr uint8_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16, kPush = 8;

uint64_t mac_at(const uint8_t* at) {
  return uint64_t{load16(at)} << 32 | load32(at + 2);
}

size_t address_length(const View& view) {
  return view.family == 4 ? 4 : 16;
}
Address source_of(Octets frame, const View& view) {
  return address_at(&frame[view.l3 + (view.family == 4 ? 12 : 8)],
                    static_cast<unsigned>(address_length(view)));
}
Address destination_of(Octets frame, const View& view) {
  return address_at(&frame[view.l3 + (view.family == 4 ? 16 : 24)],
                    static_cast<unsigned>(address_length(view)));
}

}  // namespace

bool Hosts::answer(std::vector<Packet>& burst) {
  if (answers_.empty()) return false;
  burst.push_back(std::move(answers_.front()));
  answers_.pop_front();
  return true;
}

void Hosts::send(const Site& site, Frame frame) {
  if (answers_.size() >= kMostAnswers) return;
  answers_.push_back({.port = site.port, .octets = std::move(frame)});
}

void Hosts::see(PortName port, Octets frame, const View& view) {
  if (frame.size() < 14 || view.tags > 4) return;
  const Site* site = site_at(port, view.tags == 0 ? 0 : load16(&frame[14]) & 0xFFF);
  if (site == nullptr) return;
  if (view.type == kTypeArp) return see_arp(*site, frame, view);
  if (view.family != 0 && view.l4_length() >= 8) see_ip(*site, frame, view);
}

void Hosts::see_arp(const Site& site, Octets frame, const View& view) {
  if (frame.size() < view.l3 + 28 || load16(&frame[view.l3 + 6]) != 1) return;
  const uint32_t asked = load32(&frame[view.l3 + 24]);
  if (!lives_at(site, address4(asked)) || mac_of(site, address4(asked)) != mac_of(asked)) return;
  const Link back{.destination = mac_at(&frame[6]), .source = mac_of(asked), .tag = site.tag};
  send(site, arp(back, 2, asked, load32(&frame[view.l3 + 14])));
}

bool Hosts::see_solicitation(const Site& site, Octets frame, const View& view) {
  if (view.protocol != kIcmpv6 || frame[view.l4] != 135 || view.l4_length() < 24) return false;
  const Address asked = address_at(&frame[view.l4 + 8], 16);
  const bool link_local = asked.octets[0] == 0xFE;
  if (!link_local && !lives_at(site, asked)) return true;
  const Link back{.destination = mac_at(&frame[6]), .source = mac_of(site, asked), .tag = site.tag};
  const Address asker = source_of(frame, view);
  if (asker == address6(0, 0)) return true;  // duplicate address detection: it may have the address
  send(site, discovery(back, 136, asked, asker, asked));
  return true;
}

void Hosts::see_ip(const Site& site, Octets frame, const View& view) {
  if (view.family == 6 && see_solicitation(site, frame, view)) return;
  const uint64_t mac = mac_at(frame.data());
  if ((mac >> 40 & 1) != 0 || random_.percent(15)) return;
  const Question question{.site = site,
                          .frame = frame,
                          .view = view,
                          .asker = source_of(frame, view),
                          .asked = destination_of(frame, view),
                          .back = {.destination = mac_at(&frame[6]), .source = mac, .tag = site.tag}};
  if (random_.one_in(10)) return answer_error(question);
  if (!view.is_part || view.is_first()) see_transport(question);
}

void Hosts::see_transport(const Question& question) {
  const View& view = question.view;
  const uint8_t* asked = &question.frame[view.l4];
  const uint16_t to = load16(asked), from = load16(asked + 2);
  const size_t data = PacketMaker::data_length(random_);
  Frame segment;
  if (view.protocol == kUdp) {
    segment = udp(random_, from, to, data);
  } else if (view.protocol == kTcp && view.l4_length() >= 20) {
    answer_tcp(question, segment);
  } else if (view.protocol == kIcmp && view.family == 4 && asked[0] == 8) {
    segment = icmp(random_, 0, 0, load16(asked + 4), data);
  } else if (view.protocol == kIcmpv6 && view.family == 6 && asked[0] == 128) {
    segment = icmp(random_, 129, 0, load16(asked + 4), data);
  }
  if (!segment.empty()) send_ip(question, question.asked, view.protocol, segment);
}

void Hosts::answer_tcp(const Question& question, Frame& segment) {
  const uint8_t* asked = &question.frame[question.view.l4];
  const uint8_t flags = asked[13];
  uint8_t back = kAck;
  if ((flags & kRst) != 0) return;
  if ((flags & (kSyn | kAck)) == kSyn) back = random_.one_in(10) ? kRst | kAck : kSyn | kAck;
  if ((flags & kFin) != 0 || random_.one_in(6)) back = kFin | kAck;
  if (random_.one_in(24)) back = kRst;
  if (back == kAck && random_.percent(50)) back |= kPush;
  const size_t data = (back & kPush) != 0 ? PacketMaker::data_length(random_) : 0;
  segment = tcp(random_, load16(asked + 2), load16(asked), back, data);
  for (unsigned i = 0; i < 4; ++i) segment[8 + i] = asked[4 + i];
}

// From the host itself, or from a router on the way: it quotes what it saw.
void Hosts::answer_error(const Question& question) {
  const View& view = question.view;
  const bool ipv4 = view.family == 4;
  const size_t most = view.end - view.l3;
  const size_t length = random_.percent(40)
                            ? std::min<size_t>(most, view.l4 - view.l3 + 8)
                            : random_.below(static_cast<uint32_t>(std::min<size_t>(most, 1200)) + 1);
  static constexpr uint8_t kTypes[] = {3, 3, 3, 11, 12, 4}, kTypes6[] = {1, 2, 3, 4};
  const uint8_t type = ipv4 ? random_.pick(kTypes) : random_.pick(kTypes6);
  const uint8_t code = static_cast<uint8_t>(random_.below(5));
  const Frame segment = icmp_error(type, code, random_.percent(50) ? 1280 : random_.below(1500),
                                   question.frame.subspan(view.l3, length));
  Address source = question.asked;
  if (random_.percent(40)) source = host_at(question.site, is_outside(question.site) ? 1 : 3, ipv4);
  send_ip(question, source, ipv4 ? kIcmp : kIcmpv6, segment);
}

void Hosts::send_ip(const Question& question, const Address& source, uint8_t protocol, const Frame& segment) {
  Frame frame = begin(question.back, source.is_ipv4() ? kTypeIpv4 : kTypeIpv6);
  Header header{.protocol = protocol, .hops = 60, .id = random_.word()};
  if (random_.percent(40)) header.part = 0x4000;
  if (random_.one_in(40)) header.hops = 1;
  add_ip(frame, source, question.asker, header, segment);
  if (!random_.one_in(10)) return send(question.site, std::move(frame));
  for (Frame& part : parts_of(frame, 8 * random_.between(4, 100), random_.word()))
    send(question.site, std::move(part));
}

}  // namespace sluice::fuzz
