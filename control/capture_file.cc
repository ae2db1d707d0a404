// SPDX-License-Identifier: BSD-3-Clause
#include "control/capture_file.h"

#include <pcap/pcap.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "control/status.h"

namespace sluice::control {
namespace {

constexpr uint64_t kNanoseconds = 1'000'000'000;
constexpr int kSnapLength = 262144;  // as tcpdump writes it
constexpr size_t kBuffer = 1 << 20;  // octets: a system call for thousands of frames

// Null: errno says why.
FILE* open_buffered(const std::string& path, const char* mode) {
  FILE* file = std::fopen(path.c_str(), mode);
  if (file != nullptr) std::setvbuf(file, nullptr, _IOFBF, kBuffer);
  return file;
}

}  // namespace

void CaptureReader::Close::operator()(pcap* file) const {
  pcap_close(file);
}

absl::StatusOr<CaptureReader> CaptureReader::open(const std::string& path) {
  FILE* stream = open_buffered(path, "rb");
  if (stream == nullptr) return input_error(absl::StrCat(path, ": ", std::strerror(errno)));
  std::array<char, PCAP_ERRBUF_SIZE> why{};
  pcap* file = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, why.data());
  if (file == nullptr) {
    std::fclose(stream);
    return input_error(absl::StrCat(path, ": ", why.data()));
  }
  CaptureReader reader(path, file);
  if (pcap_datalink(file) != DLT_EN10MB) {
    const char* found = pcap_datalink_val_to_description(pcap_datalink(file));
    return input_error(absl::StrCat(path, ": is a capture of ", found == nullptr ? "an unknown link" : found,
                                    ", not of Ethernet frames"));
  }
  return reader;
}

absl::StatusOr<std::optional<CapturedFrame>> CaptureReader::next() {
  pcap_pkthdr* header = nullptr;
  const u_char* octets = nullptr;
  const int result = pcap_next_ex(file_.get(), &header, &octets);
  if (result == PCAP_ERROR_BREAK) return std::nullopt;
  if (result != 1)
    return input_error(absl::StrCat(path_, ": after frame ", frames_, ": ", pcap_geterr(file_.get())));
  ++frames_;
  if (header->caplen < header->len) {
    return input_error(absl::StrCat(path_, ": frame ", frames_, " was cut: ", header->caplen, " of ",
                                    header->len,
                                    " octets were captured; capture whole frames (tcpdump -s 0)"));
  }
  const auto seconds = static_cast<uint64_t>(header->ts.tv_sec);
  return CapturedFrame{seconds * kNanoseconds + static_cast<uint64_t>(header->ts.tv_usec),
                       {octets, header->caplen}};
}

void CaptureWriter::Close::operator()(pcap* format) const {
  pcap_close(format);
}
void CaptureWriter::Close::operator()(pcap_dumper* file) const {
  pcap_dump_close(file);
}

absl::StatusOr<CaptureWriter> CaptureWriter::create(const std::string& path) {
  pcap* format = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, kSnapLength, PCAP_TSTAMP_PRECISION_MICRO);
  if (format == nullptr) return machine_error("no memory for a capture");
  FILE* stream = open_buffered(path, "wb");
  if (stream == nullptr) {
    pcap_close(format);
    return input_error(absl::StrCat(path, ": ", std::strerror(errno)));
  }
  pcap_dumper* file = pcap_dump_fopen(format, stream);
  if (file != nullptr) return CaptureWriter(path, format, file);
  const absl::Status status = machine_error(absl::StrCat(path, ": ", pcap_geterr(format)));
  std::fclose(stream);
  pcap_close(format);
  return status;
}

void CaptureWriter::write(uint64_t time_ns, std::span<const uint8_t> octets) {
  pcap_pkthdr header{};
  header.ts.tv_sec = static_cast<time_t>(time_ns / kNanoseconds);
  header.ts.tv_usec = static_cast<suseconds_t>(time_ns % kNanoseconds / 1000);
  header.caplen = header.len = static_cast<bpf_u_int32>(octets.size());
  pcap_dump(reinterpret_cast<u_char*>(file_.get()), &header, octets.data());
}

absl::Status CaptureWriter::finish() {
  if (pcap_dump_flush(file_.get()) == 0 && ferror(pcap_dump_file(file_.get())) == 0) return absl::OkStatus();
  return machine_error(absl::StrCat(path_, ": cannot be written: is the disk full?"));
}

}  // namespace sluice::control
