// SPDX-License-Identifier: BSD-3-Clause
//
// The hosts around the switch, as far as they answer what they see. Without them no neighbor would be known
// and no session would live: a fuzzer that only sends never gets far.
//
// Thread safety: one thread.
#pragma once

#include <deque>
#include <vector>

#include "tests/fuzz/segments.h"

namespace sluice::fuzz {

class Hosts {
 public:
  explicit Hosts(Random& random) : random_(random) {}

  /// `frame` left by `port`.
  void see(PortName port, Octets frame, const View& view);
  /// Moves an answer into `burst`; false: there is none.
  bool answer(std::vector<Packet>& burst);

 private:
  /// A packet that came for a host, turned round.
  struct Question {
    const Site& site;
    Octets frame;
    const View& view;
    Address asker, asked;
    Link back;
  };
  void see_arp(const Site& site, Octets frame, const View& view);
  bool see_solicitation(const Site& site, Octets frame, const View& view);
  void see_ip(const Site& site, Octets frame, const View& view);
  void see_transport(const Question& question);
  void answer_tcp(const Question& question, Frame& segment);
  void answer_error(const Question& question);
  void send(const Site& site, Frame frame);
  void send_ip(const Question& question, const Address& source, uint8_t protocol, const Frame& segment);

  Random& random_;
  std::deque<Packet> answers_;
};

}  // namespace sluice::fuzz
