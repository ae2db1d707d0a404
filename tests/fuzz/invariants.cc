// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/invariants.h"

#include <algorithm>

#include "tests/fuzz/packet_maker.h"

namespace sluice::fuzz {
namespace {

constexpr unsigned kMostBuffersAPacket = 16;

uint64_t mac_at(Octets frame, size_t at) {
  return uint64_t{load16(&frame[at])} << 32 | load32(&frame[at + 2]);
}

uint64_t key_of(uint64_t hash, uint16_t sum, uint16_t other = 0) {
  return (hash ^ sum ^ uint64_t{other} << 32) * 0x9E37'79B9'7F4A'7C15u;
}

// Without the tag of four octets at 12, if it has one that counts; zeroes at the end may be padding.
uint64_t hash_without_tag(Octets frame, bool tagged) {
  Octets rest = frame.subspan(std::min<size_t>(frame.size(), tagged ? 16 : 12));
  while (!rest.empty() && rest.back() == 0) rest = rest.first(rest.size() - 1);
  return hash_of(rest, hash_of(frame.first(12), 0));
}

bool has_tag(Octets frame) {
  return frame.size() >= 18 && load16(&frame[12]) == kTypeVlan;
}

Domains tagged_domain(const PortPlan& port, uint16_t vid) {
  for (const auto& [tag, domain] : port.tagged)
    if (tag == vid) return domain;
  return 0;
}

// An address that is NAT's alone.
bool is_of_nat(uint32_t address) {
  return (address >= ip4(203, 0, 113, 10) && address <= ip4(203, 0, 113, 12)) ||
         address == ip4(203, 0, 113, 20);
}

// What the quoted header and as much of its transport as there is add up to.
uint64_t quote_key(Octets frame, const View& view) {
  const Octets whole = frame.first(view.end);
  const View quote = view_of_ip(whole, view.l4 + 8);
  const size_t checksum = checksum_offset(quote);
  uint16_t sum = 0;
  if (quote.family == 4 && quote.is_first() && checksum != 0 && quote.l4 + checksum + 2 <= view.end &&
      (quote.protocol != kUdp || load16(&frame[quote.l4 + checksum]) != 0))
    sum = sum_of_first_part(whole, quote);
  return key_of(lasting_hash(frame, view), sum, quote.family == 4 ? header_error(whole, quote) : uint16_t{0});
}

}  // namespace

void Known::add(uint64_t key) {
  young_.insert(key);
  if (young_.size() < kMost) return;
  std::swap(young_, old_);
  young_.clear();
}

void Invariants::found(const char* invariant, const std::string& why) {
  if (!finding_) finding_ = std::string(invariant) + ": " + why;
}

void Invariants::burst_begins() {
  for (Datagram& datagram : datagrams_) datagram.octets.clear();
}

void Invariants::arrives(const Packet& packet) {
  const Octets frame = packet.octets;
  if (frame.size() < 14) return;
  const PortPlan& port = world_.plan().ports[packet.port];
  const uint16_t vid = has_tag(frame) ? load16(&frame[14]) & 0xFFF : 0;
  const Domains domain = vid == 0 ? port.untagged : tagged_domain(port, vid);
  if (domain != 0) frames_.add(key_of(hash_without_tag(frame, has_tag(frame)), domain));

  const View view = view_of(frame);
  if (view.family == 0) return;
  const uint64_t hash = lasting_hash(frame, view);
  if (view.is_part) {
    if (view.is_first()) parts_.add(key_of(hash, sum_of_first_part(frame, view)));
    return;
  }
  if (const uint16_t error = transport_error(frame, view)) wrong_.add(key_of(hash, error));
  if (view.family == 4 && is_error(view, frame)) errors_.add(quote_key(frame, view));
}

bool Invariants::was_bridged(PortName port, Octets frame, const View&) const {
  const PortPlan& plan = world_.plan().ports[port];
  const auto came = [&](Domains domain, bool tagged) {
    return domain != 0 && frames_.has(key_of(hash_without_tag(frame, tagged), domain));
  };
  if (came(plan.untagged, false)) return true;
  if (!plan.is_trunk || !has_tag(frame)) return false;
  const Domains domain = tagged_domain(plan, load16(&frame[14]) & 0xFFF);
  return domain != plan.untagged && came(domain, true);
}

const InterfacePlan* Invariants::sender(PortName port, Octets frame, const View& view) const {
  const PortPlan& plan = world_.plan().ports[port];
  Domains domain = plan.untagged;
  if (view.tags != 0) {
    if (view.tags != 4 || !plan.is_trunk || !has_tag(frame)) return nullptr;
    domain = tagged_domain(plan, load16(&frame[14]) & 0xFFF);
    if (domain == plan.untagged) return nullptr;
  }
  if (domain == 0 && !plan.is_routed) return nullptr;
  const InterfacePlan* interface = world_.plan().on(domain, port);
  return interface != nullptr && interface->mac == mac_at(frame, 6) ? interface : nullptr;
}

void Invariants::leaves(PortName port, Octets frame, const View& view) {
  const bool was_found = finding_.has_value();
  check_leaving(port, frame, view);
  if (finding_.has_value() == was_found) return;
  *finding_ += ", by port " + to_line({.port = port, .octets = Frame(frame.begin(), frame.end())});
}

void Invariants::check_leaving(PortName port, Octets frame, const View& view) {
  if (frame.size() < 60) return found("header", "a frame that leaves is shorter than 60 octets");
  if (!world_.plan().ports[port].is_routed && was_bridged(port, frame, view)) {
    outcomes_.count("left bridged");
    return;
  }
  const InterfacePlan* by = sender(port, frame, view);
  if (by == nullptr) return found("vlan", "neither a frame of this VLAN nor one of its interface");
  if (view.type == kTypeArp) {
    outcomes_.count(load16(&frame[view.l3 + 6]) == 1 ? "left ARP request" : "left ARP answer");
    if (is_hidden(port, load32(&frame[view.l3 + 14]), 0)) found("source", "ARP tells a hidden address");
    return;
  }
  if (view.family == 0) return found("header", "what the router sends is neither IP nor ARP");
  check_routed(port, *by, frame, view);
  count_routed(port, frame, view);
}

void Invariants::check_routed(PortName port, const InterfacePlan& by, Octets frame, const View& view) {
  check_header(by, frame, view);
  check_source(port, frame, view);
  check_checksum(port, frame, view);
}

void Invariants::check_header(const InterfacePlan& by, Octets frame, const View& view) {
  if (view.is_cut) found("header", "its length says more than there is");
  if (header_error(frame, view) != 0) found("header", "the checksum of the IPv4 header is wrong");
  if (frame[view.l3 + (view.family == 4 ? 8 : 7)] == 0) found("header", "it has no hops left");
  if (view.end - view.l3 > by.mtu) found("header", "it is larger than the mtu of its interface");
}

bool Invariants::is_own(uint32_t address) const {
  const std::vector<uint32_t>& own = world_.plan().own;
  return std::find(own.begin(), own.end(), address) != own.end();
}

bool Invariants::is_hidden(PortName port, uint32_t source, uint32_t destination) const {
  const auto covers = [](const std::vector<Prefix4>& prefixes, uint32_t address) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](const Prefix4& prefix) { return prefix.has(address); });
  };
  const std::vector<Hidden>& hidden = world_.plan().hidden;
  return std::any_of(hidden.begin(), hidden.end(), [&](const Hidden& rule) {
    return rule.port == port && covers(rule.sources, source) && !covers(rule.exempt, destination);
  });
}

