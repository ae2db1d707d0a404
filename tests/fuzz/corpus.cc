// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/fuzz/packet_maker.h"

namespace sluice::fuzz {
namespace {

unsigned nibble(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10;
  throw std::invalid_argument(std::string("no hexadecimal digit: ") + digit);
}

Packet to_packet(const std::string& line) {
  std::istringstream words(line);
  std::string port, digits;
  words >> port >> digits;
  const auto* found = std::find(kPortNames.begin(), kPortNames.end(), port);
  if (found == kPortNames.end() || digits.size() % 2 != 0) throw std::invalid_argument("no packet: " + line);
  Packet packet{.port = static_cast<PortName>(found - kPortNames.begin()), .octets = {}};
  for (size_t i = 0; i < digits.size(); i += 2)
    packet.octets.push_back(static_cast<uint8_t>(nibble(digits[i]) << 4 | nibble(digits[i + 1])));
  return packet;
}

}  // namespace

std::string to_line(const Packet& packet) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string line = std::string(kPortNames[packet.port]) + " ";
  for (uint8_t octet : packet.octets) {
    line += kDigits[octet >> 4];
    line += kDigits[octet & 15];
  }
  return line;
}

std::vector<Packet> read_corpus(const std::string& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.path().extension() == ".hex") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Packet> packets;
  for (const auto& file : files) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);)
      if (!line.empty() && line[0] != '#') packets.push_back(to_packet(line));
  }
  return packets;
}

}  // namespace sluice::fuzz
