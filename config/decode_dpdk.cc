// SPDX-License-Identifier: BSD-3-Clause
#include "config/decode.h"
#include "config/keys.h"

namespace sluice::config {
namespace {

constexpr uint64_t kMebibyte = uint64_t{1} << 20;
constexpr uint64_t kMinMemory = 64 * kMebibyte;
constexpr uint64_t kMaxMemory = 512 * 1024 * kMebibyte;  // RTE_MAX_MEM_MB of a common build
constexpr uint64_t kMinMbufs = 1024;
constexpr uint64_t kMaxMbufs = uint64_t{16} << 20;

void decode_hugepages(const Value& value, Dpdk& dpdk) {
  constexpr Dpdk::Hugepages meanings[] = {Dpdk::Hugepages::automatic, Dpdk::Hugepages::required,
                                          Dpdk::Hugepages::never};
  if (const auto word = read_word(value, {"auto", "true", "false"})) dpdk.hugepages = meanings[*word];
}

void decode_memory(const Value& value, Dpdk& dpdk) {
  store(read_bytes(value, kMinMemory, kMaxMemory), dpdk.memory_bytes);
}

void decode_mbufs(const Value& value, Dpdk& dpdk) {
  if (value.is_scalar() && value.node.text == "auto") return;
  store(read_integer(value, kMinMbufs, kMaxMbufs, "auto or "), dpdk.mbufs);
}

void decode_args(const Value& value, Dpdk& dpdk) {
  if (!value.is_list()) {
    value.mismatch("a list of EAL arguments like [\"--log-level=8\"]");
    return;
  }
  for (size_t i = 0; i < value.node.items.size(); ++i) {
    if (const auto argument = read_text(value.item(i))) dpdk.args.push_back(*argument);
  }
}

constexpr Key<Dpdk> kKeys[] = {
    {"hugepages", "auto: use them if there are any; true: refuse to start without; false: never",
     decode_hugepages},
    {"memory", "what EAL reserves, in whole MiB", decode_memory},
    {"mbufs", "packet buffers: auto, or their number", decode_mbufs},
    {"args", "handed to EAL as they are", decode_args},
};

}  // namespace

void decode_dpdk(const Value& value, Config& config) {
  decode_keys(value, kKeys, config.dpdk);
}

}  // namespace sluice::config
