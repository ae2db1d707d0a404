// SPDX-License-Identifier: BSD-3-Clause
#include "control/ethdev.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "control/eal.h"
#include "control/log.h"
#include "control/status.h"

namespace sluice::control {
namespace {

constexpr uint16_t kDescriptors = 1024;
constexpr uint32_t kOverhead = RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN;
// What DPDK's tap lets through its own check; its kernel device takes more, see device_tap.cc.
constexpr uint16_t kTapCheckedMtu = 1500;

absl::Status failed(const config::Port& port, const char* what, int code) {
  return machine_error(absl::StrCat("port '", port.name, "': ", what, ": ", driver_error(code)));
}

bool is_tap(const config::Port& port) {
  return port.device == config::Port::Device::tap;
}

struct Queues {
  uint16_t rx;
  uint16_t tx;
};

absl::Status too_many(const config::Port& port, const char* key, unsigned wanted, unsigned has) {
  return input_error(absl::StrCat("port '", port.name, "': ", key, ": ", wanted, ": its driver has ", has,
                                  has == 1 ? " queue" : " queues"));
}

absl::StatusOr<Queues> choose_queues(const config::Port& port, const rte_eth_dev_info& info,
                                     unsigned workers) {
  const auto limit = [&](uint16_t has) { return static_cast<uint16_t>(std::min<unsigned>(workers, has)); };
  Queues queues{port.rx_queues.value_or(limit(info.max_rx_queues)),
                port.tx_queues.value_or(limit(info.max_tx_queues))};
  if (is_tap(port)) {  // a queue of a tap is one descriptor for both directions
    queues.rx = queues.tx = port.rx_queues.value_or(port.tx_queues.value_or(queues.rx));
  }
  if (queues.rx > info.max_rx_queues) return too_many(port, "rx-queues", queues.rx, info.max_rx_queues);
  if (queues.tx > info.max_tx_queues) return too_many(port, "tx-queues", queues.tx, info.max_tx_queues);
  return queues;
}

bool larger_than_a_buffer(const config::Port& port, const rte_mempool* pool) {
  return port.mtu + kOverhead + RTE_PKTMBUF_HEADROOM >
         rte_pktmbuf_data_room_size(const_cast<rte_mempool*>(pool));
}

rte_eth_conf make_conf(const config::Port& port, const rte_eth_dev_info& info, const Queues& queues,
                       const Wish& wish) {
  rte_eth_conf conf{};
  conf.rxmode.mtu = is_tap(port) ? std::min(port.mtu, kTapCheckedMtu) : port.mtu;
  const bool scatter = is_tap(port) || larger_than_a_buffer(port, wish.pool);
  if (scatter) conf.rxmode.offloads |= info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
  conf.txmode.offloads |= info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  const bool hardware = port.device == config::Port::Device::pci || port.device == config::Port::Device::dpdk;
  if (hardware) {
    conf.txmode.offloads |=
        info.tx_offload_capa & (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM);
  }
  if (queues.rx > 1 && port.device == config::Port::Device::pci) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf =
        info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
  }
  const bool can_interrupt = is_tap(port) || port.device == config::Port::Device::pci;
  // A tap tells its descriptors as those of its interrupts.
  conf.intr_conf.rxq = is_tap(port) || (wish.interrupts && can_interrupt);
  return conf;
}

// A tap's "descriptors" are the segments of the one packet it reads at a time.
uint16_t rx_descriptors(const config::Port& port, uint16_t adjusted) {
  return is_tap(port) ? static_cast<uint16_t>((port.mtu + kOverhead) / 1024 + 2) : adjusted;
}

int set_up_queues(uint16_t id, const config::Port& port, const Queues& queues, rte_mempool* pool) {
  uint16_t rx = kDescriptors, tx = kDescriptors;
  if (int code = rte_eth_dev_adjust_nb_rx_tx_desc(id, &rx, &tx); code != 0) return code;
  const auto socket = static_cast<unsigned>(std::max(rte_eth_dev_socket_id(id), 0));
  for (uint16_t queue = 0; queue < queues.rx; ++queue) {
    const int code = rte_eth_rx_queue_setup(id, queue, rx_descriptors(port, rx), socket, nullptr, pool);
    if (code != 0) return code;
  }
  for (uint16_t queue = 0; queue < queues.tx; ++queue) {
    if (int code = rte_eth_tx_queue_setup(id, queue, tx, socket, nullptr); code != 0) return code;
  }
  return 0;
}

void set_mac(uint16_t id, const config::Port& port) {
  if (!port.mac || is_tap(port)) return;  // a tap got it when it was made
  rte_ether_addr address;
  std::memcpy(address.addr_bytes, port.mac->data(), sizeof address.addr_bytes);
  const int code = rte_eth_dev_default_mac_addr_set(id, &address);
  if (code != 0)
    log_debug(absl::StrCat("port '", port.name, "': the driver keeps its address: ", driver_error(code)));
}

void set_promiscuous(uint16_t id, const config::Port& port) {
  const int code = port.promiscuous ? rte_eth_promiscuous_enable(id) : rte_eth_promiscuous_disable(id);
  // Drivers without the notion receive everything anyway.
  if (code != 0 && code != -ENOTSUP) {
    log_warning(absl::StrCat("port '", port.name, "': promiscuous mode: ", driver_error(code)));
  }
}

config::MacAddress mac_of(uint16_t id, const config::Port& port) {
  if (port.mac) return *port.mac;
  config::MacAddress mac{};
  rte_ether_addr address{};
  rte_eth_macaddr_get(id, &address);
  std::memcpy(mac.data(), address.addr_bytes, mac.size());
  return mac;
}

}  // namespace

