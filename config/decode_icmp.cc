// SPDX-License-Identifier: BSD-3-Clause
#include "config/decode.h"
#include "config/keys.h"

namespace sluice::config {
namespace {

constexpr uint32_t kMaxRate = 1'000'000;

constexpr Key<Icmp> kKeys[] = {
    {"rate-limit", "errors a second at most, ICMP and ICMPv6 together",
     [](const Value& value, Icmp& icmp) { store(read_per_second(value, 1, kMaxRate), icmp.rate_limit); }},
    {"burst", "errors at once at most",
     [](const Value& value, Icmp& icmp) { store(read_integer(value, 1, kMaxRate), icmp.burst); }},
};

}  // namespace

void decode_icmp(const Value& value, Config& config) {
  decode_keys(value, kKeys, config.icmp);
}

}  // namespace sluice::config
