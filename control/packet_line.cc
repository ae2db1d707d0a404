// SPDX-License-Identifier: BSD-3-Clause
#include "control/packet_line.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "control/status.h"
#include "dataplane/ip.h"

namespace sluice::control {
namespace {

constexpr size_t kShortest = 60;  // octets, without the FCS (IEEE 802.3 4A.2.3.2.4)
constexpr size_t kTag = 4;
constexpr size_t kLongest = 65'535;   // octets of a payload
constexpr uint16_t kNoType = 0x88B5;  // IEEE 802 local experimental
constexpr uint8_t kNoProtocol = 253;  // for experiments (RFC 3692)

absl::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

std::string in_quotes(std::string_view text) {
  return absl::StrCat("'", view(text), "'");
}

// 192.0.2.0/24: so many ones from the left.
Bits ones_from_left(const Field& field, unsigned count) {
  Bits mask(all_ones(field).size(), 0);
  for (unsigned i = 0; i < count; ++i) mask[i / 8] |= static_cast<uint8_t>(0x80u >> i % 8);
  return mask;
}

std::optional<Bits> read_mask(const Field& field, std::string_view text) {
  const bool is_address = field.kind == FieldKind::ipv4 || field.kind == FieldKind::ipv6;
  if (!is_address) return read_bits(field, text);
  unsigned length = 0;
  if (!absl::SimpleAtoi(view(text), &length) || length > field.bits) return std::nullopt;
  return ones_from_left(field, length);
}

Bits number_bits(const Field& field, uint64_t number) {
  Bits bits(all_ones(field).size());
  for (auto octet = bits.rbegin(); octet != bits.rend(); ++octet, number >>= 8)
    *octet = static_cast<uint8_t>(number);
  return bits;
}

uint16_t sum_of(std::vector<uint8_t> octets) {
  if (octets.size() % 2 != 0) octets.push_back(0);
  uint32_t sum = 0;
  for (size_t i = 0; i < octets.size(); i += 2) sum += static_cast<uint32_t>(octets[i] << 8 | octets[i + 1]);
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

}  // namespace

bool PacketLine::Header::says(std::string_view name) const {
  return std::any_of(said.begin(), said.end(), [&](const Said& one) { return one.field->name == name; });
}

// ---- reading

absl::StatusOr<PacketLine> PacketLine::parse(std::string_view text) {
  PacketLine line;
  bool behind_payload = false;
  std::string plain(text);
  absl::RemoveExtraAsciiWhitespace(&plain);
  for (const absl::string_view part : absl::StrSplit(plain, " / ")) {
    const std::string_view words(part.data(), part.size());
    const bool is_payload = words.starts_with("payload ") || words.starts_with("cut ");
    if (behind_payload && !is_payload)
      return input_error(absl::StrCat(in_quotes(words), ": no header follows a payload"));
    behind_payload = behind_payload || is_payload;
    const absl::Status status = is_payload ? line.add_payload(words) : line.add_header(words);
    if (!status.ok()) return status;
  }
  if (line.headers_.empty() || line.headers_[0].format->name != "eth")
    return input_error(absl::StrCat(in_quotes(text), ": a packet begins with 'eth'"));
  return line;
}

absl::Status PacketLine::add_header(std::string_view text) {
  const std::vector<std::string> words = absl::StrSplit(view(text), ' ', absl::SkipEmpty());
  if (words.empty()) return input_error("a header is missing between two '/'");
  const HeaderFormat* format = header_named(words[0]);
  if (format == nullptr)
    return input_error(
        absl::StrCat(in_quotes(words[0]), " is no header: one of ", header_names(), ", payload, cut"));
  Header header{format, {}, headers_.empty() ? 0 : headers_.back().at + headers_.back().format->octets};
  for (size_t i = 1; i < words.size(); ++i) {
    absl::StatusOr<Said> said = read_said(*format, words[i]);
    if (!said.ok()) return said.status();
    if (header.says(said->field->name))
      return input_error(absl::StrCat(in_quotes(words[i]), ": ", view(format->name), " says that twice"));
    header.said.push_back(*std::move(said));
  }
  headers_.push_back(std::move(header));
  return absl::OkStatus();
}

absl::StatusOr<PacketLine::Said> PacketLine::read_said(const HeaderFormat& header, std::string_view text) {
  const size_t equals = text.find('=');
  const Field* field =
      equals == std::string_view::npos ? nullptr : field_named(header, text.substr(0, equals));
  if (field == nullptr) {
    std::vector<std::string> names;
    for (const Field& one : header.fields) names.emplace_back(one.name);
    return input_error(absl::StrCat(in_quotes(text), ": ", view(header.name), " takes NAME=VALUE, of ",
                                    absl::StrJoin(names, ", ")));
  }
  const std::string_view value = text.substr(equals + 1);
  if (value == "*") return Said{field, Bits(all_ones(*field).size()), Bits(all_ones(*field).size())};
  const size_t slash = value.find('/');
  const auto bits = read_bits(*field, value.substr(0, slash));
  const auto mask =
      slash == std::string_view::npos ? all_ones(*field) : read_mask(*field, value.substr(slash + 1));
  if (!bits || !mask) {
    return input_error(absl::StrCat(in_quotes(text), ": ", in_quotes(value), " is no value of ",
                                    view(header.name), " ", view(field->name), ", which has ", field->bits,
                                    " bits"));
  }
  return Said{field, *bits, *mask};
}

absl::Status PacketLine::add_payload(std::string_view text) {
  const std::string_view value = text.substr(text.find(' ') + 1);
  const bool is_cut = text.starts_with("cut ");
  size_t length = 0;
  const bool is_number = absl::SimpleAtoi(view(value), &length) && length <= kLongest;
  if (is_cut) {
    if (!is_number || length == 0)
      return input_error(absl::StrCat(in_quotes(text), ": cut after how many octets?"));
    cut_ = length;
  } else if (value == "*") {
    any_payload_ = true;
  } else if (is_number) {
    for (size_t i = 0; i < length; ++i) payload_.push_back(static_cast<uint8_t>(i));
  } else if (value.starts_with("hex=") && value.size() % 2 == 0 &&
             std::all_of(value.begin() + 4, value.end(), absl::ascii_isxdigit)) {
    const std::string octets = absl::HexStringToBytes(view(value.substr(4)));
    payload_.insert(payload_.end(), octets.begin(), octets.end());
  } else {
    return input_error(
        absl::StrCat(in_quotes(text), ": write 'payload 20', 'payload hex=c0ffee' or 'payload *'"));
  }
  return absl::OkStatus();
}

bool PacketLine::is_exact() const {
  if (any_payload_) return false;
  for (const Header& header : headers_) {
    for (const Said& said : header.said) {
      if (said.mask != all_ones(*said.field)) return false;
    }
  }
  return true;
}

// ---- making

void PacketLine::set(std::vector<uint8_t>& frame, const Header& header, std::string_view name,
                     uint64_t number) const {
  const Field* field = field_named(*header.format, name);
  if (field != nullptr && !header.says(name))
    set_bits(std::span(frame).subspan(header.at), *field, number_bits(*field, number), all_ones(*field));
}

std::vector<uint8_t> PacketLine::fill(Octets actual) const {
  const size_t headers = headers_.back().at + headers_.back().format->octets;
  std::vector<uint8_t> frame(headers, 0);
  frame.insert(frame.end(), payload_.begin(), payload_.end());
  if (any_payload_ && actual.size() > frame.size()) {
    const auto end = static_cast<std::ptrdiff_t>(std::max(end_of_packet(actual), frame.size()));
    frame.insert(frame.end(), actual.begin() + static_cast<std::ptrdiff_t>(frame.size()),
                 actual.begin() + end);
  }
  for (size_t index = 0; index < headers_.size(); ++index) fill_header(frame, index, actual);
  fill_checksums(frame);
  if (cut_ != 0) {
    frame.resize(std::min(frame.size(), cut_));
  } else if (frame.size() < kShortest) {
    frame.resize(kShortest);
  }
  return frame;
}

void PacketLine::fill_header(std::vector<uint8_t>& frame, size_t index, Octets actual) const {
  const Header& header = headers_[index];
  const HeaderFormat* next = index + 1 < headers_.size() ? headers_[index + 1].format : nullptr;
  const std::string_view name = header.format->name;
  const size_t rest = frame.size() - header.at;
  const uint16_t type = next == nullptr ? kNoType : next->ethertype.value_or(kNoType);
  const uint16_t protocol = next == nullptr ? kNoProtocol : next->protocol.value_or(kNoProtocol);
  if (name == "eth" || name == "vlan" || name == "svlan") set(frame, header, "type", type);
  if (name == "arp") {
    set(frame, header, "htype", 1);
    set(frame, header, "ptype", dataplane::kEtherTypeIpv4);
    set(frame, header, "hlen", 6);
    set(frame, header, "plen", 4);
    set(frame, header, "op", 1);
  }
  if (name == "ipv4") {
    set(frame, header, "version", 4);
    set(frame, header, "ihl", 5);
    set(frame, header, "ttl", 64);
    set(frame, header, "protocol", protocol);
    set(frame, header, "length", rest);
  }
  if (name == "ipv6") {
    set(frame, header, "version", 6);
    set(frame, header, "hops", 64);
    set(frame, header, "next", protocol);
    set(frame, header, "length", rest - header.format->octets);
  }
  if (name == "frag") set(frame, header, "next", protocol);
  if (name == "udp") set(frame, header, "length", rest);
  if (name == "tcp") set(frame, header, "header", 5);
  if (name == "icmp") set(frame, header, "type", dataplane::icmp::kEcho);
  if (name == "icmpv6") set(frame, header, "type", dataplane::icmpv6::kEcho);
  if (name == "lladdr") {
    set(frame, header, "type", 1);
    set(frame, header, "length", 1);
  }
  const auto octets = std::span(frame).subspan(header.at);
  const bool is_there = actual.size() >= header.at + header.format->octets;
  for (const Said& said : header.said) {
    // What is left open is as it is.
    if (is_there)
      set_bits(octets, *said.field, get_bits(actual.subspan(header.at), *said.field), all_ones(*said.field));
    set_bits(octets, *said.field, said.value, said.mask);
  }
}

// From the innermost out: an outer one covers it.
void PacketLine::fill_checksums(std::vector<uint8_t>& frame) const {
  for (size_t index = headers_.size(); index-- > 0;) {
    const Header& header = headers_[index];
    const std::string_view name = header.format->name;
    if (field_named(*header.format, "checksum") == nullptr || header.says("checksum")) continue;
    const auto begin = frame.begin() + static_cast<std::ptrdiff_t>(header.at);
    std::vector<uint8_t> covered(begin, name == "ipv4" ? begin + 20 : frame.end());
    const bool has_pseudo = name == "udp" || name == "tcp" || name == "icmpv6";
    size_t before = index == 0 ? 0 : index - 1;
    if (before != 0 && headers_[before].format->name == "frag") --before;
    const std::string_view carrier = headers_[before].format->name;
    if (has_pseudo && (carrier == "ipv4" || carrier == "ipv6")) {
      const Header& ip = headers_[before];
      const bool four = ip.format->name == "ipv4";
      const auto addresses = frame.begin() + static_cast<std::ptrdiff_t>(ip.at + (four ? 12 : 8));
      const size_t length = covered.size();
      const auto protocol = static_cast<uint8_t>(*header.format->protocol);
      covered.insert(covered.end(), length % 2, 0);
      covered.insert(covered.end(), addresses, addresses + (four ? 8 : 32));
      covered.insert(covered.end(),
                     {0, protocol, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)});
    }
    const uint16_t sum = sum_of(std::move(covered));
    set(frame, header, "checksum", name == "udp" && sum == 0 ? 0xFFFF : sum);
  }
}

// ---- comparing

namespace {

// A tag that was pushed onto a frame that had been filled up leaves more zeroes than there need to be.
bool is_filled_up(Octets frame, size_t from) {
  if (frame.size() <= from || frame.size() > kShortest + 2 * kTag) return false;
  const auto rest = frame.subspan(from);
  return std::all_of(rest.begin(), rest.end(), [](uint8_t octet) { return octet == 0; });
}

}  // namespace

std::vector<std::string> PacketLine::differences(Octets actual) const {
  const std::vector<uint8_t> expected = fill(actual);
  if (cut_ == 0 && is_filled_up(actual, expected.size())) actual = actual.first(expected.size());
  std::vector<std::string> found;
  size_t at = 0;
  for (const Header& header : headers_) {
    at = header.at + header.format->octets;
    if (expected.size() < at || actual.size() < at) break;
    for (const Field& field : header.format->fields) {
      // Of fields that share bits only what the line says.
      const bool shares =
          field.name == "mtu" || ((field.name == "id" || field.name == "seq") && header.says("mtu"));
      if (shares && !header.says(field.name)) continue;
      const Bits wanted = get_bits(Octets(expected).subspan(header.at), field);
      const Bits seen = get_bits(actual.subspan(header.at), field);
      if (wanted == seen) continue;
      found.push_back(absl::StrCat(view(header.format->name), " ", view(field.name), ": expected ",
                                   bits_text(field, wanted), ", found ", bits_text(field, seen)));
    }
  }
  if (expected.size() != actual.size())
    found.push_back(absl::StrCat("length: expected ", expected.size(), " octets, found ", actual.size()));
  for (; at < std::min(expected.size(), actual.size()); ++at) {
    if (expected[at] == actual[at]) continue;
    found.push_back(absl::StrCat("octet ", at, ": expected 0x", absl::Hex(expected[at], absl::kZeroPad2),
                                 ", found 0x", absl::Hex(actual[at], absl::kZeroPad2)));
    break;
  }
  return found;
}

}  // namespace sluice::control
