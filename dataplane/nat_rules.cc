// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat_rules.h"

#include <algorithm>
#include <tuple>

namespace sluice::dataplane {
namespace {

bool any_holds(const std::vector<Ipv4Prefix>& prefixes, uint32_t first, uint32_t count, Ip4 address) {
  const auto begin = prefixes.begin() + first;
  return std::any_of(begin, begin + count, [&](const Ipv4Prefix& prefix) { return prefix.holds(address); });
}

// External ports belong to one forward each: the last one that begins at or before the port, if it reaches
// that far.
const PortForwardRule* forward_of(const std::vector<PortForwardRule>& rules, Ip4 external, uint8_t protocol,
                                  uint16_t port) {
  const std::tuple wanted(external, protocol, port);
  const auto after =
      std::upper_bound(rules.begin(), rules.end(), wanted, [](const auto& value, const auto& rule) {
        return value < std::tuple(rule.external, rule.protocol, rule.first);
      });
  if (after == rules.begin()) return nullptr;
  const PortForwardRule& rule = *std::prev(after);
  return rule.external == external && rule.protocol == protocol && port <= rule.last ? &rule : nullptr;
}

// Lamping and Veach's jump consistent hash: when a pool grows by one address only 1/n of the hosts move.
uint32_t jump_hash(uint64_t key, uint32_t buckets) {
  int64_t bucket = -1, next = 0;
  while (next < buckets) {
    bucket = next;
    key = key * 2862933555777941757ULL + 1;
    next = static_cast<int64_t>(static_cast<double>(bucket + 1) *
                                (2147483648.0 / static_cast<double>((key >> 33) + 1)));
  }
  return static_cast<uint32_t>(bucket);
}

}  // namespace

const ExternalAddress* NatRules::external(Ip4 address) const {
  const auto found =
      std::lower_bound(externals.begin(), externals.end(), address,
                       [](const ExternalAddress& external, Ip4 wanted) { return external.address < wanted; });
  return found != externals.end() && found->address == address ? &*found : nullptr;
}

bool NatRules::inside_of(Ip4 address, uint8_t protocol, uint16_t port, InsideEndpoint& inside) const {
  if (const PortForwardRule* forward = forward_of(forwards, address, protocol, port)) {
    const auto offset = static_cast<uint16_t>(port - forward->first);
    inside = {forward->to, static_cast<uint16_t>(forward->to_first + offset), forward->rule};
    return true;
  }
  const auto found =
      std::lower_bound(statics.begin(), statics.end(), address,
                       [](const StaticNatRule& rule, Ip4 wanted) { return rule.outside < wanted; });
  if (found == statics.end() || found->outside != address) return false;
  inside = {found->inside, port, found->rule};
  return true;
}

bool NatRules::is_forwarded(Ip4 address, uint8_t protocol, uint16_t port) const {
  return forward_of(forwards, address, protocol, port) != nullptr;
}

SourceDecision NatRules::source(Ip4 source, uint8_t protocol, uint16_t port, Ip4 destination,
                                InterfaceIndex egress) const {
  const auto fixed =
      std::lower_bound(statics_by_inside.begin(), statics_by_inside.end(), source,
                       [](const StaticNatRule& rule, Ip4 wanted) { return rule.inside < wanted; });
  for (auto rule = fixed; rule != statics_by_inside.end() && rule->inside == source; ++rule) {
    if (rules[rule->rule].interface == egress)
      return {SourceAction::fixed, rule->rule, true, false, rule->outside, port};
  }
  SourceDecision decision;
  for (size_t index = 0; index < rules.size(); ++index) {
    const NatRule& rule = rules[index];
    if (rule.interface != egress || rule.externals == 0 || !covers(rule, source)) continue;
    decision = {SourceAction::pool, static_cast<uint16_t>(index), true, false, 0, port};
    if (exempts(rule, destination)) {
      decision.action = SourceAction::keep;
      decision.exempt = true;
      return decision;
    }
    break;
  }
  if (const PortForwardRule* forward = forward_from(source, protocol, port, egress)) {
    const auto offset = static_cast<uint16_t>(port - forward->to_first);
    return {SourceAction::fixed,
            forward->rule,
            true,
            false,
            forward->external,
            static_cast<uint16_t>(forward->first + offset)};
  }
  return decision;
}

// Several may lead to one inside port: from each uplink, or one of a range by another external port too.
const PortForwardRule* NatRules::forward_from(Ip4 inside, uint8_t protocol, uint16_t port,
                                              InterfaceIndex egress) const {
  const std::pair host(inside, protocol);
  auto rule = std::lower_bound(forwards_by_inside.begin(), forwards_by_inside.end(), host,
                               [](const auto& candidate, const auto& wanted) {
                                 return std::pair(candidate.to, candidate.protocol) < wanted;
                               });
  for (; rule != forwards_by_inside.end() && std::pair(rule->to, rule->protocol) == host; ++rule) {
    const bool holds = port >= rule->to_first && port - rule->to_first <= rule->last - rule->first;
    if (holds && rules[rule->rule].interface == egress) return &*rule;
  }
  return nullptr;
}

bool NatRules::covers(const NatRule& rule, Ip4 source) const {
  return any_holds(prefixes, rule.first_source, rule.sources, source);
}

bool NatRules::exempts(const NatRule& rule, Ip4 destination) const {
  return any_holds(prefixes, rule.first_exempt, rule.exempts, destination);
}

bool NatRules::is_inside(Ip4 source) const {
  const auto fixed =
      std::lower_bound(statics_by_inside.begin(), statics_by_inside.end(), source,
                       [](const StaticNatRule& rule, Ip4 wanted) { return rule.inside < wanted; });
  if (fixed != statics_by_inside.end() && fixed->inside == source) return true;
  const auto forward =
      std::lower_bound(forwards_by_inside.begin(), forwards_by_inside.end(), source,
                       [](const PortForwardRule& rule, Ip4 wanted) { return rule.to < wanted; });
  if (forward != forwards_by_inside.end() && forward->to == source) return true;
  return std::any_of(rules.begin(), rules.end(), [&](const NatRule& rule) { return covers(rule, source); });
}

bool NatRules::hidden(Ip4 source, Ip4 destination, InterfaceIndex ingress) const {
  return std::any_of(rules.begin(), rules.end(), [&](const NatRule& rule) {
    return rule.interface == ingress && covers(rule, destination) && !exempts(rule, source);
  });
}

bool NatRules::in_pool(const NatRule& rule, Ip4 address) const {
  const auto begin = pools.begin() + rule.first_external;
  return std::any_of(begin, begin + rule.externals,
                     [&](const ExternalAddress& external) { return external.address == address; });
}

const ExternalAddress& NatRules::paired(const NatRule& rule, uint64_t hash) const {
  return pools[rule.first_external + (rule.externals == 1 ? 0 : jump_hash(hash, rule.externals))];
}

}  // namespace sluice::dataplane
