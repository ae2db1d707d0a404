// SPDX-License-Identifier: BSD-3-Clause
#include "control/nat_plan.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "control/config_json.h"
#include "dataplane/route_table.h"

namespace sluice::control {
namespace {

using dataplane::Ip4;
using dataplane::NatRules;

constexpr uint32_t kMilliseconds = 1000;

const config::Interface* find(const config::Config& config, const std::string& name) {
  const auto found = std::find_if(config.interfaces.begin(), config.interfaces.end(),
                                  [&](const auto& interface) { return interface.name == name; });
  return found == config.interfaces.end() ? nullptr : &*found;
}

// The interface's first IPv4 address; 0: it has none.
Ip4 own_address(const config::Config& config, const config::NatRule& rule) {
  const config::Interface* interface = find(config, rule.interface);
  if (interface == nullptr) return 0;
  const auto first = std::find_if(interface->addresses.begin(), interface->addresses.end(),
                                  [](const auto& own) { return own.address.is_ipv4(); });
  return first == interface->addresses.end() ? 0 : to_ip4(first->address);
}

std::vector<Ip4> pool_of(const config::Config& config, const config::NatRule& rule) {
  std::vector<Ip4> pool;
  if (rule.masquerade) pool.push_back(own_address(config, rule));
  for (const config::NatRule::Range& range : rule.pool) {
    for (uint64_t address = to_ip4(range.first); address <= to_ip4(range.last); ++address)
      pool.push_back(static_cast<Ip4>(address));
  }
  return pool;
}

// The external addresses of a port forward: its own, or all of its rule.
std::vector<Ip4> addresses_of(const config::Config& config, const config::NatRule& rule,
                              const config::PortForward& forward) {
  if (forward.address) return {to_ip4(*forward.address)};
  std::vector<Ip4> pool = pool_of(config, rule);
  if (pool.empty()) pool.push_back(own_address(config, rule));
  return pool;
}

std::set<Ip4> externals_of(const config::Config& config, const config::NatRule& rule) {
  std::set<Ip4> all;
  for (const Ip4 address : pool_of(config, rule)) all.insert(address);
  for (const config::PortForward& forward : rule.port_forwards) {
    for (const Ip4 address : addresses_of(config, rule, forward)) all.insert(address);
  }
  for (const config::StaticNat& one : rule.statics) all.insert(to_ip4(one.outside));
  return all;
}

dataplane::Ipv4Prefix prefix_of(const config::Prefix& prefix) {
  return {to_ip4(prefix.address), dataplane::prefix_mask<Ip4>(prefix.length)};
}

dataplane::NatRule::Mapping mapping_of(config::NatRule::Mapping mapping) {
  using From = config::NatRule::Mapping;
  using To = dataplane::NatRule::Mapping;
  return mapping == From::endpoint_independent ? To::endpoint_independent : To::address_and_port_dependent;
}

dataplane::NatRule::Filtering filtering_of(config::NatRule::Filtering filtering) {
  using From = config::NatRule::Filtering;
  using To = dataplane::NatRule::Filtering;
  if (filtering == From::endpoint_independent) return To::endpoint_independent;
  return filtering == From::address_dependent ? To::address_dependent : To::address_and_port_dependent;
}

}  // namespace

size_t external_addresses(const config::Config& config) {
  std::set<Ip4> all;
  for (const config::NatRule& rule : config.nat) all.merge(externals_of(config, rule));
  return all.size();
}

/// One snapshot's rules while they are put together.
struct NatPlan::Builder {
  NatPlan& plan;
  const config::Config& config;
  const InterfaceTable& interfaces;
  const dataplane::NatArena& arena;
  NatRules rules{};

