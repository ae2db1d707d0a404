// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "config/decode.h"
#include "config/keys.h"
#include "config/text.h"

namespace sluice::config {
namespace {

constexpr size_t kMaxWorkers = 16;
constexpr unsigned kMaxCore = 1023;

void decode_cores(const Value& value, Workers& workers) {
  if (!value.is_list() || value.node.items.empty() || value.node.items.size() > kMaxWorkers) {
    value.mismatch(concat("a list of 1 to ", kMaxWorkers, " cores like [1, 2]"));
    return;
  }
  workers.location = value.node.location;
  for (size_t i = 0; i < value.node.items.size(); ++i) {
    const auto core = read_integer(value.item(i), 0, kMaxCore);
    if (!core) continue;
    if (std::count(workers.cores.begin(), workers.cores.end(), *core) > 0) {
      value.item(i).error(concat("core ", *core, " is listed twice: one core runs one worker"));
    }
    workers.cores.push_back(static_cast<unsigned>(*core));
  }
}

void decode_idle(const Value& value, Workers& workers) {
  const auto word = read_word(value, {"sleep", "spin"});
  if (word) workers.idle = *word == 0 ? Workers::Idle::sleep : Workers::Idle::spin;
}

constexpr Key<Workers> kKeys[] = {
    {"cores", "cores that run one worker each", decode_cores},
    {"idle", "what a worker without packets does: sleep or spin", decode_idle},
};

}  // namespace

void decode_workers(const Value& value, Config& config) {
  config.workers.location = value.node.location;
  decode_keys(value, kKeys, config.workers);
}

}  // namespace sluice::config
