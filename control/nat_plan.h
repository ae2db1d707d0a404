// SPDX-License-Identifier: BSD-3-Clause
//
// The NAT rules of the file in the form in which the packet path asks, and the numbers that outlive a reload:
// each external address its slot in the arena, each rule name its scope.
//
// Thread safety: the control thread alone.
// Owner:         Router.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "control/interface_table.h"
#include "dataplane/nat_arena.h"
#include "dataplane/nat_rules.h"

namespace sluice::control {

/// External addresses that a configuration names, pools counted out.
size_t external_addresses(const config::Config& config);

class NatPlan {
 public:
  /// \param slots of the arena
  explicit NatPlan(uint32_t slots) : slots_(slots) {}

  /// Whether there are slots for all external addresses of `config` beside those still in use.
  [[nodiscard]] bool has_room(const config::Config& config, const dataplane::NatArena& arena) const;

  /// The rules for a snapshot. Their generation is a new one only if they differ from those built before.
  /// Writes the addresses of new slots into the arena. REQUIRES: has_room().
  dataplane::NatRules build(const config::Config& config, const InterfaceTable& interfaces,
                            const dataplane::NatArena& arena);

 private:
  struct Builder;
  uint16_t slot_of(dataplane::Ip4 address, const dataplane::NatArena& arena);
  uint16_t scope_of(const std::string& name);

  uint32_t slots_;
  std::map<dataplane::Ip4, uint16_t> slot_by_address_;
  std::set<dataplane::Ip4> wanted_;  ///< external addresses of the last build
  std::map<std::string, uint16_t> scope_by_name_;
  std::string last_;  ///< what the rules of `generation_` were built from
  uint32_t generation_ = 0;
};

}  // namespace sluice::control
