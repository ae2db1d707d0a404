// SPDX-License-Identifier: BSD-3-Clause
//
// Memory for what must not be left half done. While there is a reserve, whoever finds no memory gives it back
// to the allocator and asks again: so a change that has its reserve comes to its end.
//
// Thread safety: the control thread alone, as operator new's handler is the whole process's: workers do not
//   allocate.
// Invariants:    one reserve at a time.
// Owner:         Runtime, for as long as a change takes.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace sluice::control {

class MemoryReserve {
 public:
  explicit MemoryReserve(size_t bytes) : block_(::operator new(bytes, std::nothrow)) {
    if (block_ == nullptr) return;
    owner_ = this;
    before_ = std::set_new_handler([] { owner_->release(); });
  }
  ~MemoryReserve() { release(); }
  MemoryReserve(const MemoryReserve&) = delete;
  MemoryReserve& operator=(const MemoryReserve&) = delete;

  /// False: it could not be had, or has been used.
  [[nodiscard]] bool whole() const { return block_ != nullptr; }

 private:
  void release() {
    if (block_ == nullptr) return;
    std::set_new_handler(before_);
    ::operator delete(std::exchange(block_, nullptr));
  }

  static inline MemoryReserve* owner_ = nullptr;
  std::new_handler before_ = nullptr;
  void* block_;
};

}  // namespace sluice::control
