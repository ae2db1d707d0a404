// SPDX-License-Identifier: BSD-3-Clause
//
// The life of the dataplane: start, worker threads, stop. Changes are in apply.cc, views in books.cc.
#include "control/runtime.h"

#include <pthread.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>

#include "absl/strings/str_cat.h"
#include "control/buffers.h"
#include "control/log.h"
#include "control/status.h"

namespace sluice::control {
namespace {

absl::Status no_memory(const char* what, uint64_t bytes) {
  constexpr uint64_t kMebibyte = 1 << 20;
  return machine_error(
      absl::StrCat("no memory for ", what, ": ", bytes / kMebibyte + 1,
                   " MiB are needed: give the machine more, or lower the table or buffer sizes "
                   "(sluice check FILE shows them)"));
}

}  // namespace

Runtime::Runtime(Devices& devices, Options options)
    : devices_(devices),
      options_(std::move(options)),
      no_memory_(
          machine_error("no memory for the configuration: nothing has changed; give the machine more, or "
                        "raise the limit (ulimit -v)")) {}

Runtime::~Runtime() {
  stop();
}

absl::Status Runtime::start(const config::Config& config) {
  return with_reserve(config, [&] { return begin(config); });
}

absl::Status Runtime::begin(const config::Config& config) {
  shared_.workers = static_cast<unsigned>(options_.cpus.workers.size());
  started_ = true;
  if (absl::Status status = allocate(config); !status.ok()) return status;
  for (unsigned index = 0; index < shared_.workers; ++index) {
    workers_.push_back(std::make_unique<dataplane::Worker>(shared_, index));
  }
  last_known_.resize(shared_.workers);
  config_ = config;
  config_.ports.clear();
  config_.bridges.clear();
  config_.interfaces.clear();
  config_.routes.clear();
  config_.neighbors.clear();
  config_.nat.clear();
  put_in_force(config_);
  if (absl::Status status = change_to(config); !status.ok()) return status;
  if (options_.mode == Mode::threads) start_threads();
  return absl::OkStatus();
}

absl::Status Runtime::allocate(const config::Config& config) {
  const uint32_t mbufs = mbuf_count(config, shared_.workers);
  shared_.pool = make_pool(mbufs);
  if (shared_.pool == nullptr) return no_memory("packet buffers", mbuf_bytes(mbufs));

  const dataplane::KeyedHash::Seed seed = {options_.seed[0], options_.seed[1]};
  macs_ = dataplane::MacTable::create(config.tables.macs, seed);
  if (!macs_) return no_memory("tables: macs", dataplane::MacTable::memory_bytes(config.tables.macs));
  shared_.macs = macs_.get();

  const size_t size = rte_rcu_qsbr_get_memsize(dataplane::kMaxWorkers);
  shared_.rcu = static_cast<rte_rcu_qsbr*>(rte_zmalloc("rcu", size, RTE_CACHE_LINE_SIZE));
  if (shared_.rcu == nullptr) return no_memory("RCU", size);
  rte_rcu_qsbr_init(shared_.rcu, dataplane::kMaxWorkers);
  for (unsigned index = 0; index < shared_.workers; ++index) {
    shared_.posts[index].wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (shared_.posts[index].wake_fd < 0) return machine_error("no file descriptors left: raise ulimit -n");
  }
  shared_.control_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (shared_.control_fd < 0) return machine_error("no file descriptors left: raise ulimit -n");
  if (absl::Status status = make_rings(); !status.ok()) return status;
  shared_.hash = dataplane::KeyedHash(seed);
  absl::StatusOr<std::unique_ptr<Router>> router = Router::create(config, options_.seed, shared_);
  if (!router.ok()) return router.status();
  router_ = *std::move(router);
  return absl::OkStatus();
}

absl::Status Runtime::make_rings() {
  bool complete = true;
  const auto make = [&](const std::string& name, unsigned slots) {
    rte_ring* ring = rte_ring_create(name.c_str(), slots, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    complete &= ring != nullptr;
    return ring;
  };
  for (unsigned from = 0; from < shared_.workers; ++from) {
    for (unsigned to = 0; to < shared_.workers; ++to) {
      if (from == to) continue;
      shared_.rings[from][to] = make(absl::StrCat("handover", from, "to", to), dataplane::kHandoverSlots);
    }
    for (size_t kind = 0; kind < dataplane::kPuntClasses; ++kind) {
      shared_.punts[from][kind] = make(absl::StrCat("punt", from, "class", kind), dataplane::kPuntSlots);
    }
    shared_.injections[from] = make(absl::StrCat("inject", from), dataplane::kPuntSlots);
  }
  return complete ? absl::OkStatus() : no_memory("rings", handover_bytes(shared_.workers));
}

void Runtime::start_threads() {
  for (unsigned index = 0; index < shared_.workers; ++index) {
    threads_.emplace_back([this, index] { worker_thread(index); });
  }
}

void Runtime::worker_thread(unsigned index) {
  // No signals but those of our own faults; control handles the others.
  sigset_t blocked;
  sigfillset(&blocked);
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigdelset(&blocked, signal);
  pthread_sigmask(SIG_SETMASK, &blocked, nullptr);

  const unsigned core = options_.cpus.workers[index];
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(core, &cpus);
  pthread_setname_np(pthread_self(), absl::StrCat("worker-", index).c_str());
  // Known to EAL, the thread has a mempool cache of its own.
  if (pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus) != 0 || rte_thread_register() != 0) {
    log_error(absl::StrCat("worker ", index, ": cannot be put on core ", core,
                           ": it runs without its own core or buffer cache"));
  }
  using Wish = config::Workers::Idle;
  const bool sleeps = config_.workers.idle == Wish::sleep;
  workers_[index]->run(clock_, sleeps ? dataplane::Idle::sleep : dataplane::Idle::spin);
  rte_thread_unregister();
}

void Runtime::stop_threads() {
  shared_.stop = true;
  for (unsigned index = 0; index < threads_.size(); ++index) dataplane::wake(shared_, index);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Runtime::stop() {
  if (!std::exchange(started_, false)) return;
  stop_threads();
  wait_for_quiescence();  // what the workers gave each other is still sent
  if (router_) router_->drop_all();
  for (const auto& [name, port] : ports_) close_port(port);
  ports_.clear();
  snapshot_.reset();
  workers_.clear();
  free_rings();
  for (dataplane::Post& post : shared_.posts) {
    if (post.wake_fd >= 0) close(std::exchange(post.wake_fd, -1));
  }
  router_.reset();
  if (shared_.control_fd >= 0) close(std::exchange(shared_.control_fd, -1));
  rte_free(shared_.rcu);
  rte_mempool_free(shared_.pool);
}

void Runtime::free_rings() {
  const auto free_ring = [](rte_ring*& ring) {
    void* packet = nullptr;
    while (ring != nullptr && rte_ring_dequeue(ring, &packet) == 0)
      rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
    rte_ring_free(std::exchange(ring, nullptr));
  };
  for (unsigned from = 0; from < dataplane::kMaxWorkers; ++from) {
    for (rte_ring*& ring : shared_.rings[from]) free_ring(ring);
    for (rte_ring*& ring : shared_.punts[from]) free_ring(ring);
    free_ring(shared_.injections[from]);
  }
}

uint64_t Runtime::now_ns() const {
  return options_.mode == Mode::threads ? clock_.ns(rte_rdtsc()) : stepped_now_ns_;
}

unsigned Runtime::step(uint64_t now_ns) {
  stepped_now_ns_ = now_ns;
  unsigned packets = 0;
  for (const auto& worker : workers_)
    packets += tracer_ == nullptr ? worker->poll(now_ns) : worker->poll(now_ns, *tracer_);
  packets += router_->serve(now_ns);
  const bool due = router_->next_due().value_or(UINT64_MAX) <= now_ns;
  router_->advance(now_ns);
  return packets + due;
}

}  // namespace sluice::control
