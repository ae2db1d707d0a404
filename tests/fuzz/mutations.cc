// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/mutations.h"

#include <algorithm>
#include <array>

namespace sluice::fuzz {
namespace {

constexpr unsigned kMutated_percent = 35;
constexpr size_t kLongestFrame = 9200;
constexpr uint32_t kNumbers[] = {
    0,      1,      2,      3,      4,      5,      6,      7,      8,      14,     15,    16,   19,
    20,     21,     28,     40,     44,     48,     58,     60,     63,     64,     127,   128,  129,
    200,    254,    255,    256,    576,    1279,   1280,   1399,   1400,   1401,   1499,  1500, 0x1FFF,
    0x2000, 0x2001, 0x4000, 0x7FFF, 0x8000, 0x8100, 0x86DD, 0x88A8, 0xFFF8, 0xFFFE, 0xFFFF};

struct Field {
  size_t at;
  uint8_t size;
};

// The fields that parsers believe: types, lengths, offsets, protocols, checksums, ports.
class Fields {
 public:
  explicit Fields(Octets frame) : frame_(frame), view_(view_of(frame)) {
    add(12, 2);
    if (view_.tags > 0) add(14, 2), add(16, 2);
    if (view_.type == kTypeArp) add_all(view_.l3, {{0, 2}, {2, 2}, {4, 1}, {5, 1}, {6, 2}, {14, 2}, {24, 2}});
    if (view_.family != 0) add_ip(view_);
  }
  [[nodiscard]] const Field* pick(Random& random) const {
    return count_ == 0 ? nullptr : &fields_[random.below(static_cast<uint32_t>(count_))];
  }

 private:
  void add(size_t at, uint8_t size) {
    if (at + size <= frame_.size() && count_ < fields_.size()) fields_[count_++] = {at, size};
  }
  void add_all(size_t base, std::initializer_list<Field> fields) {
    for (const Field& field : fields) add(base + field.at, field.size);
  }
  void add_ip(const View& view) {
    if (view.family == 4) {
      add_all(view.l3,
              {{0, 1}, {1, 1}, {2, 2}, {4, 2}, {6, 2}, {8, 1}, {9, 1}, {10, 2}, {12, 1}, {16, 1}, {20, 2}});
    } else {
      add_all(view.l3, {{0, 1}, {4, 2}, {6, 1}, {7, 1}, {8, 1}, {24, 1}, {40, 1}, {41, 1}, {42, 2}});
    }
    add_all(view.l4, {{0, 2}, {2, 2}, {4, 2}, {6, 2}, {12, 1}, {13, 1}, {16, 2}, {20, 2}});
    if (!is_error(view, frame_)) return;
    const View quote = view_of_ip(frame_, view.l4 + 8);
    if (quote.family != 0 && quote.l3 != view.l3) add_ip(quote);
  }

