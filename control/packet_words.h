// SPDX-License-Identifier: BSD-3-Clause
//
// A frame in words.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "control/ip_packet.h"

namespace sluice::control {

/// "vlan 10, ethernet, ipv4, tcp"; what cannot be read is said to be cut off.
std::string layers_text(Octets frame);

/// "tcp 192.168.10.7:51514 > 93.184.216.34:80 SYN"; "arp who-has 192.0.2.1 tell 192.0.2.9".
std::string frame_text(Octets frame);

/// The same of a packet from its IP header on. "": it is none.
std::string ip_text(Octets packet);

}  // namespace sluice::control
