// SPDX-License-Identifier: BSD-3-Clause
//
// Packets of every kind, as hosts around the switch send them of themselves. What they answer is in
// hosts.h; what becomes of a packet by damage in mutations.h.
//
// Thread safety: one thread.
#pragma once

#include <string>
#include <vector>

#include "tests/fuzz/segments.h"

namespace sluice::fuzz {

class PacketMaker {
 public:
  /// \param corpus packets that were worth keeping: they are sent again, now and then
  PacketMaker(Random& random, std::vector<Packet> corpus) : random_(random), corpus_(std::move(corpus)) {}

  /// Adds a packet, or the parts of one.
  void make(std::vector<Packet>& burst);
  /// Adds more of one kind for the router than it lets itself be sent.
  void storm(std::vector<Packet>& burst);
  /// How many octets of data a packet has: mostly few, sometimes more than an MTU.
  static size_t data_length(Random& random);

 private:
  /// A host, where it is, and whom it sends to.
  struct Way {
    const Site& site;
    Address source, destination;
    Link link;
  };
  Way way(bool ipv4);
  void add(std::vector<Packet>& burst, const Site& site, Frame frame);
  Frame around(const Way& way, uint8_t protocol, const Frame& segment);
  Frame segment(uint8_t& protocol);
  Frame with_arp(const Site& site);
  Frame with_discovery(const Site& site);
  void with_error(std::vector<Packet>& burst);
  void with_options(std::vector<Packet>& burst);
  Frame on_the_link(const Site& site);
  Frame bridged(const Site& site);
  Frame odd_length(const Site& site);
  void in_parts(std::vector<Packet>& burst);

  Random& random_;
  std::vector<Packet> corpus_;
};

/// Of every file "*.hex" in a directory: a line a packet, the port's name and the frame in hexadecimal; lines
/// that begin with '#' are for people.
std::vector<Packet> read_corpus(const std::string& directory);
std::string to_line(const Packet& packet);

}  // namespace sluice::fuzz
