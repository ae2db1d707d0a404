// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/plan.h"

namespace sluice::fuzz {
namespace {

constexpr uint64_t kRouterMac = 0x02'FF'00'00'00'00;

constexpr const char* kTables = R"(
tables: { macs: 400, routes: 512, neighbors: 160, sessions: 160 }
dpdk: { mbufs: 8192 }
icmp: { rate-limit: 2000/s, burst: 200 }
ports:
  a: { device: "null" }
  b: { device: "null" }
  t: { device: "null", mtu: 9000 }
  u: { device: "null" }
  h: { device: "null" }
  k: { device: "null" }
  wan: { device: "null" }
  alt: { device: "null", mtu: 9000 }
)";

constexpr const char* kRoutes = R"(
  - { to: default, via: "2001:db8::1" }
  - { to: 10.0.0.0/8, via: [{ address: 192.168.10.2, weight: 3 }, { address: 192.168.20.3 }] }
  - { to: 172.16.0.0/12, via: [203.0.113.3, 198.18.0.1] }
  - { to: 198.51.100.0/26, type: blackhole }
  - { to: 198.51.100.64/26, type: unreachable }
  - { to: 198.51.100.128/26, type: prohibit }
  - { to: "2001:db8:7::/48", via: ["fd00:10::2", "fd00:20::3"] }
  - { to: "2001:db8:8::/48", via: { address: "fe80::1", interface: uplink } }
  - { to: "2001:db8:9::/48", type: blackhole }
  - { to: "2001:db8:a::/48", type: unreachable }
  - { to: "2001:db8:b::/48", type: prohibit }
neighbors:
  - { address: 203.0.113.9, mac: "02:00:cb:00:71:09", interface: uplink }
  - { address: 192.168.10.9, mac: "02:00:c0:a8:0a:09", interface: lan10 }
)";

constexpr const char* kTimeouts =
    "    timeouts: { udp: 6s, icmp: 3s, tcp-established: 20s, tcp-transitory: 4s }\n";

std::string base_rules() {
  return std::string("nat:\n") +
         "  - name: internet\n    interface: uplink\n    source: [192.168.10.0/24, 192.168.40.0/24]\n"
         "    address: [203.0.113.10-203.0.113.12]\n    exempt: [10.0.0.0/8, 203.0.113.192/26]\n" +
         kTimeouts +
         "    port-forward:\n"
         "      - { protocol: tcp, port: 8080, to: \"192.168.10.20:80\" }\n"
         "      - { protocol: udp, port: 5000-5009, to: \"192.168.10.21:5000-5009\" }\n"
         "    static: [{ inside: 192.168.10.30, outside: 203.0.113.20 }]\n"
         "  - name: guests\n    interface: uplink\n    source: [192.168.20.0/24]\n    address: interface\n"
         "    ports: 2000-2063\n    mapping: address-and-port-dependent\n"
         "    filtering: address-and-port-dependent\n    hairpinning: false\n" +
         kTimeouts + "  - name: other\n    interface: backup\n    source: [192.168.0.0/16]\n" +
         "    address: interface\n    filtering: endpoint-independent\n" + kTimeouts;
}

std::string moved_rules() {
  return std::string("nat:\n") +
         "  - name: internet\n    interface: uplink\n    source: [192.168.10.0/24]\n"
         "    address: [203.0.113.11-203.0.113.12]\n" +
         kTimeouts +
         "    port-forward:\n      - { protocol: tcp, port: 8080, to: \"192.168.10.22:80\" }\n"
         "  - name: other\n    interface: backup\n    source: [192.168.0.0/16]\n    address: interface\n" +
         kTimeouts;
}

std::string bridges(Variant variant) {
  const bool moved = variant == Variant::moved;
  return std::string("bridges:\n  lan:\n    mac-ageing: 20s\n    mac-limit: 360\n    ports:\n") +
         "      a: { vlan: 10, mac-limit: 100 }\n      b: { vlan: " + (moved ? "30" : "20") +
         " }\n      t: { vlans: [10, 20, 30], native-vlan: 10 }\n      u: { vlans: [20, 30" +
         (moved ? "" : ", 40") + "] }\n    static-macs: [{ mac: \"02:00:c0:a8:0a:09\", port: a }]\n" +
         "  yard: { mac-ageing: 10s, ports: { h: {}, k: { vlans: [1, 7], native-vlan: 1 } } }\n";
}

std::string interface(const std::string& name, const std::string& where, const std::string& mac,
                      const std::string& addresses, unsigned mtu) {
  return "  " + name + ": { " + where + ", mac: \"02:ff:00:00:00:" + mac + "\", mtu: " + std::to_string(mtu) +
         ", addresses: [" + addresses + "] }\n";
}