  void add(const config::NatRule& from);
  void add_prefixes(const std::vector<config::Prefix>& from, uint32_t& first, uint32_t& count);
  void add_forward(const config::NatRule& rule, const config::PortForward& from, uint16_t index);
  dataplane::ExternalAddress external(Ip4 address, const config::NatRule& rule);
  void sort();
};

void NatPlan::Builder::add_prefixes(const std::vector<config::Prefix>& from, uint32_t& first,
                                    uint32_t& count) {
  first = static_cast<uint32_t>(rules.prefixes.size());
  count = static_cast<uint32_t>(from.size());
  for (const config::Prefix& prefix : from) rules.prefixes.push_back(prefix_of(prefix));
}

dataplane::ExternalAddress NatPlan::Builder::external(Ip4 address, const config::NatRule& rule) {
  const bool own = std::any_of(interfaces.all().begin(), interfaces.all().end(), [&](const auto& interface) {
    return std::any_of(interface.ipv4.begin(), interface.ipv4.end(),
                       [&](const auto& candidate) { return candidate.address == address; });
  });
  return {address, plan.slot_of(address, arena), own, interfaces.index(rule.interface)};
}

void NatPlan::Builder::add_forward(const config::NatRule& rule, const config::PortForward& from,
                                   uint16_t index) {
  for (const Ip4 address : addresses_of(config, rule, from)) {
    const dataplane::PortForwardRule forward{
        address, static_cast<uint8_t>(from.protocol), from.first, from.last, to_ip4(from.to), from.to_first,
        index};
    rules.forwards.push_back(forward);
    // One inside endpoint leaves by one external one: that of the first address.
    if (address == addresses_of(config, rule, from).front()) rules.forwards_by_inside.push_back(forward);
  }
}

void NatPlan::Builder::add(const config::NatRule& from) {
  const auto index = static_cast<uint16_t>(rules.rules.size());
  dataplane::NatRule rule;
  rule.interface = interfaces.index(from.interface);
  rule.scope = plan.scope_of(from.name);
  add_prefixes(from.source, rule.first_source, rule.sources);
  add_prefixes(from.exempt, rule.first_exempt, rule.exempts);
  rule.first_external = static_cast<uint32_t>(rules.pools.size());
  for (const Ip4 address : pool_of(config, from)) rules.pools.push_back(external(address, from));
  rule.externals = static_cast<uint32_t>(rules.pools.size()) - rule.first_external;
  rule.port_min = from.port_min;
  rule.port_max = from.port_max;
  rule.mapping = mapping_of(from.mapping);
  rule.filtering = filtering_of(from.filtering);
  rule.hairpinning = from.hairpinning;
  const config::NatRule::Timeouts& timeouts = from.timeouts;
  rule.timeout_ms = {timeouts.udp_s * kMilliseconds, timeouts.icmp_s * kMilliseconds,
                     timeouts.tcp_established_s * kMilliseconds, timeouts.tcp_transitory_s * kMilliseconds};
  rules.rules.push_back(rule);
  for (const Ip4 address : externals_of(config, from)) rules.externals.push_back(external(address, from));
  for (const config::PortForward& forward : from.port_forwards) add_forward(from, forward, index);
  for (const config::StaticNat& one : from.statics) {
    rules.statics.push_back({to_ip4(one.outside), to_ip4(one.inside), index});
    rules.statics_by_inside.push_back(rules.statics.back());
  }
  if (rules.is_outside.size() <= rule.interface) rules.is_outside.resize(rule.interface + 1u);
  rules.is_outside[rule.interface] = 1;
}

void NatPlan::Builder::sort() {
  const auto by = [](auto& list, auto key) {
    std::stable_sort(list.begin(), list.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  };
  by(rules.externals, [](const auto& external) { return external.address; });
  const auto same = [](const auto& a, const auto& b) { return a.address == b.address; };
  rules.externals.erase(std::unique(rules.externals.begin(), rules.externals.end(), same),
                        rules.externals.end());
  by(rules.forwards, [](const auto& rule) { return std::tuple(rule.external, rule.protocol, rule.first); });
  by(rules.forwards_by_inside,
     [](const auto& rule) { return std::tuple(rule.to, rule.protocol, rule.to_first); });
  by(rules.statics, [](const auto& rule) { return rule.outside; });
  by(rules.statics_by_inside, [](const auto& rule) { return rule.inside; });
}

bool NatPlan::has_room(const config::Config& config, const dataplane::NatArena& arena) const {
  std::set<Ip4> all;
  for (const config::NatRule& rule : config.nat) all.merge(externals_of(config, rule));
  const dataplane::NatTables tables = arena.tables(0);
  for (const auto& [address, slot] : slot_by_address_) {
    if (wanted_.contains(address) || !tables.ports.is_unused(slot)) all.insert(address);
  }
  return all.size() <= slots_;
}

NatRules NatPlan::build(const config::Config& config, const InterfaceTable& interfaces,
                        const dataplane::NatArena& arena) {
  std::set<Ip4> wanted;
  for (const config::NatRule& rule : config.nat) wanted.merge(externals_of(config, rule));
  // A slot may go to another address when neither this snapshot nor the last names its own, and no worker has
  // a port of it any more.
  const dataplane::NatTables tables = arena.tables(0);
  std::erase_if(slot_by_address_, [&](const auto& item) {
    return !wanted.contains(item.first) && !wanted_.contains(item.first) &&
           tables.ports.is_unused(item.second);
  });
  wanted_ = std::move(wanted);
  Builder builder{*this, config, interfaces, arena};
  for (const config::NatRule& rule : config.nat) {
    if (interfaces.find(rule.interface) != nullptr) builder.add(rule);
  }
  builder.sort();
  std::string now = to_json(config)["nat"].dump();
  for (const L3Interface& interface : interfaces.all()) {
    absl::StrAppend(&now, "|", interface.name, "=", interface.index);
    for (const auto& own : interface.ipv4) absl::StrAppend(&now, ",", own.address);
  }
  if (now != last_) ++generation_;
  last_ = std::move(now);
  builder.rules.generation = generation_;
  return std::move(builder.rules);
}

uint16_t NatPlan::slot_of(Ip4 address, const dataplane::NatArena& arena) {
  if (const auto known = slot_by_address_.find(address); known != slot_by_address_.end())
    return known->second;
  std::set<uint16_t> taken;
  for (const auto& [other, slot] : slot_by_address_) taken.insert(slot);
  uint16_t slot = 0;
  while (taken.contains(slot)) ++slot;
  slot_by_address_.emplace(address, slot);
  arena.tables(0).ports.set_address(slot, address);
  return slot;
}

uint16_t NatPlan::scope_of(const std::string& name) {
  return scope_by_name_.emplace(name, static_cast<uint16_t>(scope_by_name_.size() + 1)).first->second;
}

}  // namespace sluice::control
