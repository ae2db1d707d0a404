// SPDX-License-Identifier: BSD-3-Clause
//
// An array of zeroes, as large as it may ever get, that takes memory only where it was written to.
//
// Thread safety: as its elements'.
// Owner:         whoever made it.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <optional>
#include <utility>

namespace sluice::control {

/// REQUIRES: zeroes are a valid T, which needs no destruction.
template <class T>
class MappedArray {
 public:
  static std::optional<MappedArray> create(size_t count) {
    const size_t octets = count * sizeof(T);
    void* memory =
        mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return std::nullopt;
    return MappedArray(static_cast<T*>(memory), octets);
  }
  MappedArray(MappedArray&& from) noexcept
      : memory_(std::exchange(from.memory_, nullptr)), octets_(from.octets_) {}
  MappedArray& operator=(MappedArray&&) = delete;
  ~MappedArray() {
    if (memory_ != nullptr) munmap(memory_, octets_);
  }

  [[nodiscard]] T* data() const { return memory_; }
  T& operator[](size_t index) const { return memory_[index]; }

 private:
  MappedArray(T* memory, size_t octets) : memory_(memory), octets_(octets) {}

  T* memory_;
  size_t octets_;
};

}  // namespace sluice::control