void Invariants::check_source(PortName port, Octets frame, const View& view) {
  if (view.family != 4) return;
  const uint8_t* header = &frame[view.l3];
  const uint32_t source = load32(header + 12), destination = load32(header + 16);
  if (is_hidden(port, source, destination) && !is_own(source)) found("source", "a hidden source leaves");
  // Whoever no rule covers may quote what he likes.
  if (!is_error(view, frame) || !is_of_nat(source)) return;
  const View quote = view_of_ip(frame.first(view.end), view.l4 + 8);
  if (quote.family != 4) return;
  const uint8_t* quoted = &frame[quote.l3];
  if (is_hidden(port, load32(quoted + 16), load32(quoted + 12)))
    found("source", "a translated error's quote shows a hidden address");
}

void Invariants::check_checksum(PortName port, Octets frame, const View& view) {
  if (view.is_part) return check_part(port, frame, view);
  const uint16_t error = transport_error(frame, view);
  if (error != 0 && !wrong_.has(key_of(lasting_hash(frame, view), error)))
    return found("checksum", "its transport checksum is wrong, and no such packet arrived");
  if (view.family == 4 && is_error(view, frame)) check_quote(frame, view);
}

void Invariants::check_quote(Octets frame, const View& view) {
  // The router's own: nobody else's leave with as many hops and this precedence.
  const uint8_t* header = &frame[view.l3];
  if (is_own(load32(header + 12)) || (header[1] == 0xC0 && header[8] == 64)) return;
  if (!errors_.has(quote_key(frame, view)))
    found("checksum", "its quote is none that arrived, or its sums are off");
}