std::string interfaces(Variant variant) {
  const bool moved = variant == Variant::moved;
  std::string text =
      "interfaces:\n" +
      interface("lan10", "bridge: lan, vlan: 10", "10", "192.168.10.1/24, \"fd00:10::1/64\"", 1500) +
      interface("lan20", "bridge: lan, vlan: 20", "20", "192.168.20.1/24, \"fd00:20::1/64\"", 1500) +
      interface("lan30", "bridge: lan, vlan: 30", "30", "192.168.30.1/24, \"fd00:30::1/64\"",
                moved ? 1400 : 1280) +
      interface("uplink", "port: wan", "71", "203.0.113.2/24, \"2001:db8::2/64\"", 1400) +
      interface("backup", "port: alt", "12", "198.18.0.2/24, \"2001:db8:1::2/64\"", 9000);
  if (variant != Variant::bare)
    text += interface("yard", "bridge: yard, vlan: 1", "40", "192.168.40.1/24", 576);
  return text;
}

std::string to_yaml(Variant variant) {
  const std::string way_out = variant == Variant::moved ? "[203.0.113.1, 203.0.113.4]" : "203.0.113.1";
  const std::string rules = variant == Variant::base    ? base_rules()
                            : variant == Variant::moved ? moved_rules()
                                                        : "";
  return kTables + bridges(variant) + interfaces(variant) + "routes:\n  - { to: default, via: " + way_out +
         " }" + kRoutes + rules;
}

std::vector<Hidden> hidden(Variant variant) {
  const Prefix4 lan10{ip4(192, 168, 10, 0), 24}, lan20{ip4(192, 168, 20, 0), 24},
      yard{ip4(192, 168, 40, 0), 24}, inside{ip4(192, 168, 0, 0), 16};
  if (variant == Variant::bare) return {};
  if (variant == Variant::moved) return {{kWan, {lan10}, {}}, {kAlt, {inside}, {}}};
  return {{kWan, {lan10, yard}, {{ip4(10, 0, 0, 0), 8}, {ip4(203, 0, 113, 192), 26}}},
          {kWan, {lan20}, {}},
          {kAlt, {inside}, {}}};
}

}  // namespace

const InterfacePlan* Plan::on(Domains domain, PortName port) const {
  for (const InterfacePlan& interface : interfaces) {
    if (domain != 0 ? interface.domain == domain : interface.domain == 0 && interface.port == port)
      return &interface;
  }
  return nullptr;
}

Plan make_plan(Variant variant) {
  const bool moved = variant == Variant::moved;
  Plan plan;
  plan.yaml = to_yaml(variant);
  plan.ports[kA] = {.untagged = kLan10};
  plan.ports[kB] = {.untagged = moved ? kLan30 : kLan20};
  plan.ports[kT] = {
      .untagged = kLan10, .is_trunk = true, .tagged = {{10, kLan10}, {20, kLan20}, {30, kLan30}}};
  plan.ports[kU] = {.is_trunk = true, .tagged = {{20, kLan20}, {30, kLan30}}};
  if (!moved) plan.ports[kU].tagged.emplace_back(uint16_t{40}, kLan40);
  plan.ports[kH] = {.untagged = kYard1};
  plan.ports[kK] = {.untagged = kYard1, .is_trunk = true, .tagged = {{1, kYard1}, {7, kYard7}}};
  plan.ports[kWan] = plan.ports[kAlt] = {.is_routed = true};
  plan.interfaces = {{"lan10", kRouterMac + 0x10, kLan10, kA, ip4(192, 168, 10, 0), 1500},
                     {"lan20", kRouterMac + 0x20, kLan20, kA, ip4(192, 168, 20, 0), 1500},
                     {"lan30", kRouterMac + 0x30, kLan30, kA, ip4(192, 168, 30, 0), moved ? 1400u : 1280u},
                     {"uplink", kRouterMac + 0x71, 0, kWan, ip4(203, 0, 113, 0), 1400},
                     {"backup", kRouterMac + 0x12, 0, kAlt, ip4(198, 18, 0, 0), 9000}};
  if (variant != Variant::bare)
    plan.interfaces.push_back({"yard", kRouterMac + 0x40, kYard1, kA, ip4(192, 168, 40, 0), 576});
  for (const InterfacePlan& interface : plan.interfaces)
    plan.own.push_back(interface.network + (interface.domain == 0 ? 2 : 1));
  plan.hidden = hidden(variant);
  return plan;
}

}  // namespace sluice::fuzz
