// SPDX-License-Identifier: BSD-3-Clause
#include "control/dpdk_devices.h"

#include <rte_dev.h>
#include <rte_ethdev.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "control/eal.h"
#include "control/ethdev.h"
#include "control/netns.h"
#include "control/status.h"

namespace sluice::control {
namespace {

/// A device string apart: "net_xyz0,arg=…" is the device net_xyz0 with arguments "arg=…".
struct DeviceString {
  std::string name;
  std::string arguments;
};

DeviceString split(const std::string& text) {
  const size_t comma = text.find(',');
  if (comma == std::string::npos) return {text, ""};
  return {text.substr(0, comma), text.substr(comma + 1)};
}

// How the driver is told about a capture file. It reads `name` as a list when there are commas or brackets in
// it.
absl::StatusOr<DeviceString> pcap_string(const config::Port& port) {
  DeviceString device{absl::StrCat("net_pcap_", port.name), ""};
  for (const auto& [key, file] : {std::pair{"rx_pcap", port.read}, std::pair{"tx_pcap", port.write}}) {
    if (file.empty()) continue;
    if (file.find_first_of(",[]=\"") != std::string::npos) {
      return input_error(absl::StrCat("port '", port.name, "': the file name ", file,
                                      " holds one of , [ ] = \" which the pcap driver cannot take"));
    }
    absl::StrAppend(&device.arguments, device.arguments.empty() ? "" : ",", key, "=", file);
  }
  if (!port.read.empty() && !std::filesystem::exists(port.read)) {
    return machine_error(absl::StrCat("port '", port.name, "': read: there is no file ", port.read));
  }
  return device;
}

absl::Status check_pci(const config::Port& port) {
  if (std::filesystem::exists(absl::StrCat("/sys/bus/pci/devices/", port.address))) return absl::OkStatus();
  return machine_error(absl::StrCat("port '", port.name, "': there is no PCI device ", port.address,
                                    ": dpdk-devbind.py --status lists those that there are"));
}

}  // namespace

void unplug(uint16_t id) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id, &info) != 0) return;
  rte_device* device = info.device;
  stop_ethdev(id);
  rte_dev_remove(device);
}

absl::StatusOr<Device> plug_and_start(const char* bus, const std::string& name, const std::string& arguments,
                                      const config::Port& port, const Wish& wish) {
  take_dpdk_error();
  if (int code = rte_eal_hotplug_add(bus, name.c_str(), arguments.c_str()); code != 0) {
    return machine_error(absl::StrCat("port '", port.name, "': cannot be opened: ", driver_error(code)));
  }
  uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) != 0) {
    rte_eal_hotplug_remove(bus, name.c_str());
    return machine_error(absl::StrCat("port '", port.name, "': the driver made no port for ", name));
  }
  absl::StatusOr<Device> device = start_ethdev(id, port, wish);
  if (!device.ok()) unplug(id);
  return device;
}

absl::Status DpdkDevices::check(const config::Port& port) {
  using Kind = config::Port::Device;
  if (port.device == Kind::pcap) return pcap_string(port).status();
  if (port.device == Kind::pci) return check_pci(port);
  if (port.device != Kind::tap) return absl::OkStatus();
  const absl::Status status = NetnsGuard::enter(port.netns).status();
  return status.ok() ? status : machine_error(absl::StrCat("port '", port.name, "': ", status.message()));
}

bool DpdkDevices::can_coexist(const config::Port& old_form, const config::Port& new_form) {
  using Kind = config::Port::Device;
  if (old_form.device != new_form.device) return true;
  if (new_form.device == Kind::tap) return old_form.netns != new_form.netns;
  if (new_form.device == Kind::pci) return old_form.address != new_form.address;
  if (new_form.device == Kind::dpdk) return split(old_form.address).name != split(new_form.address).name;
  return false;
}

absl::StatusOr<Device> DpdkDevices::open(const config::Port& port, const config::Config& all,
                                         const Wish& wish) {
  using Kind = config::Port::Device;
  switch (port.device) {
    case Kind::tap:
      return open_tap(port, wish);
    case Kind::ring:
      return open_ring(port, all, wish);
    case Kind::pci:
      return open_pci(port, wish);
    case Kind::null:
    case Kind::pcap:
    case Kind::dpdk:
      break;
  }
  return open_vdev(port, wish);
}

absl::StatusOr<Device> DpdkDevices::open_vdev(const config::Port& port, const Wish& wish) {
  DeviceString device = split(port.address);
  if (port.device == config::Port::Device::null) {
    device = {absl::StrCat("net_null_", port.name), "no-rx=1"};
  } else if (port.device == config::Port::Device::pcap) {
    absl::StatusOr<DeviceString> pcap = pcap_string(port);
    if (!pcap.ok()) return pcap.status();
    device = *pcap;
  }
  return plug_and_start("vdev", device.name, device.arguments, port, wish);
}

absl::StatusOr<Device> DpdkDevices::open_pci(const config::Port& port, const Wish& wish) {
  if (absl::Status status = check_pci(port); !status.ok()) return status;
  absl::StatusOr<Device> device = plug_and_start("pci", port.address, "", port, wish);
  if (device.ok()) return device;
  return machine_error(absl::StrCat(device.status().message(), ": if a kernel driver holds it: ",
                                    "dpdk-devbind.py --bind=vfio-pci ", port.address));
}

void DpdkDevices::close(const config::Port& port, const Device& device) {
  if (port.device == config::Port::Device::ring) {
    unplug(device.id);
    give_inbox(port.name);
    give_inbox(port.peer);
    return;
  }
  // A tap's last words to the kernel are said in its own namespace; if that is gone so is the kernel device.
  const absl::StatusOr<NetnsGuard> guard = NetnsGuard::enter(port.netns);
  unplug(device.id);
}

bool DpdkDevices::link_up(const Device& device) {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(device.id, &link) != 0 || link.link_status == RTE_ETH_LINK_UP;
}

}  // namespace sluice::control