std::string driver_error(int code) {
  const std::string line = take_dpdk_error();
  return line.empty() ? std::string(rte_strerror(std::abs(code))) : line;
}

absl::StatusOr<Device> start_ethdev(uint16_t id, const config::Port& port, const Wish& wish) {
  rte_eth_dev_info info{};
  if (int code = rte_eth_dev_info_get(id, &info); code != 0) return failed(port, "cannot be asked", code);
  const absl::StatusOr<Queues> queues = choose_queues(port, info, wish.workers);
  if (!queues.ok()) return queues.status();
  rte_eth_conf conf = make_conf(port, info, *queues, wish);
  const bool can_scatter = (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
  const bool nothing_received = port.device == config::Port::Device::null;
  // The pcap driver chains buffers by itself and does not say so.
  const bool chains = can_scatter || port.device == config::Port::Device::pcap;
  if (larger_than_a_buffer(port, wish.pool) && !chains && !nothing_received) {
    return input_error(absl::StrCat("port '", port.name, "': mtu ", port.mtu,
                                    " needs several buffers a packet, which its driver cannot do"));
  }
  if (int code = rte_eth_dev_configure(id, queues->rx, queues->tx, &conf); code != 0) {
    return failed(port, "cannot be configured", code);
  }
  if (int code = set_up_queues(id, port, *queues, wish.pool); code != 0) return failed(port, "queues", code);
  set_mac(id, port);
  if (int code = rte_eth_dev_start(id); code != 0) return failed(port, "cannot be started", code);
  set_promiscuous(id, port);
  Device device;
  device.id = id;
  device.mac = mac_of(id, port);
  device.rx_queues = queues->rx;
  device.tx_queues = queues->tx;
  device.needs_linear = (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) == 0 && !nothing_received;
  constexpr uint64_t kBoth = RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
  device.finishes_checksums = (conf.txmode.offloads & kBoth) == kBoth;
  device.interrupts = conf.intr_conf.rxq != 0;
  for (uint16_t queue = 0; is_tap(port) && queue < queues->tx; ++queue) {
    const int descriptor = rte_eth_dev_rx_intr_ctl_q_get_fd(id, queue);
    if (descriptor < 0) return failed(port, "has no descriptor for a queue", descriptor);
    device.tap_descriptors.push_back(descriptor);
  }
  return device;
}

void stop_ethdev(uint16_t id) {
  rte_eth_dev_stop(id);
  rte_eth_dev_close(id);
}

}  // namespace sluice::control
