// SPDX-License-Identifier: BSD-3-Clause
//
// Which kinds of packets leave; for the table of outcomes.
#include "tests/fuzz/invariants.h"

namespace sluice::fuzz {
namespace {

constexpr Prefix4 kInside{ip4(192, 168, 0, 0), 16}, kLinkOutside{ip4(203, 0, 113, 0), 24};
constexpr uint32_t kStaticHost = ip4(192, 168, 10, 30), kStaticAddress = ip4(203, 0, 113, 20),
                   kForwardedHost = ip4(192, 168, 10, 20), kForwardedHosts = ip4(192, 168, 10, 21),
                   kOtherOutside = ip4(198, 18, 0, 2), kLastOfPool = ip4(203, 0, 113, 12);

bool is_external(uint32_t address) {
  return (kLinkOutside.has(address) && address <= kLastOfPool && address != ip4(203, 0, 113, 9) &&
          (address == ip4(203, 0, 113, 2) || address >= ip4(203, 0, 113, 10))) ||
         address == kStaticAddress || address == kOtherOutside;
}

const char* error_name(uint8_t type, uint8_t code) {
  if (type == 11) return "left ICMP error of the router 11/0";
  if (code == 4) return "left ICMP error of the router 3/4";
  if (code == 3) return "left ICMP error of the router 3/3";
  return code == 13 ? "left ICMP error of the router 3/13" : "left ICMP error of the router 3/0-1";
}

const char* error6_name(uint8_t type) {
  static constexpr const char* kNames[] = {
      "left ICMPv6 error of the router 1", "left ICMPv6 error of the router 2",
      "left ICMPv6 error of the router 3", "left ICMPv6 error of the router 4"};
  return kNames[(type - 1) & 3];
}

}  // namespace

void Invariants::count_routed(PortName port, Octets frame, const View& view) {
  outcomes_.count(view.family == 4 ? "left routed IPv4" : "left routed IPv6");
  if (view.family == 6 && view.is_part) outcomes_.count("left in parts, IPv6");
  if (view.l4_length() < 8) return;
  const bool own = view.family == 4 ? is_own(load32(&frame[view.l3 + 12]))
                                    : frame[view.l3 + 8 + 15] <= 2 || frame[view.l3 + 8] == 0xFE;
  if (own && view.protocol == (view.family == 4 ? kIcmp : kIcmpv6) && view.is_first()) count_own(frame, view);
  if (view.family == 4) count_translated(port, frame, view);
}

void Invariants::count_own(Octets frame, const View& view) {
  const uint8_t type = frame[view.l4], code = frame[view.l4 + 1];
  if (is_error(view, frame))
    return outcomes_.count(view.family == 4 ? error_name(type, code) : error6_name(type));
  if (view.family == 4 && type == 0) outcomes_.count("left echo reply of the router");
  if (view.family == 6 && type == 129) outcomes_.count("left ICMPv6 echo reply of the router");
  if (view.family == 6 && type == 135) outcomes_.count("left neighbor solicitation");
  if (view.family == 6 && type == 136) outcomes_.count("left neighbor advertisement");
}

void Invariants::count_translated(PortName port, Octets frame, const View& view) {
  const uint32_t source = load32(&frame[view.l3 + 12]), destination = load32(&frame[view.l3 + 16]);
  const bool outside = port == kWan || port == kAlt;
  if (is_error(view, frame) && !view.is_part) {
    const View quote = view_of_ip(frame.first(view.end), view.l4 + 8);
    if (quote.family != 4 || is_own(source)) return;
    const bool about_inside = kInside.has(load32(&frame[quote.l3 + 12]));
    if (outside && is_external(load32(&frame[quote.l3 + 16])))
      outcomes_.count("left ICMP error translated outwards");
    if (!outside && about_inside && !kInside.has(load32(&frame[quote.l3 + 16])))
      outcomes_.count("left ICMP error translated inwards");
    return;
  }
  const bool out = outside && is_external(source) && view.protocol != kIcmp;
  const bool in = !outside && kInside.has(destination) && !kInside.has(source);
  if (out) outcomes_.count("left translated");
  if (in && !is_external(source)) outcomes_.count("left translated back");
  if (in && is_external(source) && !is_own(source)) outcomes_.count("left hairpinned");
  if ((out || in) && view.is_part) outcomes_.count("left in parts that came in parts, translated");
  if (source == kStaticAddress || (in && destination == kStaticHost))
    outcomes_.count("left of a static translation");
  if (!in || view.is_part || (destination != kForwardedHost && destination != kForwardedHosts)) return;
  const uint16_t to = load16(&frame[view.l4 + 2]);
  if (to == 80 || (to >= 5000 && to <= 5009)) outcomes_.count("left of a port forward");
}

}  // namespace sluice::fuzz