  Octets frame_;
  View view_;
  std::array<Field, 64> fields_{};
  size_t count_ = 0;
};

void set_field(Random& random, Frame& frame) {
  const Fields fields(frame);
  const Field* field = fields.pick(random);
  if (field == nullptr) return;
  uint32_t value = random.pick(kNumbers);
  if (random.one_in(4))
    value = field->size == 2 ? load16(&frame[field->at]) + random.below(17) - 8 : random.octet();
  if (random.one_in(6)) value = static_cast<uint32_t>(frame.size()) - 14 + random.below(5) - 2;
  if (field->size == 2) {
    store16(&frame[field->at], value);
  } else {
    frame[field->at] = static_cast<uint8_t>(value);
  }
}

void flip_bits(Random& random, Frame& frame) {
  for (unsigned flips = random.between(1, 4); flips > 0 && !frame.empty(); --flips) {
    const size_t reach = random.percent(80) ? std::min<size_t>(frame.size(), 80) : frame.size();
    frame[random.below(static_cast<uint32_t>(reach))] ^= static_cast<uint8_t>(1u << random.below(8));
  }
}

void truncate(Random& random, Frame& frame) {
  const View view = view_of(frame);
  const size_t edges[] = {
      view.l3,     view.l3 + 1, view.l3 + 19, view.l3 + 20, view.l4,
      view.l4 + 1, view.l4 + 7, view.l4 + 8,  view.l4 + 19, view.end > 0 ? view.end - 1 : 0};
  const size_t length =
      random.percent(50) ? random.pick(edges) : random.below(static_cast<uint32_t>(frame.size()));
  if (length < frame.size()) frame.resize(std::max<size_t>(length, 1));
}

void extend(Random& random, Frame& frame) {
  const size_t more = random.percent(70) ? random.between(1, 64) : random.between(64, 4000);
  frame.resize(std::min(frame.size() + more, kLongestFrame), random.octet());
}

// The lengths of IP and UDP say what there is: what was cut is no longer missing.
void repair_lengths(Frame& frame) {
  const View view = view_of(frame);
  if (view.family == 0) return;
  const size_t length = frame.size() - view.l3;
  if (view.family == 4) store16(frame.data() + view.l3 + 2, static_cast<uint32_t>(length));
  if (view.family == 6) store16(frame.data() + view.l3 + 4, static_cast<uint32_t>(length - 40));
  if (view.protocol == kUdp && view.is_first() && frame.size() >= view.l4 + 8)
    store16(frame.data() + view.l4 + 4, static_cast<uint32_t>(frame.size() - view.l4));
}

void insert_or_erase(Random& random, Frame& frame) {
  const View view = view_of(frame);
  const size_t places[] = {12, view.l3, view.l4, view.l4 + 8};
  const size_t at = std::min(random.pick(places), frame.size());
  const size_t length = random.percent(50) ? 4 : random.between(1, 8);
  if (random.percent(50) && frame.size() < kLongestFrame) {
    frame.insert(frame.begin() + static_cast<ptrdiff_t>(at), length, random.octet());
  } else if (at + length < frame.size()) {
    frame.erase(frame.begin() + static_cast<ptrdiff_t>(at),
                frame.begin() + static_cast<ptrdiff_t>(at + length));
  }
}

// The head of one and the tail of another, cut where both have an edge, or anywhere.
void splice(Random& random, Frame& frame, const Frame& other) {
  const View left = view_of(frame), right = view_of(other);
  size_t from = right.l4, to = left.l4;
  if (random.percent(40)) from = right.l3, to = left.l3;
  if (random.percent(30))
    from = to = random.below(static_cast<uint32_t>(std::min(frame.size(), other.size())));
  if (to > frame.size() || from > other.size()) return;
  Frame joined(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(to));
  joined.insert(joined.end(), other.begin() + static_cast<ptrdiff_t>(from), other.end());
  if (!joined.empty() && joined.size() <= kLongestFrame) frame = std::move(joined);
}

void damage(Random& random, Frame& frame, const Frame& other) {
  const unsigned kind = random.below(100);
  if (kind < 20) return flip_bits(random, frame);
  if (kind < 65) return set_field(random, frame);
  if (kind < 77) return truncate(random, frame);
  if (kind < 84) return extend(random, frame);
  if (kind < 91) return insert_or_erase(random, frame);
  splice(random, frame, other);
}

}  // namespace

void mutate(Random& random, std::vector<Packet>& burst) {
  const auto some = [&]() -> Packet& { return burst[random.below(static_cast<uint32_t>(burst.size()))]; };
  const size_t whole = burst.size();
  for (size_t i = 0; i < whole; ++i) {
    if (!random.percent(kMutated_percent)) continue;
    Packet& packet = burst[i];
    if (random.one_in(12)) packet.port = static_cast<PortName>(random.below(kPorts));
    for (unsigned times = random.one_in(4) ? random.between(2, 5) : 1; times > 0; --times)
      if (!packet.octets.empty()) damage(random, packet.octets, some().octets);
    if (random.one_in(3)) repair_lengths(packet.octets);
    if (random.percent(50)) repair_checksums(packet.octets);
    if (random.one_in(16)) burst.push_back(Packet(packet));
  }
  for (size_t swaps = burst.size() / 8; swaps > 0; --swaps) std::swap(some(), some());
}

}  // namespace sluice::fuzz
