// SPDX-License-Identifier: BSD-3-Clause
//
// The explainer: looks on while packets pass, and puts into words what each stage decided, by which table and
// which line of the file.
//
// Theory of operation. It sees the batch before and after every stage. What a stage decided is what has
// changed between: the lane that a packet went to, the fields that were set, the octets of its headers. Which
// entry was behind it the explainer finds out as a person would, by asking the same tables and the file
// again. So no stage knows of it.
//
// Thread safety: the thread that steps the workers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "control/ip_packet.h"
#include "control/runtime.h"
#include "control/story.h"
#include "dataplane/tracer.h"

namespace sluice::control {

class Explainer final : public dataplane::Tracer {
 public:
  /// REQUIRES: the runtime has started, and has one worker.
  explicit Explainer(Runtime& runtime) : runtime_(runtime) {}

  /// A story begins: of a packet that is about to arrive, or of time that is about to pass.
  void open(Story story);
  /// It ends when the pipeline is quiet.
  Story close();
  void begin(const dataplane::Context& context, const dataplane::Batch& batch) override;
  void before(dataplane::Stage stage, const dataplane::Context& context,
              const dataplane::Batch& batch) override;
  void after(dataplane::Stage stage, const dataplane::Context& context,
             const dataplane::Batch& batch) override;

 private:
  using Place = uint8_t;
  /// A packet as a stage found it.
  struct Seen {
    std::vector<uint8_t> frame;
    size_t l3 = 0;
    dataplane::PortIndex learned_on = dataplane::kNoPort;
    dataplane::Ip4 destination = 0;
    uint16_t destination_port = 0;
    uint32_t session = dataplane::kNoSession;
  };
  /// What a stage's words are about.
  struct View {
    const dataplane::Context& context;
    const dataplane::Batch& batch;
    Place place;
    const Seen& seen;
    dataplane::Stage next;  ///< drop, if it has left the batch: ask `gone`
    bool gone;
  };
  /// What control counted so far.
  struct ControlBook {
    uint64_t consumed, held;
    std::array<uint64_t, dataplane::kDropReasons> drops;
  };

  [[nodiscard]] std::string words(dataplane::Stage stage, const View& view) const;
  // explain_switch.cc
  [[nodiscard]] std::string ingress_words(const View& view) const;
  [[nodiscard]] std::string learning_words(const View& view) const;
  [[nodiscard]] std::string destination_words(const View& view) const;
  [[nodiscard]] std::string switch_words(const View& view) const;
  [[nodiscard]] std::string flood_words(const View& view) const;
  [[nodiscard]] std::string leaving_words(const View& view) const;
  // explain_router.cc
  [[nodiscard]] std::string ip_words(const View& view) const;
  [[nodiscard]] std::string route_words(const View& view) const;
  [[nodiscard]] std::string neighbor_words(const View& view) const;
  [[nodiscard]] std::string rewrite_words(const View& view) const;
  [[nodiscard]] std::string session_words(const View& view) const;
  [[nodiscard]] std::string decide_words(const View& view) const;
  [[nodiscard]] std::string translation_words(const dataplane::Session& session, unsigned direction) const;
  [[nodiscard]] std::string punt_words(const View& view) const;
  [[nodiscard]] std::string drop_words(dataplane::DropReason reason) const;

  [[nodiscard]] const config::Config& config() const { return runtime_.config(); }
  [[nodiscard]] std::string said(const config::Location& location) const;
  [[nodiscard]] const std::string& port_name(dataplane::PortIndex index) const;
  [[nodiscard]] std::string interface_words(dataplane::InterfaceIndex index) const;
  [[nodiscard]] std::string rule_words(uint16_t rule) const;
  void say(Place place, const std::string& stage, std::string words);
  void note_end(dataplane::Stage stage, const View& view);
  [[nodiscard]] std::vector<dataplane::Member> flooded(const View& view) const;
  [[nodiscard]] ControlBook control_book() const;
  void tell_of_control();

  Runtime& runtime_;
  Story story_;
  static constexpr size_t kItself = 0;  ///< the episode of the packet that arrived, if there is one
  bool arrived_ = false;                ///< it was seen
  std::array<size_t, dataplane::kBatchSize> episode_{};
  std::array<Seen, dataplane::kBatchSize> seen_;
  std::vector<Place> places_;
  ControlBook book_{};
};

}  // namespace sluice::control
