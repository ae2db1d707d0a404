// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat_mappings.h"

namespace sluice::dataplane {

uint64_t MappingTable::hash(const MappingKey& key) const {
  return hash_(uint64_t{key.inside} << 32 | key.remote,
               uint64_t{key.scope} << 48 | uint64_t{kInside} << 40 | uint64_t{key.protocol} << 32 |
                   uint32_t{key.inside_port} << 16 | key.remote_port);
}

uint64_t MappingTable::hash(const External& external) const {
  return hash_(external.address,
               uint64_t{kOutside} << 40 | uint64_t{external.protocol} << 32 | external.port);
}

// What the index holds is a line's index and the side that it is found by.
MappingIndex MappingTable::find(const MappingKey& key) const {
  const uint32_t bits = index_.find(hash(key), [&](uint32_t candidate) {
    return (candidate & 1) == kInside && lines_[candidate >> 1].key() == key;
  });
  return bits == FlowIndex::kNone ? kNoIndex : bits >> 1;
}

MappingIndex MappingTable::find(const External& external) const {
  const uint32_t bits = index_.find(hash(external), [&](uint32_t candidate) {
    return (candidate & 1) == kOutside && lines_[candidate >> 1].outside() == external;
  });
  return bits == FlowIndex::kNone ? kNoIndex : bits >> 1;
}

MappingIndex MappingTable::create(const MappingKey& key, const External& external, uint16_t slot) {
  if (find(key) != kNoIndex || find(external) != kNoIndex) return kNoIndex;
  const MappingIndex index = lines_.take();
  if (index == kNoIndex) return kNoIndex;
  const uint32_t inside = index << 1 | kInside, outside = index << 1 | kOutside;
  const bool in = index_.insert(hash(key), inside);
  if (!in || !index_.insert(hash(external), outside)) {
    if (in) index_.erase(hash(key), inside);
    lines_[index].users = 0;
    lines_.give(index);
    return kNoIndex;
  }
  lines_[index] = {.inside = key.inside,
                   .remote = key.remote,
                   .external = external.address,
                   .inside_port = key.inside_port,
                   .remote_port = key.remote_port,
                   .external_port = external.port,
                   .slot = slot,
                   .scope = key.scope,
                   .protocol = key.protocol,
                   .flags = 0,
                   .users = 1,
                   .next = 0};
  return index;
}

bool MappingTable::release(MappingIndex index) {
  Mapping& mapping = lines_[index];
  if (--mapping.users != 0) return false;
  index_.erase(hash(mapping.key()), index << 1 | kInside);
  index_.erase(hash(mapping.outside()), index << 1 | kOutside);
  lines_.give(index);
  return true;
}

uint64_t PermitTable::hash(const PermitKey& key) const {
  return hash_(uint64_t{key.external} << 32 | key.remote, uint64_t{key.protocol} << 32 | key.external_port);
}

PermitIndex PermitTable::find(const PermitKey& key, uint64_t hash) const {
  return index_.find(hash, [&](uint32_t candidate) { return lines_[candidate].key() == key; });
}

PermitIndex PermitTable::find(const PermitKey& key) const {
  return find(key, hash(key));
}

bool PermitTable::acquire(const PermitKey& key) {
  const uint64_t hashed = hash(key);
  if (const PermitIndex known = find(key, hashed); known != kNoIndex) {
    ++lines_[known].users;
    return true;
  }
  const PermitIndex index = lines_.take();
  if (index == kNoIndex) return false;
  if (!index_.insert(hashed, index)) {
    lines_.give(index);
    return false;
  }
  lines_[index] = {.external = key.external,
                   .remote = key.remote,
                   .users = 1,
                   .external_port = key.external_port,
                   .protocol = key.protocol,
                   .spare = 0};
  return true;
}

void PermitTable::release(const PermitKey& key) {
  const uint64_t hashed = hash(key);
  const PermitIndex index = find(key, hashed);
  if (index == kNoIndex || --lines_[index].users != 0) return;
  index_.erase(hashed, index);
  lines_.give(index);
}

}  // namespace sluice::dataplane
