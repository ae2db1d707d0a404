// SPDX-License-Identifier: BSD-3-Clause
//
// What a route table should say, found the plain way: one map a prefix length, asked from the longest to the
// shortest. It shares no code with the table, and counts addresses as numbers.
//
// Thread safety: none.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <unordered_map>

#include "control/reclaimer.h"
#include "dataplane/ip.h"
#include "dataplane/route_target.h"

namespace sluice::test {

__extension__ using Number = unsigned __int128;

struct NumberHash {
  size_t operator()(Number number) const {
    return std::hash<uint64_t>()(static_cast<uint64_t>(number >> 64) * 31 + static_cast<uint64_t>(number));
  }
};

inline void set(dataplane::Ip4& address, Number number) {
  address = static_cast<uint32_t>(number);
}
inline void set(dataplane::Ip6& address, Number number) {
  address = {static_cast<uint64_t>(number >> 64), static_cast<uint64_t>(number)};
}
template <class Address>
Address to_address(Number number) {
  Address address;
  set(address, number);
  return address;
}

/// For addresses of `Bits` bits.
template <unsigned Bits>
class RouteOracle {
 public:
  static Number first_of(Number address, unsigned length) {
    return length == 0 ? 0 : address >> (Bits - length) << (Bits - length);
  }
  static Number last_of(Number address, unsigned length) {
    Number last = first_of(address, length);
    for (unsigned bit = length; bit < Bits; ++bit) last |= Number{1} << (Bits - 1 - bit);
    return last;
  }

  /// True: it is a new route.
  bool add(Number prefix, unsigned length, dataplane::RouteTarget target) {
    const bool is_new = routes_[length].insert_or_assign(first_of(prefix, length), target).second;
    size_ += is_new;
    return is_new;
  }
  bool remove(Number prefix, unsigned length) {
    const bool removed = routes_[length].erase(first_of(prefix, length)) == 1;
    size_ -= removed;
    return removed;
  }
  [[nodiscard]] bool has(Number prefix, unsigned length) const {
    return routes_[length].count(first_of(prefix, length)) == 1;
  }
  [[nodiscard]] dataplane::RouteTarget look_up(Number address) const {
    for (unsigned length = Bits + 1; length-- > 0;) {
      if (routes_[length].empty()) continue;
      const auto found = routes_[length].find(first_of(address, length));
      if (found != routes_[length].end()) return found->second;
    }
    return {};
  }
  /// Some route of a random length that has any.
  template <class Random>
  std::optional<std::pair<Number, unsigned>> any(Random& random) const {
    const unsigned from = static_cast<unsigned>(random() % (Bits + 1));
    for (unsigned i = 0; i <= Bits; ++i) {
      const unsigned length = (from + i) % (Bits + 1);
      if (!routes_[length].empty()) return std::pair(routes_[length].begin()->first, length);
    }
    return std::nullopt;
  }
  [[nodiscard]] uint32_t size() const { return size_; }

 private:
  std::array<std::unordered_map<Number, dataplane::RouteTarget, NumberHash>, Bits + 1> routes_;
  uint32_t size_ = 0;
};

/// Addresses and prefixes that collide: a few bases, from which others part in one octet.
template <unsigned Bits>
class Colliding {
 public:
  explicit Colliding(std::mt19937_64& random) : random_(random) {
    for (Number& base : bases_) {
      base = wide();
      // Half of the bases part late from another one.
      if (&base != &bases_[0] && random_() % 2 == 0) base = parted(*(&base - 1));
    }
    bases_.front() = 0;
    bases_.back() = RouteOracle<Bits>::last_of(0, 0);
  }
  Number address() {
    const Number base = bases_[random_() % bases_.size()];
    return random_() % 3 == 0 ? parted(base) : base;
  }

 private:
  Number wide() {
    const Number number = Number{random_()} << 64 | random_();
    return number & RouteOracle<Bits>::last_of(0, 0);
  }
  // Differs from `base` in one octet, often in its first or last bit alone, and sometimes in all behind it.
  Number parted(Number base) {
    const unsigned shift = 8 * static_cast<unsigned>(random_() % (Bits / 8));
    constexpr std::array<unsigned, 4> kBits = {0x01, 0x80, 0xFF, 0x40};
    base ^= Number{kBits[random_() % kBits.size()]} << shift;
    if (random_() % 4 == 0) base ^= wide() & ((Number{1} << shift) - 1);
    return base;
  }

  std::mt19937_64& random_;
  std::array<Number, 12> bases_;
};

/// Marks are passed when the test says so.
class SteppedReclaimer : public control::Reclaimer {
 public:
  uint64_t mark() override { return ++last_; }
  bool passed(uint64_t mark) override { return mark <= passed_; }
  /// All who read before now have gone.
  void all_pass() { passed_ = last_; }

 private:
  uint64_t last_ = 0;
  uint64_t passed_ = 0;
};

}  // namespace sluice::test
