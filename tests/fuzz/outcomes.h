// SPDX-License-Identifier: BSD-3-Clause
//
// What became of the packets: how often each thing happened, and which of those that matter never did. A
// fuzzer that does not reach the deep states finds nothing there.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/world.h"

namespace sluice::fuzz {

class Outcomes {
 public:
  /// \param what a literal: it is looked up by its place, since this is done for every packet
  void count(const char* what) { ++seen_[what]; }
  /// The product's own counters, before a world goes.
  void collect(World& world);
  /// Prints all of them.
  void print(std::FILE* out) const;
  /// The essential ones that never happened.
  [[nodiscard]] std::vector<std::string> missing() const;

 private:
  using Counts = std::map<std::string, uint64_t, std::less<>>;
  [[nodiscard]] Counts all() const;

  std::map<const char*, uint64_t> seen_;
  Counts counts_;
};

}  // namespace sluice::fuzz
