// SPDX-License-Identifier: BSD-3-Clause
//
// Taps. A tap belongs where it is made: in its namespace it is created, configured and started, because the
// driver opens /dev/net/tun once more for every queue and its control calls go where they went at the
// creation.
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/dpdk_devices.h"
#include "control/netns.h"
#include "control/status.h"

namespace sluice::control {
namespace {

constexpr unsigned kCapNetAdmin = 12;  // capabilities(7)

bool may_administer_networks() {
  std::ifstream status("/proc/thread-self/status");
  for (std::string word; status >> word;) {
    uint64_t capabilities = 0;
    if (word == "CapEff:" && status >> std::hex >> capabilities)
      return (capabilities >> kCapNetAdmin & 1) != 0;
  }
  return true;  // let the driver find out
}

absl::Status check_tun() {
  if (!may_administer_networks()) return machine_error("a tap needs CAP_NET_ADMIN: run as root");
  const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (fd >= 0) {
    close(fd);
    return absl::OkStatus();
  }
  const char* remedy =
      errno == ENOENT || errno == ENODEV ? "modprobe tun" : "run as root, or with CAP_NET_ADMIN";
  return machine_error(absl::StrCat("/dev/net/tun: ", std::strerror(errno), ": ", remedy));
}

absl::Status check_name_is_free(const config::Port& port) {
  if (if_nametoindex(port.name.c_str()) == 0) return absl::OkStatus();
  const std::string where = port.netns.empty() ? "" : absl::StrCat(" -n ", port.netns);
  return machine_error(absl::StrCat("a network device of that name exists already: remove it with: ip", where,
                                    " link delete ", port.name, ", or name the port otherwise"));
}

// Through ethdev a tap takes no more than 1504: the driver states its largest frame as 1522. The kernel takes
// any.
absl::Status set_kernel_mtu(const config::Port& port) {
  ifreq request{};
  std::strncpy(request.ifr_name, port.name.c_str(), sizeof request.ifr_name - 1);
  request.ifr_mtu = port.mtu;
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int result = socket < 0 ? -1 : ioctl(socket, SIOCSIFMTU, &request);
  const int error = errno;
  if (socket >= 0) close(socket);
  if (result == 0) return absl::OkStatus();
  return machine_error(absl::StrCat("mtu ", port.mtu, ": ", std::strerror(error)));
}

// No signal a packet: nobody takes them (see eal.cc), and each that is pending costs the kernel memory.
void silence(const Device& device) {
  for (int descriptor : device.tap_descriptors) {
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_ASYNC);
  }
}

std::string tap_arguments(const config::Port& port) {
  std::string arguments = absl::StrCat("iface=", port.name);
  if (port.mac) {
    const config::MacAddress& mac = *port.mac;
    absl::StrAppendFormat(&arguments, ",mac=%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                          mac[4], mac[5]);
  }
  return arguments;
}

absl::Status for_port(const config::Port& port, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("port '", port.name, "': ", status.message()));
}

}  // namespace

absl::StatusOr<Device> DpdkDevices::open_tap(const config::Port& port, const Wish& wish) {
  const absl::StatusOr<NetnsGuard> guard = NetnsGuard::enter(port.netns);
  if (!guard.ok()) return for_port(port, guard.status());
  if (absl::Status status = check_tun(); !status.ok()) return for_port(port, status);
  if (absl::Status status = check_name_is_free(port); !status.ok()) return for_port(port, status);
  // A number, not the port's name: a tap may open in one namespace while its old form is still open in
  // another.
  const std::string name = absl::StrCat("net_tap_", taps_made_++);
  absl::StatusOr<Device> device = plug_and_start("vdev", name, tap_arguments(port), port, wish);
  if (!device.ok()) return device;
  silence(*device);
  if (absl::Status status = set_kernel_mtu(port); !status.ok()) {
    close(port, *device);
    return for_port(port, status);
  }
  return device;
}

}  // namespace sluice::control
