// SPDX-License-Identifier: BSD-3-Clause
//
// Who looks on while a worker sweeps: `explain`. The sweep is instantiated twice, with a Tracer and with
// NoTracer, so that the one that forwards does not even ask whether anybody looks.
//
// Thread safety: a tracer is called on the thread that polls the worker.
#pragma once

#include "dataplane/batch.h"
#include "dataplane/context.h"
#include "dataplane/stages.h"

namespace sluice::dataplane {

class Tracer {
 public:
  virtual ~Tracer() = default;
  /// A sweep begins; every packet of the batch stands in the lane of its first stage.
  virtual void begin(const Context& context, const Batch& batch) = 0;
  /// The stage is about to run on its lane, which is not empty.
  virtual void before(Stage stage, const Context& context, const Batch& batch) = 0;
  /// It has run: its packets stand in later lanes, or have left the batch.
  virtual void after(Stage stage, const Context& context, const Batch& batch) = 0;
};

struct NoTracer {};

}  // namespace sluice::dataplane
