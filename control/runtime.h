// SPDX-License-Identifier: BSD-3-Clause
//
// The dataplane as control sees it: devices, workers, tables, and the snapshot in force. It turns a Config
// into forwarding, and a new Config into a change of it that loses nothing on what stays.
//
// Thread safety: the control thread alone; it starts and joins the workers' threads itself.
// Invariants:    what apply() refuses has changed nothing. A device closes only when no worker can reach it.
// Owner:         the `run` command; tests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "config/config.h"
#include "control/cpus.h"
#include "control/devices.h"
#include "control/domains.h"
#include "control/router.h"
#include "control/snapshot_builder.h"
#include "dataplane/clock.h"
#include "dataplane/shared.h"
#include "dataplane/worker.h"

namespace sluice::control {

/// A MAC table entry in names.
struct MacView {
  std::string bridge;
  config::VlanId vlan;
  config::MacAddress mac;
  std::string port;
  bool is_static;
  uint32_t age_s;  ///< since it was last seen; 0 for static ones
};

/// Which entries are meant; what is unset matches all.
struct MacFilter {
  std::optional<std::string> bridge;
  std::optional<config::VlanId> vlan;
  std::optional<std::string> port;
};

/// A session and the worker that has it.
struct SessionView {
  unsigned worker;
  uint32_t remaining_ms;  ///< until it expires, if nothing comes
  dataplane::Session session;
};

/// The workers' books at one moment.
struct Books {
  std::vector<dataplane::Counters> workers;
  std::vector<bool> fresh;        ///< false: this worker has not answered; its figures are the last known
  dataplane::Counters total{};    ///< of all of them, since the start
  dataplane::Counters control{};  ///< the control thread's own book
  uint64_t held = 0;              ///< in `again` queues, on rings, and for neighbors
  int64_t unaccounted = 0;        ///< 0, or there is a bug
};

class Runtime {
 public:
  enum class Mode {
    threads,  ///< every worker has its thread and its core
    stepped,  ///< the caller polls the workers, and says what time it is
  };

  struct Options {
    Mode mode = Mode::threads;
    CpuPlan cpus;               ///< stepped: only the number of workers counts
    uint64_t seed[2] = {0, 0};  ///< of the keyed hash
  };

  Runtime(Devices& devices, Options options);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Allocates buffers and tables, opens the ports, starts the workers. REQUIRES: EAL runs.
  absl::Status start(const config::Config& config);

  /// Makes `config` the one in force, or changes nothing and says why. Memory is asked for first, all that
  /// the change can need: what has begun does not end for want of it.
  absl::Status apply(const config::Config& config);

  /// Whether apply() would take `config`, as far as can be said without opening ports.
  [[nodiscard]] absl::Status acceptable(const config::Config& config) const;

  /// What apply() would change, a sentence each; empty: nothing.
  [[nodiscard]] std::vector<std::string> difference(const config::Config& config) const;

  /// Stops the workers and closes the ports. Also done by the destructor.
  void stop();

  // ---- work that comes round
  // -----------------------------------------------------------------------------------

  /// Forgets the addresses that were not seen for their bridge's mac-ageing. Once a second.
  void age_macs();
  /// Forgets what was learned on ports whose link went down since the last call.
  void watch_links();

  /// Answers what the workers handed up, and does what neighbors are due for. When control_fd() is readable,
  /// and at next_due_ns(). Asks to be woken for what comes later.
  void serve_router();
  [[nodiscard]] int control_fd() const { return shared_.control_fd; }
  /// From now; none: nothing is due.
  [[nodiscard]] std::optional<uint64_t> ns_until_due() const;
  /// Wakes workers that sleep on sessions, whose time passes. Once a second.
  void wake_workers();

  // ---- what `show` shows
  // ---------------------------------------------------------------------------------------

