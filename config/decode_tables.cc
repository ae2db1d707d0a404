// SPDX-License-Identifier: BSD-3-Clause
#include "config/decode.h"
#include "config/keys.h"

namespace sluice::config {
namespace {

constexpr uint64_t kMaxEntries = uint64_t{4} << 20;
constexpr uint64_t kMaxNeighbors = uint64_t{1} << 20;

constexpr Key<Tables> kKeys[] = {
    {"macs", "MAC addresses of all bridges together",
     [](const Value& value, Tables& tables) { store(read_integer(value, 1, kMaxEntries), tables.macs); }},
    {"sessions", "NAT sessions",
     [](const Value& value, Tables& tables) { store(read_integer(value, 1, kMaxEntries), tables.sessions); }},
    {"routes", "routes of all VRFs together",
     [](const Value& value, Tables& tables) { store(read_integer(value, 1, kMaxEntries), tables.routes); }},
    {"neighbors", "neighbors of all interfaces together",
     [](const Value& value, Tables& tables) {
       store(read_integer(value, 1, kMaxNeighbors), tables.neighbors);
     }},
};

}  // namespace

void decode_tables(const Value& value, Config& config) {
  decode_keys(value, kKeys, config.tables);
}

}  // namespace sluice::config
