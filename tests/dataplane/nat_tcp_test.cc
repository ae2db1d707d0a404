// SPDX-License-Identifier: BSD-3-Clause
//
// TCP connections through NAT, and how long they are remembered: behaviours B66, B67.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/session_state.h"
#include "tests/dataplane/nat_world.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;

constexpr uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kAck = 0x10;
constexpr unsigned kTransitory = 240, kEstablished = 7440;

/// One connection from 192.168.10.7:5000 to 198.51.100.9:80.
class NatTcp : public testing::Test {
 protected:
  void out(uint8_t flags, Here here = Here::current()) {
    home.goes_out(tcp("192.168.10.7:5000", "198.51.100.9:80").flags(flags),
                  tcp("203.0.113.2:5000", "198.51.100.9:80").flags(flags).ttl(63), 0, here);
  }
  void in(uint8_t flags, Here here = Here::current()) {
    home.comes_in(tcp("198.51.100.9:80", "203.0.113.2:5000").flags(flags),
                  tcp("198.51.100.9:80", "192.168.10.7:5000").flags(flags).ttl(63), 0, here);
  }
  void handshake() {
    out(kSyn);
    in(kSyn | kAck);
    out(kAck);
  }
  /// What is left of the session's time, seconds.
  void lives_for(unsigned seconds, Here here = Here::current()) {
    const testing::ScopedTrace trace(here.file, here.line, "");
    home.pass(seconds - 1);
    EXPECT_EQ(home.sessions(), 1u) << "a second too early";
    home.pass(2);
    EXPECT_EQ(home.sessions(), 0u) << "a second too late";
  }

  Home home{masquerade()};
};

TEST_F(NatTcp, B66_a_connection_that_opens_is_remembered_for_four_minutes) {
  out(kSyn);
  lives_for(kTransitory);
}

TEST_F(NatTcp, B66_an_open_connection_is_remembered_for_two_hours_and_four_minutes) {
  handshake();
  lives_for(kEstablished);
}

TEST_F(NatTcp, B66_either_side_keeps_an_open_connection) {
  handshake();
  home.pass(kEstablished - 1);
  out(kAck);
  home.pass(kEstablished - 1);
  in(kAck);
  lives_for(kEstablished);
}

TEST_F(NatTcp, B66_a_reset_from_inside_leaves_four_minutes) {
  handshake();
  out(kRst);
  lives_for(kTransitory);
}

TEST_F(NatTcp, B66_a_reset_from_outside_leaves_four_minutes) {
  handshake();
  in(kRst | kAck);
  lives_for(kTransitory);
}

TEST_F(NatTcp, B66_a_refused_connection_leaves_four_minutes) {
  out(kSyn);
  in(kRst | kAck);
  lives_for(kTransitory);
}

TEST_F(NatTcp, B66_a_connection_closed_by_both_sides_leaves_four_minutes) {
  handshake();
  out(kFin | kAck);
  in(kFin | kAck);
  out(kAck);
  lives_for(kTransitory);
}

TEST_F(NatTcp, B67_a_half_closed_connection_stays_open_for_the_other_half) {
  handshake();
  out(kFin | kAck);
  in(kAck);
  home.pass(kTransitory + 10);
  in(kAck);
  lives_for(kEstablished);
}

TEST_F(NatTcp, B67_a_half_closed_connection_of_the_other_side_stays_open_too) {
  handshake();
  in(kFin | kAck);
  out(kAck);
  home.pass(kTransitory + 10);
  out(kAck);
  lives_for(kEstablished);
}

TEST_F(NatTcp, B67_both_sides_may_open_at_once) {
  out(kSyn);
  in(kSyn);
  out(kSyn | kAck);
  in(kSyn | kAck);
  in(kAck);
  out(kAck);
  EXPECT_EQ(home.sessions(), 1u);
  lives_for(kEstablished);
}

TEST_F(NatTcp, B67_a_syn_may_be_sent_again) {
  out(kSyn);
  for (int i = 0; i < 4; ++i) {
    home.pass(120);
    out(kSyn);
  }
  EXPECT_EQ(home.sessions(), 1u);
  in(kSyn | kAck);
  in(kSyn | kAck);
  out(kAck);
  lives_for(kEstablished);
}

