// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/captures.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "control/capture_file.h"

namespace sluice::test {

using control::CaptureReader;
using control::CaptureWriter;

Captures::Captures() {
  std::string path = testing::TempDir() + "capturesXXXXXX";
  path_ = mkdtemp(path.data());
}

Captures::~Captures() {
  std::filesystem::remove_all(path_);
}

std::string Captures::write(const std::string& name, const std::vector<Timed>& frames) const {
  auto file = CaptureWriter::create(path(name));
  EXPECT_TRUE(file.ok()) << file.status();
  for (const Timed& timed : frames) file->write(timed.time_ns, timed.frame);
  EXPECT_TRUE(file->finish().ok());
  return path(name);
}

std::vector<Timed> Captures::read(const std::string& file) {
  std::vector<Timed> frames;
  auto reader = CaptureReader::open(file);
  EXPECT_TRUE(reader.ok()) << reader.status();
  while (reader.ok()) {
    const auto frame = reader->next();
    EXPECT_TRUE(frame.ok()) << frame.status();
    if (!frame.ok() || !*frame) break;
    frames.push_back({(*frame)->time_ns, Frame((*frame)->octets.begin(), (*frame)->octets.end())});
  }
  return frames;
}

std::string Captures::octets(const std::string& name) const {
  std::ifstream file(path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace sluice::test
