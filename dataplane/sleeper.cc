// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/sleeper.h"

#include <rte_ethdev.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>

namespace sluice::dataplane {
namespace {

constexpr int kLookAgain_ms = 1;
constexpr int kUntilWoken = -1;

}  // namespace

Sleeper::Sleeper(Post& post) : post_(post), epoll_fd_(epoll_create1(EPOLL_CLOEXEC)) {
  wake_event_.epdata.event = EPOLLIN;
  rte_epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, post_.wake_fd, &wake_event_);
}

Sleeper::~Sleeper() {
  close(epoll_fd_);
}

void Sleeper::follow(const Snapshot& snapshot, unsigned worker) {
  if (snapshot.generation == generation_) [[likely]]
    return;
  get_up();
  forget_all();
  generation_ = snapshot.generation;
  for (const ReceiveQueue& queue : snapshot.queues[worker]) {
    if (!queue.interrupts || source_count_ == kMaxSources) {
      some_without_interrupts_ = true;
      continue;
    }
    Source& source = sources_[source_count_];
    source.queue = queue;
    if (listen(source)) {
      ++source_count_;
    } else {
      some_without_interrupts_ = true;
    }
  }
}

// A tap's descriptor is the packet queue itself: it stays readable while a packet waits, which is what we
// want, and EAL's own way would wait for edges.
bool Sleeper::listen(Source& source) {
  const ReceiveQueue& queue = source.queue;
  if (!queue.tap) {
    return rte_eth_dev_rx_intr_ctl_q(queue.device, queue.queue, epoll_fd_, RTE_INTR_EVENT_ADD, nullptr) == 0;
  }
  const int fd = rte_eth_dev_rx_intr_ctl_q_get_fd(queue.device, queue.queue);
  source.event = {};
  source.event.epdata.event = EPOLLIN;
  return fd >= 0 && rte_epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &source.event) == 0;
}

// The kernel device behind a tap has gone: its descriptor would end every wait at once.
void Sleeper::forget(int fd) {
  for (size_t i = 0; i < source_count_; ++i) {
    if (!sources_[i].queue.tap || sources_[i].event.fd != fd) continue;
    epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
    // rte_epoll keeps pointers to the events, so they must stay where they are.
    sources_[i].event.fd = -1;
    some_without_interrupts_ = true;
  }
}

void Sleeper::forget_all() {
  for (size_t i = 0; i < source_count_; ++i) {
    Source& source = sources_[i];
    if (source.queue.tap) {
      if (source.event.fd >= 0) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, source.event.fd, nullptr);
    } else {
      rte_eth_dev_rx_intr_ctl_q(source.queue.device, source.queue.queue, epoll_fd_, RTE_INTR_EVENT_DEL,
                                nullptr);
    }
  }
  source_count_ = 0;
  some_without_interrupts_ = false;
}

void Sleeper::lie_down() {
  for (size_t i = 0; i < source_count_; ++i) {
    const ReceiveQueue& queue = sources_[i].queue;
    if (!queue.tap) rte_eth_dev_rx_intr_enable(queue.device, queue.queue);
  }
  down_ = true;
  post_.sleeping.store(true, std::memory_order_relaxed);
  // Pairs with the fence in wake(): either the other side sees that we sleep, or we see its work.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Sleeper::wait() {
  std::array<rte_epoll_event, 8> events;
  const int timeout_ms = some_without_interrupts_ ? kLookAgain_ms : kUntilWoken;
  const int count = rte_epoll_wait(epoll_fd_, events.data(), events.size(), timeout_ms);
  for (int i = 0; i < count; ++i) {
    if ((events[static_cast<size_t>(i)].epdata.event & (EPOLLERR | EPOLLHUP)) != 0) {
      forget(events[static_cast<size_t>(i)].fd);
    }
  }
  uint64_t drained;
  // Non-blocking: it fails when somebody else's event ended the wait, and that is all right.
  [[maybe_unused]] const ssize_t result = read(post_.wake_fd, &drained, sizeof drained);
}

void Sleeper::get_up() {
  if (!down_) [[likely]]
    return;
  down_ = false;
  post_.sleeping.store(false, std::memory_order_relaxed);
  for (size_t i = 0; i < source_count_; ++i) {
    const ReceiveQueue& queue = sources_[i].queue;
    if (!queue.tap) rte_eth_dev_rx_intr_disable(queue.device, queue.queue);
  }
}

void wake(Shared& shared, unsigned index) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  Post& post = shared.posts[index];
  if (!post.sleeping.load(std::memory_order_relaxed)) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t result = write(post.wake_fd, &one, sizeof one);
}

void wake_control(Shared& shared) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!shared.control_waits.exchange(false, std::memory_order_relaxed)) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t result = write(shared.control_fd, &one, sizeof one);
}

}  // namespace sluice::dataplane
