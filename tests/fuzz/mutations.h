// SPDX-License-Identifier: BSD-3-Clause
//
// Damage to packets that knows where their fields are. Half of the time the checksums are made right again,
// so that the damage gets past the first look.
//
// Thread safety: one thread.
#pragma once

#include <vector>

#include "tests/fuzz/segments.h"

namespace sluice::fuzz {

/// Damages some packets of a burst, adds copies and changes the order.
void mutate(Random& random, std::vector<Packet>& burst);

}  // namespace sluice::fuzz