TEST_F(NatTcp, B67_a_port_may_be_used_again_in_time_wait) {
  handshake();
  out(kFin | kAck);
  in(kFin | kAck);
  out(kAck);
  home.pass(30);
  handshake();
  EXPECT_EQ(home.sessions(), 1u);
  lives_for(kEstablished);
}

TEST_F(NatTcp, B67_a_new_connection_in_time_wait_that_is_not_answered_is_transitory) {
  handshake();
  out(kFin | kAck);
  in(kFin | kAck);
  out(kSyn);
  lives_for(kTransitory);
}

TEST_F(NatTcp, B67_a_port_may_be_used_again_after_a_reset) {
  handshake();
  in(kRst);
  handshake();
  lives_for(kEstablished);
}

TEST_F(NatTcp, B66_a_connection_that_is_older_than_its_session_is_taken_up_in_the_middle) {
  out(kAck);
  home.pass(100);
  in(kAck);
  lives_for(kEstablished);
}

TEST_F(NatTcp, B66_only_one_side_of_a_connection_in_the_middle_is_not_yet_an_open_one) {
  out(kAck);
  out(kAck);
  lives_for(kTransitory);
}

TEST_F(NatTcp, B66_a_session_says_how_far_its_connection_is) {
  const auto state = [&] {
    const auto all = home.router().runtime().sessions({});
    return all.size() == 1 ? std::string(dataplane::state_name(all[0].session)) : "none";
  };
  out(kSyn);
  EXPECT_EQ(state(), "opening");
  in(kSyn | kAck);
  out(kAck);
  EXPECT_EQ(state(), "established");
  out(kFin | kAck);
  EXPECT_EQ(state(), "half-closed");
  in(kFin | kAck);
  EXPECT_EQ(state(), "closed");
  out(kSyn);
  in(kSyn | kAck);
  EXPECT_EQ(state(), "established") << "the port is used again";
  in(kRst);
  EXPECT_EQ(state(), "reset");
}

TEST_F(NatTcp, a_reset_opens_no_session) {
  home.is_dropped("lan", tcp("192.168.10.7:5000", "198.51.100.9:80").flags(kRst), DropReason::nat_no_session);
  home.is_dropped("lan", tcp("192.168.10.7:5000", "198.51.100.9:80").flags(kRst | kAck),
                  DropReason::nat_no_session);
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(NatTcpTimeouts, B66_are_those_of_the_rule) {
  Home home(masquerade("timeouts: { tcp-established: 3h, tcp-transitory: 5m }"));
  home.goes_out(tcp("192.168.10.7:5000", "198.51.100.9:80"),
                tcp("203.0.113.2:5000", "198.51.100.9:80").ttl(63));
  home.pass(299);
  EXPECT_EQ(home.sessions(), 1u);
  home.comes_in(tcp("198.51.100.9:80", "203.0.113.2:5000").flags(kSyn | kAck),
                tcp("198.51.100.9:80", "192.168.10.7:5000").flags(kSyn | kAck).ttl(63));
  home.pass(3 * 3600 - 1);
  EXPECT_EQ(home.sessions(), 1u);
  home.pass(2);
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(NatTcpData, passes_urgent_pointers_options_and_data_untouched) {
  Home home(masquerade());
  Frame data(1400);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * 7);
  home.goes_out(tcp("192.168.10.7:5000", "198.51.100.9:80").data(data),
                tcp("203.0.113.2:5000", "198.51.100.9:80").data(data).ttl(63));
  home.goes_out(tcp("192.168.10.7:5000", "198.51.100.9:80").data(Frame()),
                tcp("203.0.113.2:5000", "198.51.100.9:80").data(Frame()).ttl(63));
  home.comes_in(tcp("198.51.100.9:80", "203.0.113.2:5000").data(data).flags(kSyn | kAck),
                tcp("198.51.100.9:80", "192.168.10.7:5000").data(data).flags(kSyn | kAck).ttl(63));
}

}  // namespace
}  // namespace sluice::test
