// SPDX-License-Identifier: BSD-3-Clause
#include "config/decode.h"
#include "config/keys.h"

namespace sluice::config {
namespace {

constexpr uint64_t kMaxMacs = uint64_t{4} << 20;

void decode_macs(const Value& value, Tables& tables) {
  store(read_integer(value, 1, kMaxMacs), tables.macs);
}

constexpr Key<Tables> kKeys[] = {
    {"macs", "MAC addresses of all bridges together", decode_macs},
    {"sessions", "NAT sessions"},
    {"routes", "routes of all VRFs together"},
    {"neighbors", "neighbors of all interfaces together"},
};

}  // namespace

void decode_tables(const Value& value, Config& config) {
  decode_keys(value, kKeys, config.tables);
}

}  // namespace sluice::config