// A part that arrived has its sum; one that the router made has to become a whole with those that follow it.
void Invariants::check_part(PortName port, Octets frame, const View& view) {
  Datagram& datagram = datagrams_[port];
  if (view.is_first()) {
    datagram.octets.clear();
    if (parts_.has(key_of(lasting_hash(frame, view), sum_of_first_part(frame, view)))) return;
    if (view.family == 6) return found("checksum", "a first part of IPv6 that did not arrive so");
    datagram.octets.assign(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(view.end));
    datagram.l3 = view.l3;
    datagram.l4 = view.l4;
    outcomes_.count("left in parts that the router made");
    return;
  }
  if (datagram.octets.empty() || view.family != 4) return;
  const Octets first = datagram.octets;
  const bool follows = datagram.octets.size() - datagram.l4 == view.offset &&
                       load16(&first[datagram.l3 + 4]) == load16(&frame[view.l3 + 4]) &&
                       load32(&first[datagram.l3 + 12]) == load32(&frame[view.l3 + 12]) &&
                       load32(&first[datagram.l3 + 16]) == load32(&frame[view.l3 + 16]);
  if (!follows) return;
  append(datagram.octets, frame.subspan(view.l4, view.l4_length()));
  store16(&datagram.octets[datagram.l3 + 2], static_cast<uint32_t>(datagram.octets.size() - datagram.l3));
  if (!view.more) store16(&datagram.octets[datagram.l3 + 6], 0);
  check_whole(port);
}

void Invariants::check_whole(PortName port) {
  Datagram& datagram = datagrams_[port];
  const Octets octets = datagram.octets;
  const View view = view_of_ip(octets, datagram.l3);
  const uint64_t hash = lasting_hash(octets, view);
  // The parts of a part add up to that.
  const bool arrived_so = parts_.has(key_of(hash, sum_of_first_part(octets, view)));
  if (!arrived_so && view.is_part) return;
  const uint16_t error = transport_error(octets, view);
  if (!arrived_so && error != 0 && !wrong_.has(key_of(hash, error)))
    found("checksum", "the parts that the router made are no datagram that arrived");
  if (!arrived_so) outcomes_.count("whole again from the router's parts");
  datagram.octets.clear();
}

void Invariants::burst_ends(bool all_dropped) {
  const control::Books books = world_.runtime().books();
  const unsigned in_use = world_.runtime().mbufs_in_use();
  if (books.unaccounted != 0)
    found("books", std::to_string(books.unaccounted) + " packets are unaccounted for");
  if (books.total.handed_over != books.total.taken_over) found("books", "packets were lost between workers");
  if (all_dropped && books.held != 0)
    found("books", std::to_string(books.held) + " packets are held for ever");
  if (in_use > books.held * kMostBuffersAPacket)
    found("buffers",
          std::to_string(in_use) + " are in use, for " + std::to_string(books.held) + " held packets");
}

}  // namespace sluice::fuzz