  Books books();
  [[nodiscard]] std::vector<MacView> macs(const MacFilter& filter) const;
  uint32_t clear_macs(const MacFilter& filter);
  /// The sessions that match, of all workers.
  std::vector<SessionView> sessions(const dataplane::SessionFilter& filter);
  /// Ends them; returns how many.
  uint64_t clear_sessions(const dataplane::SessionFilter& filter);
  Router& router() { return *router_; }
  [[nodiscard]] uint64_t now_ns() const;
  [[nodiscard]] const dataplane::Snapshot& snapshot() const { return *snapshot_; }
  [[nodiscard]] const config::Config& config() const { return config_; }
  [[nodiscard]] const OpenPorts& ports() const { return ports_; }
  [[nodiscard]] const dataplane::MacTable& mac_table() const { return *macs_; }
  [[nodiscard]] const CpuPlan& cpus() const { return options_.cpus; }
  bool link_up(const OpenPort& port) { return devices_.link_up(port.device); }
  [[nodiscard]] unsigned mbufs_in_use() const;
  [[nodiscard]] unsigned mbufs() const;

  // ---- Mode::stepped
  // -------------------------------------------------------------------------------------------

  dataplane::Worker& worker(unsigned index) { return *workers_[index]; }
  rte_mempool* pool() { return shared_.pool; }
  /// One turn of every worker, in order, and of control, at `now_ns`. Returns how many packets there were,
  /// and one for a timer that fired; 0: all is quiet.
  unsigned step(uint64_t now_ns);
  /// From now on `tracer` looks on; null: nobody.
  void set_tracer(dataplane::Tracer* tracer) { tracer_ = tracer; }

 private:
  struct Change;

  absl::Status with_reserve(const config::Config& next, const std::function<absl::Status()>& work);
  absl::Status begin(const config::Config& config);
  absl::Status change_to(const config::Config& next);
  absl::Status allocate(const config::Config& config);
  absl::Status make_rings();
  [[nodiscard]] absl::Status refuse_restart_keys(const config::Config& next) const;
  [[nodiscard]] absl::Status check_room(const config::Config& next) const;
  absl::Status open_ports(const config::Config& next, const std::vector<std::string>& names,
                          OpenPorts& opened);
  absl::Status replace_ports(const config::Config& next, Change& change);
  absl::StatusOr<OpenPort> open_port(const config::Port& port, const config::Config& all,
                                     const OpenPorts& opened);
  [[nodiscard]] std::vector<unsigned> choose_pollers(unsigned queues, const OpenPorts& opened) const;
  void close_port(const OpenPort& port);
  void put_in_force(const config::Config& config);
  void install_static_macs(const config::Config& config);
  void erase_stale_macs(const config::Config& config);
  void forget_hosts_behind(const std::string& port);
  void set_mac_limits(const config::Config& config);
  void wait_until_unused();
  void wait_for_quiescence();
  dataplane::PortIndex free_index();
  void start_threads();
  void stop_threads();
  void worker_thread(unsigned index);
  template <class Use>
  void ask_for_sessions(dataplane::SessionDump::Order order, const dataplane::SessionFilter& filter, Use use);
  [[nodiscard]] const std::string* port_name(dataplane::PortIndex index) const;
  [[nodiscard]] bool matches(const dataplane::MacTable::Entry& entry, const MacFilter& filter) const;
  void free_rings();

  Devices& devices_;
  Options options_;
  dataplane::Clock clock_;
  uint64_t stepped_now_ns_ = 0;
  dataplane::Tracer* tracer_ = nullptr;
  config::Config config_;
  OpenPorts ports_;
  Domains domains_;
  dataplane::Shared shared_;
  std::unique_ptr<dataplane::MacTable> macs_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<const dataplane::Snapshot> snapshot_;
  std::vector<std::unique_ptr<dataplane::Worker>> workers_;
  std::vector<std::thread> threads_;
  std::vector<dataplane::Counters> last_known_;
  std::map<std::string, bool> links_;
  uint64_t generation_ = 0;
  dataplane::PortIndex last_index_ = 0;
  bool started_ = false;
  const absl::Status no_memory_;  ///< made beforehand: then there is none for a sentence
};

}  // namespace sluice::control
