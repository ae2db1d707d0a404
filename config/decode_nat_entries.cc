// SPDX-License-Identifier: BSD-3-Clause
//
// `port-forward` and `static` of a NAT rule.
#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "config/addresses.h"
#include "config/decode_nat.h"
#include "config/keys.h"
#include "config/text.h"

namespace sluice::config {
namespace {

constexpr uint64_t kMaxPort = 65535;

struct Ports {
  uint16_t first = 0;
  uint16_t last = 0;
};

struct ForwardDraft {
  PortForward forward;
  const NatRuleDraft& rule;
  bool has_protocol = false;
  bool has_ports = false;
};

/// Any host but the router itself.
std::optional<IpAddress> read_other_host(const Value& value, const NatRuleDraft& rule) {
  const std::optional<IpAddress> address = read_ipv4_address(value);
  if (!address || !check_host(value, *address)) return std::nullopt;
  return rule.networks.check_not_own(value, *address, nullptr) ? address : std::nullopt;
}

std::optional<Ports> read_ports(const Value& value) {
  const auto range = read_integer_range(value, 1, kMaxPort);
  if (!range) return std::nullopt;
  return Ports{static_cast<uint16_t>(range->first), static_cast<uint16_t>(range->second)};
}

/// Part of what `value` says, at the same place.
Node part_of(const Value& value, std::string_view text) {
  Node part;
  part.kind = Node::Kind::scalar;
  part.location = value.node.location;
  part.text = text;
  return part;
}

/// Reports inside ports that are not as many as the outside ones.
void check_port_count(const Value& value, const ForwardDraft& draft, Ports inside) {
  const PortForward& forward = draft.forward;
  const unsigned count = forward.last - forward.first + 1u;
  const unsigned inside_count = inside.last - inside.first + 1u;
  if (!draft.has_ports || inside_count == count) return;
  const unsigned last = inside.first + count - 1;
  const std::string_view address = value.text().substr(0, value.text().find(':'));
  value.error(concat("'port' has ", count, count == 1 ? " port" : " ports", ", and ", quote(value.text()),
                     " has ", inside_count, ": write ",
                     last > kMaxPort
                         ? "as many here"
                         : concat(address, ":", inside.first, count == 1 ? "" : concat("-", last))));
}

/// `192.168.10.20:80`, `192.168.10.21:5000-5009`, or an address alone for the same ports.
void decode_to(const Value& value, ForwardDraft& draft) {
  constexpr std::string_view expected =
      "an inside address and port like 192.168.10.20:80 or 192.168.10.21:5000-5009";
  const std::string_view text = value.text();
  const bool has_ports = std::count(text.begin(), text.end(), ':') == 1;
  if (!value.is_scalar()) return value.mismatch(expected);
  const Node address_node = part_of(value, has_ports ? text.substr(0, text.find(':')) : text);
  const auto address = read_other_host({value.name, address_node, value.diagnostics}, draft.rule);
  if (address) draft.forward.to = *address;
  draft.forward.to_first = draft.forward.first;
  if (!has_ports) return;
  const Node ports_node = part_of(value, text.substr(text.find(':') + 1));
  Diagnostics unused;  // it would speak of 'to' as if it were a number
  const auto ports = read_ports({value.name, ports_node, unused});
  if (!ports) return value.mismatch(expected);
  draft.forward.to_first = ports->first;
  check_port_count(value, draft, *ports);
}

void decode_external(const Value& value, ForwardDraft& draft) {
  const std::optional<IpAddress> address = read_ipv4_address(value);
  if (!address) return;
  draft.forward.address = address;
  if (draft.rule.is_external(*address)) return;
  value.error(concat(to_text(*address), " is neither in the rule's pool nor an address of interface ",
                     quote(draft.rule.interface->name), ": write one that is, or remove 'address'"));
}

constexpr Key<ForwardDraft> kForwardKeys[] = {
    {"protocol", "tcp or udp",
     [](const Value& value, ForwardDraft& draft) {
       constexpr PortForward::Protocol meanings[] = {PortForward::Protocol::tcp, PortForward::Protocol::udp};
       const auto word = read_word(value, {"tcp", "udp"});
       draft.has_protocol = word.has_value();
       if (word) draft.forward.protocol = meanings[*word];
     }},
    {"port", "the outside port, or a range of them",
     [](const Value& value, ForwardDraft& draft) {
       const std::optional<Ports> ports = read_ports(value);
       draft.has_ports = ports.has_value();
       if (ports) std::tie(draft.forward.first, draft.forward.last) = std::tie(ports->first, ports->last);
     }},
    {"to", "the inside address, and the port there", decode_to},
    {"address", "the outside address; by default all of the rule", decode_external},
};

/// Reports a forward that has no outside address, as its rule has none and its interface neither.
void check_has_external(const Value& value, const ForwardDraft& draft) {
  const NatRuleDraft& rule = draft.rule;
  const bool has_pool = !rule.rule.pool.empty() || rule.is_address_in_error;
  if (value.node.find("address") || rule.rule.masquerade || has_pool || !rule.lacks_ipv4()) return;
  value.error(concat("interface ", quote(rule.interface->name),
                     " has no IPv4 address to forward from: add one there"));
}

std::optional<PortForward> decode_forward(const Value& value, const NatRuleDraft& rule) {
  ForwardDraft draft{{}, rule};
  draft.forward.location = value.node.location;
  if (!decode_keys(value, kForwardKeys, draft)) return std::nullopt;
  for (const std::string_view key : {"protocol", "port", "to"}) {
    require_key(value.node, key, value.node.location, "this port forward", value.diagnostics);
  }
  check_has_external(value, draft);
  if (!draft.has_protocol || !draft.has_ports) return std::nullopt;
  return draft.forward;
}

struct StaticDraft {
  StaticNat entry;
  NatRuleDraft& rule;
};

/// Takes `address` for the entry at `value`, unless another has it.
void claim(const Value& value, const IpAddress& address, std::map<IpAddress, int>& line_of) {
  const auto [first, is_new] = line_of.emplace(address, value.node.location.line);
  if (is_new) return;
  value.error(concat(to_text(address), " is the ", value.name, " of an entry in line ", first->second,
                     " already: write each address once"));
}

constexpr Key<StaticDraft> kStaticKeys[] = {
    {"inside", "the address of the inside host",
     [](const Value& value, StaticDraft& draft) {
       const std::optional<IpAddress> address = read_other_host(value, draft.rule);
       if (!address) return;
       draft.entry.inside = *address;
       claim(value, *address, draft.rule.holdings.static_insides);
     }},
    {"outside", "its outside address",
     [](const Value& value, StaticDraft& draft) {
       const std::optional<IpAddress> address = read_other_host(value, draft.rule);
       if (!address) return;
       draft.entry.outside = *address;
       claim(value, *address, draft.rule.holdings.static_outsides);
     }},
};

using Protocol = PortForward::Protocol;

/// The line that forwards each outside port of each `Outside`.
template <class Outside>
using ForwardedPorts = Ranges<std::tuple<Outside, Protocol, uint16_t>, int>;

/// \return the line that forwards any of the ports of `forward` on `outside`; 0: none does.
template <class Outside>
int find_line(const ForwardedPorts<Outside>& taken, const Outside& outside, const PortForward& forward) {
  const int* line =
      taken.find({outside, forward.protocol, forward.first}, {outside, forward.protocol, forward.last});
  return line ? *line : 0;
}

/// Takes the ports of `forward` on `outside`; those that `line` forwards are taken already.
template <class Outside>
void claim_ports(ForwardedPorts<Outside>& taken, const Outside& outside, const PortForward& forward, int line,
                 Diagnostics& diagnostics) {
  if (line == 0) {
    taken.add({outside, forward.protocol, forward.first}, {outside, forward.protocol, forward.last},
              forward.location.line);
    return;
  }
  const std::string_view protocol = forward.protocol == Protocol::tcp ? "tcp port " : "udp port ";
  const std::string ports =
      forward.first == forward.last ? concat(forward.first) : concat(forward.first, "-", forward.last);
  diagnostics.error(forward.location, concat(protocol, ports, " is forwarded in line ", line,
                                             " already: forward each port of an outside address once"));
}

/// The one outside address of `forward`; nothing if it is for a whole pool, or an error hides it.
std::optional<IpAddress> single_external(const PortForward& forward, const NatRuleDraft& draft) {
  if (forward.address) return forward.address;
  if (!draft.rule.pool.empty() || draft.is_address_in_error || !draft.interface) return std::nullopt;
  const InterfaceAddress* own = first_ipv4(*draft.interface);
  return own ? std::optional(own->address) : std::nullopt;
}

/// Forwards for a whole pool first, as one entry a pool: one for each of its addresses would make a product
/// of the pool's size and the forwards'. Then those of single addresses, which may be in a pool.
void check_forwards(const std::vector<NatRuleDraft>& drafts, Diagnostics& diagnostics) {
  ForwardedPorts<const NatRuleDraft*> of_pool;
  ForwardedPorts<IpAddress> of_address;
  for (const NatRuleDraft& draft : drafts) {
    for (const PortForward& forward : draft.rule.port_forwards) {
      if (forward.address || draft.rule.pool.empty()) continue;
      claim_ports(of_pool, &draft, forward, find_line(of_pool, &draft, forward), diagnostics);
    }
  }
  for (const NatRuleDraft& draft : drafts) {
    for (const PortForward& forward : draft.rule.port_forwards) {
      const std::optional<IpAddress> address = single_external(forward, draft);
      if (!address) continue;
      int line = find_line(of_address, *address, forward);
      if (line == 0 && draft.is_in_pool(*address)) line = find_line(of_pool, &draft, forward);
      claim_ports(of_address, *address, forward, line, diagnostics);
    }
  }
}

void check_statics(const std::vector<NatRuleDraft>& drafts, Diagnostics& diagnostics) {
  for (const NatRuleDraft& draft : drafts) {
    for (const StaticNat& entry : draft.rule.statics) {
      const int* line = draft.holdings.pools.find(entry.outside, entry.outside);
      if (!line) continue;
      diagnostics.error(entry.location,
                        concat("'outside' ", to_text(entry.outside), " is in the pool in line ", *line,
                               ": write each outside address once"));
    }
  }
}

}  // namespace

void decode_port_forwards(const Value& value, NatRuleDraft& draft) {
  if (!value.is_list() || value.node.items.empty()) {
    return value.mismatch("a list of entries like { protocol: tcp, port: 8080, to: \"192.168.10.20:80\" }");
  }
  for (size_t i = 0; i < value.node.items.size(); ++i) {
    const std::optional<PortForward> forward = decode_forward(value.item(i), draft);
    if (forward) draft.rule.port_forwards.push_back(*forward);
  }
}

void decode_statics(const Value& value, NatRuleDraft& draft) {
  if (!value.is_list() || value.node.items.empty()) {
    return value.mismatch("a list of entries like { inside: 192.168.10.30, outside: 203.0.113.20 }");
  }
  for (size_t i = 0; i < value.node.items.size(); ++i) {
    const Value item = value.item(i);
    StaticDraft entry{{{}, {}, item.node.location}, draft};
    if (!decode_keys(item, kStaticKeys, entry)) continue;
    for (const std::string_view key : {"inside", "outside"}) {
      require_key(item.node, key, item.node.location, "this entry", item.diagnostics);
    }
    draft.rule.statics.push_back(entry.entry);
  }
}

void check_nat_entries(const std::vector<NatRuleDraft>& drafts, Diagnostics& diagnostics) {
  check_forwards(drafts, diagnostics);
  check_statics(drafts, diagnostics);
}

}  // namespace sluice::config
