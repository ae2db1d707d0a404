// SPDX-License-Identifier: BSD-3-Clause
//
// The `neighbors` section: each is in a network of its interface.
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "config/addresses.h"
#include "config/decode.h"
#include "config/keys.h"
#include "config/networks.h"
#include "config/text.h"

namespace sluice::config {
namespace {

struct NeighborDraft {
  const Networks& networks;
  std::optional<IpAddress> address;
  std::optional<MacAddress> mac;
  const Interface* interface = nullptr;
};

constexpr Key<NeighborDraft> kKeys[] = {
    {"address", "its IPv4 or IPv6 address",
     [](const Value& value, NeighborDraft& draft) {
       const std::optional<IpAddress> address = read_address(value);
       if (address && check_host(value, *address)) draft.address = address;
     }},
    {"mac", "its MAC address",
     [](const Value& value, NeighborDraft& draft) { store(read_mac(value), draft.mac); }},
    {"interface", "the interface that leads to it",
     [](const Value& value, NeighborDraft& draft) {
       draft.interface = draft.networks.read_interface(value);
     }},
};

/// Reports an address that is not in a network of the interface, or is no neighbor's there.
void check_network(const Value& address, const NeighborDraft& draft) {
  if (!draft.networks.check_not_own(address, *draft.address, draft.interface)) return;
  if (is_link_local(*draft.address)) return;
  const Networks::Connected* network = draft.networks.find(*draft.address);
  const std::string text = to_text(*draft.address);
  if (network && network->interface == draft.interface) {
    check_host_in(address, *draft.address, network->prefix);
  } else if (network) {
    address.error(concat(text, " lies in ", to_text(network->prefix), " on interface ",
                         quote(network->interface->name), ": write that interface, or another address"));
  } else if (!is_in_error(*draft.interface)) {
    address.error(concat(text, " lies in no network of interface ", quote(draft.interface->name),
                         ": write an address in one of them, or add the network to its 'addresses'"));
  }
}

std::optional<Neighbor> decode_neighbor(const Value& value, const Networks& networks) {
  NeighborDraft draft{networks, {}, {}};
  if (!decode_keys(value, kKeys, draft)) return std::nullopt;
  for (const std::string_view key : {"address", "mac", "interface"}) {
    require_key(value.node, key, value.node.location, "this neighbor", value.diagnostics);
  }
  if (!draft.address || !draft.interface) return std::nullopt;
  check_network({"address", *value.node.find("address"), value.diagnostics}, draft);
  return Neighbor{.address = *draft.address,
                  .mac = draft.mac.value_or(MacAddress{}),
                  .interface = draft.interface->name,
                  .location = value.node.location};
}

}  // namespace

void decode_neighbors(const Value& value, Config& config) {
  if (!value.is_list()) {
    return value.mismatch(
        "a list of entries like { address: 203.0.113.1, mac: \"02:00:00:00:01:01\", interface: uplink }");
  }
  const Networks networks(config.interfaces);
  std::map<std::pair<std::string, IpAddress>, int> line_of;
  for (size_t i = 0; i < value.node.items.size(); ++i) {
    const std::optional<Neighbor> neighbor = decode_neighbor(value.item(i), networks);
    if (!neighbor) continue;
    const auto [first, is_new] =
        line_of.emplace(std::pair(neighbor->interface, neighbor->address), neighbor->location.line);
    if (!is_new) {
      value.item(i).error(concat(to_text(neighbor->address), " has an entry in line ", first->second,
                                 ": remove one of them"));
    }
    config.neighbors.push_back(*neighbor);
  }
}

}  // namespace sluice::config
