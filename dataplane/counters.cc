// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/counters.h"

namespace sluice::dataplane {

int64_t unaccounted(const Counters& counters) {
  uint64_t in = counters.generated + counters.taken_over;
  uint64_t out = counters.consumed + counters.handed_over + counters.held;
  for (const PortCounters& port : counters.ports) {
    in += port.received;
    out += port.transmitted;
    for (uint64_t dropped : port.drops) out += dropped;
  }
  return static_cast<int64_t>(in - out);
}

void add(Counters& into, const Counters& from) {
  // Every field is a uint64_t, so the struct is an array of them.
  static_assert(sizeof(Counters) % sizeof(uint64_t) == 0 && alignof(Counters) == alignof(uint64_t));
  auto* to = reinterpret_cast<uint64_t*>(&into);
  const auto* source = reinterpret_cast<const uint64_t*>(&from);
  for (size_t i = 0; i < sizeof(Counters) / sizeof(uint64_t); ++i) to[i] += source[i];
}

}  // namespace sluice::dataplane
