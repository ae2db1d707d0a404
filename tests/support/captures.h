// SPDX-License-Identifier: BSD-3-Clause
//
// A folder of captures for a test: what goes in, and what came out.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/frame.h"

namespace sluice::test {

inline constexpr uint64_t kSecond = 1'000'000'000;
/// Of the captures' clock: 2023-11-14.
inline constexpr uint64_t kEpoch = 1'700'000'000 * kSecond;

struct Timed {
  uint64_t time_ns;
  Frame frame;
  friend bool operator==(const Timed&, const Timed&) = default;
};

/// The folder goes with the object.
class Captures {
 public:
  Captures();
  ~Captures();
  Captures(const Captures&) = delete;
  Captures& operator=(const Captures&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  /// Where what left is written to.
  [[nodiscard]] std::string out() const { return path("out"); }
  /// Writes a capture; returns its path.
  [[nodiscard]] std::string write(const std::string& name, const std::vector<Timed>& frames) const;
  [[nodiscard]] static std::vector<Timed> read(const std::string& file);
  /// What left by a port.
  [[nodiscard]] std::vector<Timed> sent(const std::string& port) const {
    return read(out() + "/" + port + ".pcap");
  }
  /// The octets of a file.
  [[nodiscard]] std::string octets(const std::string& name) const;

 private:
  std::string path_;
};

}  // namespace sluice::test
