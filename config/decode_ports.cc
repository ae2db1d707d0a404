// SPDX-License-Identifier: BSD-3-Clause
//
// The `ports` section. Each port is read by itself, then those that concern each other are compared: two of
// one device, the two ends of a ring.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "config/decode.h"
#include "config/keys.h"
#include "config/text.h"

namespace sluice::config {
namespace {

constexpr size_t kMaxPorts = 32;    // RTE_MAX_ETHPORTS of Debian's DPDK
constexpr size_t kMaxTapName = 15;  // IFNAMSIZ less the final zero
constexpr size_t kMaxName = 31;
constexpr uint64_t kMinMtu = 68;     // RFC 791: what every IPv4 link carries
constexpr uint64_t kMaxMtu = 65521;  // 65535 less the Ethernet header
constexpr uint64_t kMaxQueues = 64;
constexpr uint64_t kMaxTapQueues = 16;  // RTE_PMD_TAP_MAX_QUEUES

struct PortDraft {
  Port port;
  const Node& node;
  bool has_device = false;

  /// Where `key` has its value.
  Location location(std::string_view key) const {
    const Node* value = node.find(key);
    return value ? value->location : port.location;
  }
};

struct DeviceWord {
  std::string_view name;
  std::optional<Port::Device> device;  ///< none: not built yet
};

constexpr DeviceWord kDevices[] = {
    {"tap", Port::Device::tap},   {"ring", Port::Device::ring}, {"null", Port::Device::null},
    {"pcap", Port::Device::pcap}, {"memif", std::nullopt},      {"vhost-user", std::nullopt},
    {"af_packet", std::nullopt},  {"af_xdp", std::nullopt},     {"generator", std::nullopt},
    {"sink", std::nullopt},
};

/// A key of one device alone.
struct DeviceKey {
  std::string_view key;
  Port::Device device;
  std::string_view device_name;
};

constexpr DeviceKey kDeviceKeys[] = {
    {"netns", Port::Device::tap, "tap"},
    {"peer", Port::Device::ring, "ring"},
    {"read", Port::Device::pcap, "pcap"},
    {"write", Port::Device::pcap, "pcap"},
};

/// \return the PCI address in `text`, in full and lower case: `3b:00.0` is `0000:3b:00.0`.
std::optional<std::string> to_pci_address(std::string_view text) {
  std::string address(text);
  absl::AsciiStrToLower(&address);
  if (address.size() == 7) address.insert(0, "0000:");
  constexpr std::string_view form = "xxxx:xx:xx.x";
  if (address.size() != form.size()) return std::nullopt;
  for (size_t i = 0; i < form.size(); ++i) {
    if (form[i] == 'x' ? !absl::ascii_isxdigit(address[i]) : address[i] != form[i]) return std::nullopt;
  }
  const bool has_slot = address[8] == '0' || address[8] == '1';  // five bits of device, three of function
  const bool has_function = address[11] >= '0' && address[11] <= '7';
  return has_slot && has_function ? std::optional(address) : std::nullopt;
}

void report_unknown_device(const Value& value) {
  std::vector<std::string_view> words;
  for (const DeviceWord& word : kDevices) words.push_back(word.name);
  const auto meant = nearest(value.node.text, words);
  value.error(concat("unknown device ", quote(value.node.text),
                     meant ? concat(": did you mean ", quote(*meant), "?")
                           : ": write tap, ring, null, pcap, a PCI address like \"0000:3b:00.0\" or a DPDK "
                             "device like \"net_xyz0,arg=1\""));
}

void decode_device_word(const Value& value, const DeviceWord& word, PortDraft& draft) {
  if (!word.device) {
    value.error(concat("device '", word.name,
                       "' is not built yet: write tap, ring, null, pcap, a PCI address ",
                       "or a DPDK device"));
    return;
  }
  draft.port.device = *word.device;
  draft.has_device = true;
}

void decode_device(const Value& value, PortDraft& draft) {
  const std::string& text = value.node.text;
  for (const DeviceWord& word : kDevices) {
    if (text == word.name) return decode_device_word(value, word, draft);
  }
  if (!read_text(value)) return;
  const std::optional<std::string> pci = to_pci_address(text);
  const bool is_dpdk = text.starts_with("net_") && text.size() > 4 && absl::ascii_isalnum(text[4]);
  if (!pci && !is_dpdk) return report_unknown_device(value);
  draft.port.device = pci ? Port::Device::pci : Port::Device::dpdk;
  draft.port.address = pci ? *pci : text;
  draft.has_device = true;
}

void decode_netns(const Value& value, PortDraft& draft) {
  const std::optional<std::string> name = read_text(value);
  if (name && (name->find('/') != std::string::npos || *name == "." || *name == "..")) {
    value.error(concat("'netns' is a name as `ip netns` lists it, not a path like ", quote(*name)));
  }
  store(name, draft.port.netns);
}

constexpr Key<PortDraft> kKeys[] = {
    {"device", "tap, ring, null, pcap, a PCI address or a DPDK device", decode_device, true},
    {"netns", "tap: the network namespace of the kernel device", decode_netns},
    {"peer", "ring: the port at the other end",
     [](const Value& value, PortDraft& draft) { store(read_text(value), draft.port.peer); }},
    {"read", "pcap: the capture to receive from",
     [](const Value& value, PortDraft& draft) { store(read_text(value), draft.port.read); }},
    {"write", "pcap: the capture to transmit to",
     [](const Value& value, PortDraft& draft) { store(read_text(value), draft.port.write); }},
    {"mac", "the address of the port",
     [](const Value& value, PortDraft& draft) { store(read_mac(value), draft.port.mac); }},
    {"mtu", "octets after the Ethernet header and up to two tags",
     [](const Value& value, PortDraft& draft) {
       store(read_integer(value, kMinMtu, kMaxMtu), draft.port.mtu);
     }},
    {"rx-queues", "receive queues",
     [](const Value& value, PortDraft& draft) {
       store(read_integer(value, 1, kMaxQueues), draft.port.rx_queues);
     }},
    {"tx-queues", "transmit queues",
     [](const Value& value, PortDraft& draft) {
       store(read_integer(value, 1, kMaxQueues), draft.port.tx_queues);
     }},
    {"promiscuous", "receive frames for any station",
     [](const Value& value, PortDraft& draft) { store(read_boolean(value), draft.port.promiscuous); }},
    {"storm-control", "limits of flooded frames"},
    {"mirror", "copies of frames to another port"},
    {"socket", "memif, vhost-user: the path of the socket"},
    {"role", "memif: server or client"},
    {"mode", "vhost-user: server or client"},
    {"id", "memif: the number of the interface on its socket"},
    {"interface", "af_packet, af_xdp: the kernel's interface"},
};

void check_device_keys(const PortDraft& draft, Diagnostics& diagnostics) {
  for (const auto& [key, device, device_name] : kDeviceKeys) {
    if (!draft.node.find(key) || draft.port.device == device) continue;
    diagnostics.error(draft.location(key),
                      concat("'", key, "' is for device ", device_name, " only: remove it"));
  }
}

/// A tap's queue is one file descriptor, read and written: they come in pairs.
void check_tap(PortDraft& draft, Diagnostics& diagnostics) {
  Port& port = draft.port;
  if (port.name == "all" || port.name == "default") {  // taken by net.ipv4.conf.all and .default
    diagnostics.error(port.location,
                      concat("the kernel allows no device named '", port.name, "': rename it"));
  }
  for (const auto& [key, queues] :
       {std::pair("rx-queues", port.rx_queues), std::pair("tx-queues", port.tx_queues)}) {
    if (queues.value_or(1) <= kMaxTapQueues) continue;
    diagnostics.error(draft.location(key), concat("'", key, "' of a tap must be at most ", kMaxTapQueues));
  }
  if (port.rx_queues && port.tx_queues && *port.rx_queues != *port.tx_queues) {
    diagnostics.error(draft.location("tx-queues"), concat("a tap's queues come in pairs: write ",
                                                          *port.rx_queues, ", as for 'rx-queues'"));
  }
  if (!port.rx_queues) port.rx_queues = port.tx_queues;
  if (!port.tx_queues) port.tx_queues = port.rx_queues;
}

void check_pcap(const PortDraft& draft, Diagnostics& diagnostics) {
  if (!draft.node.find("read") && !draft.node.find("write")) {
    diagnostics.error(draft.location("device"), "a pcap port needs 'read', 'write' or both: add one");
  }
  if (!draft.port.read.empty() && draft.port.read == draft.port.write) {
    diagnostics.error(draft.location("write"),
                      "'write' would overwrite what 'read' receives: name another file");
  }
}

PortDraft decode_port(const Entry& entry, Diagnostics& diagnostics) {
  PortDraft draft{{}, entry.value};
  draft.port.name = entry.key.text;
  draft.port.location = entry.key.location;
  if (!decode_keys({entry.key.text, entry.value, diagnostics}, kKeys, draft)) return draft;
  require_key(entry.value, "device", entry.key.location, concat("port ", quote(draft.port.name)),
              diagnostics);
  const bool is_tap = draft.has_device && draft.port.device == Port::Device::tap;
  check_name(entry.key, is_tap ? kMaxTapName : kMaxName, diagnostics);
  if (!draft.has_device) return draft;
  check_device_keys(draft, diagnostics);
  if (is_tap) check_tap(draft, diagnostics);
  if (draft.port.device == Port::Device::pcap) check_pcap(draft, diagnostics);
  return draft;
}

/// EAL knows a device by what stands before the first comma, and opens it once.
void check_devices_differ(const std::vector<PortDraft>& drafts, Diagnostics& diagnostics) {
  std::map<std::string_view, std::string_view> port_of;
  for (const PortDraft& draft : drafts) {
    const std::string_view device =
        std::string_view(draft.port.address).substr(0, draft.port.address.find(','));
    if (device.empty()) continue;
    const auto [first, is_new] = port_of.emplace(device, draft.port.name);
    if (is_new) continue;
    diagnostics.error(draft.location("device"), concat("device ", quote(device), " is that of port ",
                                                       quote(first->second), " already: write another"));
  }
}

using DraftsByName = std::map<std::string_view, PortDraft*>;

/// \return the ring that `draft` names as its peer, if it may have it.
PortDraft* find_peer(const PortDraft& draft, const DraftsByName& rings, const DraftsByName& taken,
                     Diagnostics& diagnostics) {
  const std::string& name = draft.port.peer;
  const auto error = [&](std::string message) {
    diagnostics.error(draft.location("peer"), std::move(message));
  };
  const auto peer = rings.find(name);
  if (peer == rings.end()) {
    std::vector<std::string_view> names;
    for (const auto& [ring, unused] : rings) names.push_back(ring);
    error(concat("'peer' ", quote(name), " is no ring port", suggest(name, names, "write")));
    return nullptr;
  }
  const std::string& back = peer->second->port.peer;
  const auto taker = taken.find(name);
  if (back.empty() ? taker == taken.end() : back == draft.port.name) return peer->second;
  error(concat("ring ", quote(name), " is the peer of ",
               quote(back.empty() ? taker->second->port.name : back), ": a ring has two ends"));
  return nullptr;
}

/// A relation said on one side holds on both; a ring without one is its own peer.
void link_rings(std::vector<PortDraft>& drafts, Diagnostics& diagnostics) {
  DraftsByName rings;
  for (PortDraft& draft : drafts) {
    if (draft.has_device && draft.port.device == Port::Device::ring) rings.emplace(draft.port.name, &draft);
  }
  DraftsByName taken;  // rings that leave it to another to name them: by their name, who did
  for (PortDraft& draft : drafts) {
    if (!rings.count(draft.port.name) || draft.port.peer.empty()) continue;
    PortDraft* peer = find_peer(draft, rings, taken, diagnostics);
    if (peer && peer->port.peer.empty()) taken.emplace(peer->port.name, &draft);
  }
  for (const auto& [name, ring] : rings) {
    if (!ring->port.peer.empty()) continue;
    const auto taker = taken.find(name);
    ring->port.peer = taker == taken.end() ? ring->port.name : taker->second->port.name;
  }
}

}  // namespace

void decode_ports(const Value& value, Config& config) {
  if (!value.is_mapping() || value.node.entries.empty()) {
    value.mismatch("a mapping of names to at least one port");
    return;
  }
  const std::vector<Entry>& entries = value.node.entries;
  if (entries.size() > kMaxPorts) {
    value.diagnostics.error(entries[kMaxPorts].key.location,
                            concat("more than ", kMaxPorts, " ports: DPDK holds no more, remove this one"));
  }
  std::vector<PortDraft> drafts;
  for (const Entry& entry : entries) drafts.push_back(decode_port(entry, value.diagnostics));
  check_devices_differ(drafts, value.diagnostics);
  link_rings(drafts, value.diagnostics);
  for (PortDraft& draft : drafts) config.ports.push_back(std::move(draft.port));
}

void report_unknown_port(Location location, std::string_view name, const std::vector<Port>& known,
                         Diagnostics& diagnostics) {
  if (known.empty()) return;
  std::vector<std::string_view> names;
  for (const Port& port : known) names.push_back(port.name);
  diagnostics.error(location, concat("unknown port ", quote(name), suggest(name, names, "write")));
}

}  // namespace sluice::config
