// SPDX-License-Identifier: BSD-3-Clause
//
// A keyed hash for what strangers choose: MAC addresses and sessions. Without the seed nobody can compute
// which keys share a bucket, so nobody can fill one on purpose. (CRC and multiply-xor hashes collide at will,
// even with a secret seed: they are linear.)
//
// AES rounds where the compiler may use them (three: full diffusion after two, one to spare, a dozen cycles
// of latency that overlap over a batch), SipHash-1-3 elsewhere.
//
// Thread safety: immutable after construction.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#ifdef __AES__
#include <immintrin.h>
#endif

namespace sluice::dataplane {

class KeyedHash {
 public:
  /// 128 secret bits, from the system's random source (or from --seed where runs must repeat).
  using Seed = std::array<uint64_t, 2>;

  explicit KeyedHash(const Seed& seed) : seed_(seed) {}

#ifdef __AES__
  [[nodiscard]] uint64_t operator()(uint64_t key) const {
    const __m128i secret = _mm_set_epi64x(static_cast<int64_t>(seed_[1]), static_cast<int64_t>(seed_[0]));
    __m128i state = _mm_xor_si128(_mm_set1_epi64x(static_cast<int64_t>(key)), secret);
    state = _mm_aesenc_si128(state, secret);
    state = _mm_aesenc_si128(state, secret);
    state = _mm_aesenc_si128(state, secret);
    return static_cast<uint64_t>(_mm_cvtsi128_si64(state));
  }

  /// Of a key of two words.
  [[nodiscard]] uint64_t operator()(uint64_t first, uint64_t second) const {
    const __m128i secret = _mm_set_epi64x(static_cast<int64_t>(seed_[1]), static_cast<int64_t>(seed_[0]));
    __m128i state = _mm_set_epi64x(static_cast<int64_t>(second), static_cast<int64_t>(first));
    state = _mm_xor_si128(state, secret);
    state = _mm_aesenc_si128(state, secret);
    state = _mm_aesenc_si128(state, secret);
    state = _mm_aesenc_si128(state, secret);
    return static_cast<uint64_t>(_mm_cvtsi128_si64(state));
  }
#else
  [[nodiscard]] uint64_t operator()(uint64_t key) const {
    return siphash(key);
  }
  /// Of a key of two words.
  [[nodiscard]] uint64_t operator()(uint64_t first, uint64_t second) const {
    return siphash(first, second);
  }
#endif

  /// SipHash-1-3 of the 8 octets of `key`, or of both words (Aumasson and Bernstein, 2012).
  [[nodiscard]] uint64_t siphash(uint64_t key) const {
    return siphash(std::array{key});
  }
  [[nodiscard]] uint64_t siphash(uint64_t first, uint64_t second) const {
    return siphash(std::array{first, second});
  }

 private:
  struct Sip {
    uint64_t v0, v1, v2, v3;
    void round() {
      v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
      v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
    }
    void absorb(uint64_t word) {
      v3 ^= word;
      round();
      v0 ^= word;
    }
  };

  template <size_t kWords>
  [[nodiscard]] uint64_t siphash(const std::array<uint64_t, kWords>& words) const {
    Sip sip{seed_[0] ^ 0x736f6d6570736575, seed_[1] ^ 0x646f72616e646f6d, seed_[0] ^ 0x6c7967656e657261,
            seed_[1] ^ 0x7465646279746573};
    for (uint64_t word : words) sip.absorb(word);
    sip.absorb(uint64_t{8 * kWords} << 56);
    sip.v2 ^= 0xff;
    for (int i = 0; i < 3; ++i) sip.round();
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
  }

  Seed seed_;
};

}  // namespace sluice::dataplane
