// SPDX-License-Identifier: BSD-3-Clause
//
// The `nat` section: its rules, with their sources and outside addresses. For port forwards and 1:1 entries
// see decode_nat_entries.cc.
#include "config/decode_nat.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "config/addresses.h"
#include "config/decode.h"
#include "config/keys.h"
#include "config/text.h"

namespace sluice::config {
namespace {

constexpr size_t kMaxName = 31;
constexpr size_t kMaxPoolAddresses = 1024;
constexpr uint32_t kMaxTimeout_s = 7 * 24 * 3600;

void decode_name(const Value& value, NatRuleDraft& draft) {
  const std::optional<std::string> name = read_text(value);
  if (!name) return;
  check_name(value.node, kMaxName, value.diagnostics);
  draft.rule.name = *name;
}

void decode_interface(const Value& value, NatRuleDraft& draft) {
  draft.interface = draft.networks.read_interface(value);
  if (draft.interface) draft.rule.interface = draft.interface->name;
}

void decode_prefixes(const Value& value, std::vector<Prefix>& prefixes) {
  if (!value.is_list()) return value.mismatch("a list of prefixes like [192.168.10.0/24]");
  for (size_t i = 0; i < value.node.items.size(); ++i) {
    if (const std::optional<Prefix> prefix = read_ipv4_prefix(value.item(i))) prefixes.push_back(*prefix);
  }
}

void decode_source(const Value& value, NatRuleDraft& draft) {
  if (value.is_list() && value.node.items.empty()) {
    return value.mismatch("a list of at least one prefix like [192.168.10.0/24]");
  }
  decode_prefixes(value, draft.rule.source);
}

/// \return whether the rule may have `range` in its pool.
bool check_range(const Value& value, const NatRule::Range& range, const NatRuleDraft& draft) {
  const std::string text = to_text(range);
  if (const Interface* own = draft.networks.find_own(range.first, range.last)) {
    value.error(concat(text, " holds the router's own address on interface ", quote(own->name),
                       ": leave that out, or write 'address: interface'"));
    return false;
  }
  const int* line = draft.holdings.pools.find(range.first, range.last);
  if (!line) return true;
  value.error(concat(text, " overlaps with the pool in line ", *line, ": write each outside address once"));
  return false;
}

void count_addresses(const Value& value, const NatRule::Range& range, NatHoldings& holdings) {
  const size_t before = holdings.pool_addresses;
  holdings.pool_addresses += size_t{ipv4_number(range.last)} - ipv4_number(range.first) + 1;
  if (before > kMaxPoolAddresses || holdings.pool_addresses <= kMaxPoolAddresses) return;
  value.error(concat("more than ", kMaxPoolAddresses, " addresses in the pools of all rules: write fewer"));
}

void decode_pool_range(const Value& value, NatRuleDraft& draft) {
  const std::optional<NatRule::Range> range = read_ipv4_range(value);
  if (!range || !check_range(value, *range, draft)) {
    draft.is_address_in_error = true;
    return;
  }
  count_addresses(value, *range, draft.holdings);
  draft.holdings.pools.add(range->first, range->last, value.node.location.line);
  draft.rule.pool.push_back(*range);
}

void decode_address(const Value& value, NatRuleDraft& draft) {
  draft.rule.masquerade = value.is_scalar() && value.text() == "interface";
  if (draft.rule.masquerade) return;
  if (!value.is_list() || value.node.items.empty()) {
    draft.is_address_in_error = true;
    return value.mismatch("'interface' or a list of addresses like [203.0.113.10-203.0.113.13]");
  }
  for (size_t i = 0; i < value.node.items.size(); ++i) decode_pool_range(value.item(i), draft);
}

void decode_ports(const Value& value, NatRuleDraft& draft) {
  const auto range = read_integer_range(value, 1, 65535);
  if (!range) return;
  draft.rule.port_min = static_cast<uint16_t>(range->first);
  draft.rule.port_max = static_cast<uint16_t>(range->second);
}

void decode_mapping(const Value& value, NatRuleDraft& draft) {
  using Mapping = NatRule::Mapping;
  constexpr Mapping meanings[] = {Mapping::endpoint_independent, Mapping::address_and_port_dependent};
  const auto word = read_word(value, {"endpoint-independent", "address-and-port-dependent"});
  if (word) draft.rule.mapping = meanings[*word];
}

void decode_filtering(const Value& value, NatRuleDraft& draft) {
  using Filtering = NatRule::Filtering;
  constexpr Filtering meanings[] = {Filtering::endpoint_independent, Filtering::address_dependent,
                                    Filtering::address_and_port_dependent};
  const auto word =
      read_word(value, {"endpoint-independent", "address-dependent", "address-and-port-dependent"});
  if (word) draft.rule.filtering = meanings[*word];
}

/// Shorter than `least_s` is allowed, but `source` says otherwise.
void decode_timeout(const Value& value, uint32_t& timeout_s, uint32_t least_s, std::string_view source) {
  const std::optional<uint32_t> seconds = read_seconds(value, 1, kMaxTimeout_s);
  store(seconds, timeout_s);
  if (!seconds || *seconds >= least_s) return;
  value.diagnostics.warning(value.node.location,
                            concat("'", value.name, "' is below the ", least_s, "s that ", source,
                                   " asks for: connections that pause for longer will break"));
}

constexpr Key<NatRule::Timeouts> kTimeoutKeys[] = {
    {"udp", "of a UDP mapping",
     [](const Value& value, NatRule::Timeouts& timeouts) {
       decode_timeout(value, timeouts.udp_s, 120, "RFC 4787 REQ-5");
     }},
    {"icmp", "of an ICMP query",
     [](const Value& value, NatRule::Timeouts& timeouts) {
       decode_timeout(value, timeouts.icmp_s, 60, "RFC 5508 REQ-2");
     }},
    {"tcp-established", "of an open TCP connection",
     [](const Value& value, NatRule::Timeouts& timeouts) {
       decode_timeout(value, timeouts.tcp_established_s, 7440, "RFC 5382 REQ-5");
     }},
    {"tcp-transitory", "of a TCP connection that opens or closes",
     [](const Value& value, NatRule::Timeouts& timeouts) {
       decode_timeout(value, timeouts.tcp_transitory_s, 240, "RFC 5382 REQ-5");
     }},
    {"port-hold-down", "until another host gets a port that was used"},
};

constexpr Key<NatRuleDraft> kKeys[] = {
    {"name", "what counters and explain call the rule", decode_name},
    {"interface", "the outside interface", decode_interface},
    {"source", "the inside networks that are translated", decode_source},
    {"address", "the outside addresses: interface, or a pool", decode_address},
    {"ports", "the outside ports", decode_ports},
    {"mapping", "when an inside port keeps its outside port", decode_mapping},
    {"filtering", "who may answer to an outside port", decode_filtering},
    {"hairpinning", "inside hosts reach each other by their outside addresses",
     [](const Value& value, NatRuleDraft& draft) { store(read_boolean(value), draft.rule.hairpinning); }},
    {"exempt", "destinations that are not translated",
     [](const Value& value, NatRuleDraft& draft) { decode_prefixes(value, draft.rule.exempt); }},
    {"timeouts", "how long silent sessions are kept",
     [](const Value& value, NatRuleDraft& draft) { decode_keys(value, kTimeoutKeys, draft.rule.timeouts); }},
    {"port-forward", "outside ports that lead to inside hosts", decode_port_forwards},
    {"static", "outside addresses that are inside hosts", decode_statics},
    {"limits", "of sessions"},
    {"log", "where sessions are logged"},
};

/// Reports keys that do not go together, or are too few.
void check_rule_keys(const Value& value) {
  const Node& node = value.node;
  for (const std::string_view key : {"name", "interface"}) {
    require_key(node, key, node.location, "this rule", value.diagnostics);
  }
  const Node* source = node.find("source");
  const Node* address = node.find("address");
  if (source && !address) {
    value.diagnostics.error(
        source->location, "'source' needs an 'address' to translate to: add 'address: interface', or a pool");
  } else if (address && !source) {
    value.diagnostics.error(address->location,
                            "'address' needs a 'source' to translate: add it, like [192.168.10.0/24]");
  } else if (!source && !node.find("port-forward") && !node.find("static")) {
    value.error("this rule does nothing: add 'source' and 'address', 'port-forward' or 'static'");
  }
}

void check_interface(const Value& value, const NatRuleDraft& draft) {
  const Node* address = value.node.find("address");
  if (!address || !draft.rule.masquerade || !draft.lacks_ipv4()) return;
  value.diagnostics.error(address->location,
                          concat("interface ", quote(draft.interface->name),
                                 " has no IPv4 address: add one there, or write a pool here"));
}

NatRuleDraft decode_rule(const Value& value, const Networks& networks, NatHoldings& holdings) {
  NatRuleDraft draft{{}, value.node, networks, holdings};
  draft.rule.location = value.node.location;
  if (!decode_keys(value, kKeys, draft)) return draft;
  check_rule_keys(value);
  check_interface(value, draft);
  return draft;
}

void check_names_differ(const std::vector<NatRuleDraft>& drafts, Diagnostics& diagnostics) {
  std::map<std::string_view, int> line_of;
  for (const NatRuleDraft& draft : drafts) {
    if (draft.rule.name.empty()) continue;
    const Location location = draft.node.find("name")->location;
    const auto [first, is_new] = line_of.emplace(draft.rule.name, location.line);
    if (is_new) continue;
    diagnostics.error(location, concat("rule ", quote(draft.rule.name), " is in line ", first->second,
                                       " already: write another name"));
  }
}

}  // namespace

const InterfaceAddress* first_ipv4(const Interface& interface) {
  for (const InterfaceAddress& own : interface.addresses) {
    if (own.address.is_ipv4() && own.length != 0) return &own;
  }
  return nullptr;
}

bool NatRuleDraft::lacks_ipv4() const {
  return interface && !is_in_error(*interface) && !first_ipv4(*interface);
}

bool NatRuleDraft::is_in_pool(const IpAddress& address) const {
  return std::any_of(rule.pool.begin(), rule.pool.end(), [&](const NatRule::Range& range) {
    return range.first <= address && address <= range.last;
  });
}

bool NatRuleDraft::is_external(const IpAddress& address) const {
  if (!interface || is_in_error(*interface) || is_address_in_error) return true;
  return networks.find_own(address, address) == interface || is_in_pool(address);
}

void decode_nat(const Value& value, Config& config) {
  if (!value.is_list()) {
    return value.mismatch(
        "a list of rules like { name: internet, interface: uplink, source: [192.168.10.0/24], "
        "address: interface }");
  }
  const Networks networks(config.interfaces);
  NatHoldings holdings;
  std::vector<NatRuleDraft> drafts;
  for (size_t i = 0; i < value.node.items.size(); ++i) {
    drafts.push_back(decode_rule(value.item(i), networks, holdings));
  }
  check_names_differ(drafts, value.diagnostics);
  check_nat_entries(drafts, value.diagnostics);
  for (NatRuleDraft& draft : drafts) config.nat.push_back(std::move(draft.rule));
}

}  // namespace sluice::config
