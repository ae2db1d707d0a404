// SPDX-License-Identifier: BSD-3-Clause
//
// Captures of Ethernet frames: pcap and pcapng in, pcap out (libpcap).
//
// Thread safety: one thread at a time for each object.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"

struct pcap;
struct pcap_dumper;

namespace sluice::control {

/// A frame of a capture. Its octets are there until the next one is read.
struct CapturedFrame {
  uint64_t time_ns = 0;  ///< since 1970
  std::span<const uint8_t> octets;
};

class CaptureReader {
 public:
  /// Error: input_error, when there is no such file, or it is no capture of Ethernet frames.
  static absl::StatusOr<CaptureReader> open(const std::string& path);

  /// The next frame, or none at the end. Error: the file is broken from here on.
  absl::StatusOr<std::optional<CapturedFrame>> next();

 private:
  struct Close {
    void operator()(pcap* file) const;
  };
  CaptureReader(std::string path, pcap* file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  std::unique_ptr<pcap, Close> file_;
  uint64_t frames_ = 0;
};

class CaptureWriter {
 public:
  /// Makes the file, or empties it. Error: input_error.
  static absl::StatusOr<CaptureWriter> create(const std::string& path);

  void write(uint64_t time_ns, std::span<const uint8_t> octets);
  /// Error: what was written did not all reach the file.
  absl::Status finish();

 private:
  struct Close {
    void operator()(pcap* format) const;
    void operator()(pcap_dumper* file) const;
  };
  CaptureWriter(std::string path, pcap* format, pcap_dumper* file)
      : path_(std::move(path)), format_(format), file_(file) {}

  std::string path_;
  std::unique_ptr<pcap, Close> format_;
  std::unique_ptr<pcap_dumper, Close> file_;
};

}  // namespace sluice::control
