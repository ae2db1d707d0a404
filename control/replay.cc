// SPDX-License-Identifier: BSD-3-Clause
#include "control/replay.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "control/packet_words.h"
#include "control/status.h"

namespace sluice::control {
namespace {

constexpr uint64_t kSecond_ns = 1'000'000'000;

}  // namespace

Replay::Replay(ReplayOptions options)
    : options_(std::move(options)),
      pipeline_(options_.pipeline, [this](const std::string& port, std::span<const uint8_t> frame) {
        if (const auto output = outputs_.find(port); output != outputs_.end())
          output->second.write(epoch_ns_ + pipeline_.now_ns(), frame);
      }) {}

absl::Status Replay::open_files(const config::Config& config) {
  std::error_code error;
  if (!options_.out.empty()) std::filesystem::create_directories(options_.out, error);
  if (error) return input_error(absl::StrCat(options_.out, ": ", error.message()));
  for (const config::Port& port : config.ports) {
    for (const ReplayOptions::Input& input : options_.inputs) {
      if (input.port != port.name) continue;
      absl::StatusOr<CaptureReader> reader = CaptureReader::open(input.file);
      if (!reader.ok()) return reader.status();
      sources_.push_back({port.name, *std::move(reader), {}});
      if (absl::Status status = read(sources_.back()); !status.ok()) return status;
    }
  }
  if (options_.out.empty()) return absl::OkStatus();
  // Not before all inputs are there: an output may have the name of one of them by mistake.
  for (const config::Port& port : config.ports) {
    const std::string path = (std::filesystem::path(options_.out) / (port.name + ".pcap")).string();
    absl::StatusOr<CaptureWriter> writer = CaptureWriter::create(path);
    if (!writer.ok()) return writer.status();
    outputs_.emplace(port.name, *std::move(writer));
  }
  return absl::OkStatus();
}

absl::Status Replay::read(Source& source) {
  absl::StatusOr<std::optional<CapturedFrame>> frame = source.reader.next();
  if (!frame.ok()) return frame.status();
  source.at_end = !frame->has_value();
  if (!source.at_end) source.frame = **frame;
  return absl::OkStatus();
}

// Frames of one time go in the order of the ports in the file.
Replay::Source* Replay::next_source() {
  Source* next = nullptr;
  for (Source& source : sources_) {
    if (!source.at_end && (next == nullptr || source.frame.time_ns < next->frame.time_ns)) next = &source;
  }
  return next;
}

absl::Status Replay::run(const config::Config& config) {
  if (absl::Status status = open_files(config); !status.ok()) return status;
  if (const Source* first = next_source()) epoch_ns_ = first->frame.time_ns;
  absl::Status status = pipeline_.start(config);
  if (status.ok() && tell_) pipeline_.runtime().set_tracer(&explainer_.emplace(pipeline_.runtime()));
  if (status.ok()) status = play();
  for (auto& [port, output] : outputs_) status.Update(output.finish());
  return status;
}

absl::Status Replay::explain(const config::Config& config, std::function<void(const Story&)> tell) {
  tell_ = std::move(tell);
  return run(config);
}

absl::Status Replay::play() {
  while (next_source() != nullptr) {
    if (absl::Status status = play_burst(); !status.ok()) return status;
  }
  pass_until(pipeline_.now_ns() + options_.until_s * kSecond_ns);
  pipeline_.end();
  return absl::OkStatus();
}

// A burst arrives at the time of its last frame. A capture may step back in time; virtual time does not.
absl::Status Replay::play_burst() {
  for (unsigned frames = 0; frames < options_.pipeline.burst; ++frames) {
    Source* source = next_source();
    if (source == nullptr) break;
    const uint64_t time_ns = source->frame.time_ns;
    if (time_ns > epoch_ns_ + pipeline_.now_ns()) pass_until(time_ns - epoch_ns_);
    open_story(*source);
    if (absl::Status status = pipeline_.receive(source->port, source->frame.octets); !status.ok())
      return status;
    if (absl::Status status = read(*source); !status.ok()) return status;
  }
  pipeline_.turn();
  close_story();
  return absl::OkStatus();
}

void Replay::pass_until(uint64_t now_ns) {
  if (explainer_) explainer_->open({});
  pipeline_.pass_until(now_ns);
  close_story();
}

void Replay::open_story(const Source& source) {
  ++packets_;
  if (!explainer_) return;
  Story story;
  story.number = packets_;
  story.port = source.port;
  story.octets = source.frame.octets.size();
  story.about = frame_text(source.frame.octets);
  explainer_->open(std::move(story));
}

void Replay::close_story() {
  if (!explainer_) return;
  Story story = explainer_->close();
  story.time_ns = pipeline_.now_ns();
  if (story.number != 0 || !story.episodes.empty()) tell_(story);
}

}  // namespace sluice::control
