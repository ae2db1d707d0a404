// SPDX-License-Identifier: BSD-3-Clause
//
// The addresses that we answer for on each interface and the networks that they connect to: who asks for us,
// who is on the link, who claims what is ours; and their announcement when they are new.
//
// A new IPv4 address is announced at once (RFC 5227 section 2.3). For a new IPv6 address one probe goes out
// (RFC 4862 section 5.4), and a second later, if nobody else has it, its announcement (RFC 4861 7.2.6). It is
// used meanwhile: a router that is silent for a second after each start would lose what it is asked to
// route. A duplicate that shows itself in that second is logged, and the address is not answered for.
//
// Thread safety: none; the control thread's.
// Owner:         Neighbors.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "control/ip_address.h"
#include "control/l3_interface.h"

namespace sluice::control {

/// IPv4 addresses beside the interface's own that it answers ARP for: a NAT rule's outside addresses.
struct AnsweredRange {
  dataplane::InterfaceIndex interface = 0;
  dataplane::Ip4 first = 0, last = 0;
  auto operator<=>(const AnsweredRange&) const = default;
};

class OwnAddresses {
 public:
  using Send = std::function<void(dataplane::InterfaceIndex, std::vector<uint8_t>)>;
  /// An interface and an address on it.
  using Place = std::pair<dataplane::InterfaceIndex, IpAddress>;

  explicit OwnAddresses(Send send) : send_(std::move(send)) {}

  /// Replaces all interfaces; announces what is new, or has a new MAC.
  void set_interfaces(std::span<const L3Interface> interfaces, uint64_t now_ns);
  /// Replaces all ranges; announces what is new, unless it is more than 256 addresses.
  void set_answered(std::vector<AnsweredRange> ranges);
  /// Announces all addresses of an interface once more: it took over from another router.
  void announce(dataplane::InterfaceIndex interface);

  [[nodiscard]] const L3Interface* interface(dataplane::InterfaceIndex index) const;
  /// Ours on this interface, a duplicate too.
  [[nodiscard]] bool is_own(dataplane::InterfaceIndex interface, const IpAddress& address) const;
  /// To be answered for on this interface.
  [[nodiscard]] bool answers(dataplane::InterfaceIndex interface, const IpAddress& address) const;
  /// New, and perhaps somebody else's: probed for one second.
  [[nodiscard]] bool is_tentative(dataplane::InterfaceIndex interface, const IpAddress& address) const {
    return tentative_.contains({interface, address});
  }
  /// Whether `address` can be a neighbor's on this interface: in one of its networks, and not ours, a
  /// network's, a broadcast or a multicast address.
  [[nodiscard]] bool is_on_link(dataplane::InterfaceIndex interface, const IpAddress& address) const;
  /// Our address to ask for `target` from: the one in its network, else the first of its family.
  [[nodiscard]] std::optional<IpAddress> source_for(dataplane::InterfaceIndex interface,
                                                    const IpAddress& target) const;

  /// Somebody else claims an address of ours: logged, at most once in ten seconds for each address (RFC 5227
  /// section 2.4 has the same interval). A tentative one is given up.
  void conflict(dataplane::InterfaceIndex interface, const IpAddress& address, dataplane::Mac48 claimant,
                uint64_t now_ns);
  [[nodiscard]] uint64_t conflicts() const { return conflicts_; }
  [[nodiscard]] uint64_t conflicts_logged() const { return conflicts_logged_; }

  void advance(uint64_t now_ns);
  [[nodiscard]] std::optional<uint64_t> next_due() const;

 private:
  void announce(const L3Interface& interface, const IpAddress& address);
  void begin(const L3Interface& interface, const IpAddress& address, uint64_t now_ns);
  void forget_old();
  [[nodiscard]] bool in_range(dataplane::InterfaceIndex interface, const IpAddress& address) const;

  Send send_;
  std::map<dataplane::InterfaceIndex, L3Interface> interfaces_;
  std::set<AnsweredRange> ranges_;
  std::map<Place, uint64_t> tentative_;  ///< IPv6 addresses that are probed, and until when
  std::set<Place> duplicates_;
  std::map<Place, uint64_t> logged_ns_;  ///< when a conflict was logged last
  uint64_t conflicts_ = 0, conflicts_logged_ = 0;
};

}  // namespace sluice::control
