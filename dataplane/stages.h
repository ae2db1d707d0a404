// SPDX-License-Identifier: BSD-3-Clause
//
// The stages in the order of a packet's life, and the edges between them.
//
// A stage is a plain function over the packets in its lane; for each it decides which later lane takes it.
// A new stage is one line here and one file of its name: the enum, the counter names, the prototype and the
// sweep's table all come from the line.
//
// Thread safety: constants and pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::dataplane {

struct Batch;
struct Context;

#define SLUICE_STAGES(X) \
  X(parse)               \
  X(bridge_in)           \
  X(ip_in)               \
  X(session)             \
  X(route)               \
  X(decide)              \
  X(neighbour)           \
  X(rewrite)             \
  X(bridge_out)          \
  X(replicate)           \
  X(transmit)            \
  X(punt)                \
  X(drop)

enum class Stage : uint8_t {
#define X(name) name,
  SLUICE_STAGES(X)
#undef X
};

inline constexpr size_t kStages = 0
#define X(name) +1
    SLUICE_STAGES(X)
#undef X
    ;

/// The stage's name in the code, with '_'; people read it with '-'.
inline constexpr std::array<std::string_view, kStages> kStageNames = {
#define X(name) #name,
    SLUICE_STAGES(X)
#undef X
};

namespace stages {
#define X(name) void name(Context& context, Batch& batch);
SLUICE_STAGES(X)
#undef X
}  // namespace stages

using StageFunction = void (*)(Context&, Batch&);

inline constexpr std::array<StageFunction, kStages> kStageFunctions = {
#define X(name) &stages::name,
    SLUICE_STAGES(X)
#undef X
};

}  // namespace sluice::dataplane
