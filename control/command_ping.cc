// SPDX-License-Identifier: BSD-3-Clause
//
// sluice ping ADDRESS: the running sluice sends echo requests from its own interfaces.
#include <unistd.h>

#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "config/addresses.h"
#include "control/commands.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr auto kLookAgain = std::chrono::milliseconds(2);
constexpr unsigned kMaxSize = 65507;

struct PingOptions {
  std::string address;
  unsigned count = 4;
  double interval_s = 1;
  double timeout_s = 1;
  unsigned size = 56;
};

// True once the reply is there; prints it.
absl::StatusOr<bool> look_for_reply(const CommandLine& line, const json& ping, Clock::time_point sent,
                                    double timeout_s) {
  const auto deadline = sent + std::chrono::duration<double>(timeout_s);
  while (Clock::now() < deadline) {
    const absl::StatusOr<json> reply = ask(line, "POST", "/v1/ping/reply", ping.dump());
    if (!reply.ok()) return reply.status();
    if ((*reply)["answered"].get<bool>()) {
      const std::chrono::duration<double, std::milli> time = Clock::now() - sent;
      std::cout << absl::StrFormat("%d bytes from %s: seq=%d ttl=%d time=%.1f ms\n",
                                   (*reply)["size"].get<unsigned>() + 8, (*reply)["from"].get<std::string>(),
                                   ping["sequence"].get<unsigned>(), (*reply)["hop-limit"].get<unsigned>(),
                                   time.count())
                << std::flush;
      return true;
    }
    std::this_thread::sleep_for(kLookAgain);
  }
  return false;
}

int ping(const CommandLine& line, const PingOptions& options) {
  if (!config::parse_address(options.address))
    return fail(input_error(absl::StrCat("'", options.address, "' is no IP address")));
  unsigned answered = 0;
  for (unsigned sequence = 1; sequence <= options.count; ++sequence) {
    const json request = {{"address", options.address},
                          {"identifier", static_cast<unsigned>(getpid()) % 65000},
                          {"sequence", sequence},
                          {"size", options.size}};
    const auto sent = Clock::now();
    const absl::StatusOr<json> answer = ask(line, "POST", "/v1/ping", request.dump());
    if (!answer.ok()) return fail(answer.status());
    if (!(*answer)["sent"].get<bool>()) {
      std::cout << "no route to " << options.address << '\n';
    } else {
      const absl::StatusOr<bool> reply = look_for_reply(line, request, sent, options.timeout_s);
      if (!reply.ok()) return fail(reply.status());
      answered += *reply;
      if (!*reply) std::cout << "no answer: seq=" << sequence << '\n' << std::flush;
    }
    if (sequence != options.count)
      std::this_thread::sleep_until(sent + std::chrono::duration<double>(options.interval_s));
  }
  std::cout << options.count << " sent, " << answered << " answered\n";
  return answered != 0 ? kExitDone : kExitInput;
}

}  // namespace

void add_ping(CommandLine& line) {
  auto options = std::make_shared<PingOptions>();
  CLI::App* command = add_command(line.app, line, "ping", "send echo requests from the running sluice",
                                  [&line, options] { return ping(line, *options); });
  command->add_option("ADDRESS", options->address, "whom to ask")->required();
  command->add_option("--count", options->count, "how many")->check(CLI::Range(1, 60000));
  command->add_option("--interval", options->interval_s, "seconds between two")
      ->check(CLI::Range(0.0, 3600.0));
  command->add_option("--timeout", options->timeout_s, "seconds to wait for each")
      ->check(CLI::Range(0.01, 3600.0));
  command->add_option("--size", options->size, "octets of data")->check(CLI::Range(0u, kMaxSize));
}

}  // namespace sluice::control
