// SPDX-License-Identifier: BSD-3-Clause
#include "control/scenario_suite.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "control/cpus.h"
#include "control/log.h"
#include "control/scenario_run.h"
#include "control/status.h"

namespace sluice::control {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr size_t kStoriesShown = 10;
// Virtual time has no need of it: who takes this long hangs.
constexpr auto kPatience = std::chrono::minutes(10);

std::string indented(const std::string& text, const std::string& by) {
  return by + absl::StrReplaceAll(text, {{"\n", "\n" + by}});
}

// ---- within the child

std::string stories_text(const std::vector<Story>& stories, size_t most) {
  std::string text;
  for (size_t i = 0; i < std::min(stories.size(), most); ++i) absl::StrAppend(&text, story_text(stories[i]));
  if (stories.size() > most) absl::StrAppend(&text, "and ", stories.size() - most, " more\n");
  return text;
}

std::string all_stories_text(const std::vector<ScenarioRun::Told>& told) {
  std::string text;
  for (const ScenarioRun::Told& step : told) {
    if (!step.step.empty()) absl::StrAppend(&text, "-- ", step.step, "\n\n");
    absl::StrAppend(&text, stories_text(step.stories, SIZE_MAX));
  }
  return text;
}

void tell_failure(const Scenario& scenario, const StepFailure& failure, ScenarioResult& result) {
  const std::string name = failure.name.empty() ? "a step" : failure.name;
  result.message = absl::StrCat("scenario.yaml:", failure.location.line, ": ", name);
  result.report = absl::StrCat("  ", result.message, "\n");
  for (const std::string& finding : failure.findings)
    absl::StrAppend(&result.report, indented(finding, "    "), "\n");
  if (scenario.workers != 1) {
    absl::StrAppend(&result.report, "  with 'workers: 1' it could be told what became of the packets\n");
    return;
  }
  // The same once more, looked at: nothing is different the second time.
  ScenarioRun run(scenario);
  if (!run.explain().ok() || run.told().empty()) return;
  const std::string stories = stories_text(run.told().back().stories, kStoriesShown);
  if (!stories.empty())
    absl::StrAppend(&result.report, "  what became of the packets of this step:\n",
                    indented(stories, "    "));
  while (result.report.ends_with(' ') || result.report.ends_with('\n')) result.report.pop_back();
  result.report += '\n';
}

void refuse(const absl::Status& status, ScenarioResult& result) {
  result.machine = exit_code(status) != kExitInput;
  result.message = std::string(status.message());
  result.report = indented(result.message, "  ") + "\n";
}

absl::Status prepare(const Scenario& scenario) {
  config::Log log;  // what a running sluice would log is no news here
  log.level = config::Log::Level::error;
  if (absl::Status status = start_log(log); !status.ok()) return status;
  return start_eal(scenario_eal(scenario));
}

void play(ScenarioResult& result, bool explain) {
  std::vector<std::string> errors;
  const std::optional<Scenario> scenario = read_scenario(result.folder, errors);
  if (!scenario) return refuse(input_error(absl::StrJoin(errors, "\n")), result);
  if (absl::Status status = prepare(*scenario); !status.ok()) return refuse(status, result);
  std::optional<ScenarioRun> run(*scenario);
  const auto failure = run->play();
  run.reset();
  if (!failure.ok()) return refuse(failure.status(), result);
  result.holds = !*failure;
  if (!result.holds) tell_failure(*scenario, **failure, result);
  if (!explain || scenario->workers != 1) return;
  ScenarioRun again(*scenario);
  if (again.explain().ok()) result.stories = all_stories_text(again.told());
}

[[noreturn]] void play_and_exit(const std::string& folder, bool explain, int out) {
  ScenarioResult result;
  result.folder = folder;
  play(result, explain);
  const json document = {{"holds", result.holds},
                         {"machine", result.machine},
                         {"message", result.message},
                         {"report", result.report},
                         {"stories", result.stories}};
  const std::string text = document.dump(-1, ' ', false, json::error_handler_t::replace);
  for (size_t at = 0; at < text.size();) {
    const ssize_t written = ::write(out, text.data() + at, text.size() - at);
    if (written <= 0) break;
    at += static_cast<size_t>(written);
  }
  _exit(0);
}

// ---- around the children

struct Child {
  size_t index;  ///< of its folder
  pid_t pid;
  int from;
  SteadyClock::time_point since;
  std::string said;
};

absl::StatusOr<Child> start_child(const std::string& folder, size_t index, bool explain) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return machine_error(absl::StrCat("pipe: ", std::strerror(errno)));
  const pid_t pid = fork();
  if (pid < 0) return machine_error(absl::StrCat("fork: ", std::strerror(errno)));
  if (pid == 0) play_and_exit(folder, explain, ends[1]);
  close(ends[1]);
  return Child{index, pid, ends[0], SteadyClock::now(), {}};
}

// Reads what there is. False: there will be no more.
bool listen_to(Child& child) {
  char octets[65536];
  const ssize_t got = ::read(child.from, octets, sizeof octets);
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  child.said.append(octets, static_cast<size_t>(got));
  return true;
}

ScenarioResult end_of(Child& child, const std::string& folder) {
  close(child.from);
  int status = 0;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) continue;
  ScenarioResult result;
  result.folder = folder;
  result.seconds = std::chrono::duration<double>(SteadyClock::now() - child.since).count();
  const json said = json::parse(child.said, nullptr, false);
  if (!said.is_object()) {
    result.message = WIFSIGNALED(status) ? absl::StrCat("it was ended by signal ", WTERMSIG(status), " (",
                                                        strsignal(WTERMSIG(status)), ")")
                                         : absl::StrCat("it ended by itself with ", WEXITSTATUS(status));
    result.report = absl::StrCat("  ", result.message, "\n");
    return result;
  }
  result.holds = said["holds"].get<bool>();
  result.machine = said["machine"].get<bool>();
  result.message = said["message"].get<std::string>();
  result.report = said["report"].get<std::string>();
  result.stories = said["stories"].get<std::string>();
  return result;
}

class Suite {
 public:
  Suite(const std::vector<std::string>& folders, const SuiteOptions& options)
      : folders_(folders), options_(options), results_(folders.size()) {
    jobs_ = options.jobs != 0 ? options.jobs : static_cast<unsigned>(available_cpus().size());
  }

  absl::Status run(const std::function<void(const ScenarioResult&)>& tell) {
    while (told_ < folders_.size()) {
      while (children_.size() < jobs_ && started_ < folders_.size()) {
        auto child = start_child(folders_[started_], started_, options_.explain);
        if (!child.ok()) return child.status();
        children_.push_back(*std::move(child));
        ++started_;
      }
      wait();
      for (; told_ < folders_.size() && results_[told_]; ++told_) tell(*results_[told_]);
    }
    return absl::OkStatus();
  }

 private:
  void wait() {
    std::vector<pollfd> polled;
    for (const Child& child : children_) polled.push_back({child.from, POLLIN, 0});
    poll(polled.data(), polled.size(), 1000);
    for (size_t i = children_.size(); i-- > 0;) {
      Child& child = children_[i];
      if (SteadyClock::now() - child.since > kPatience) kill(child.pid, SIGKILL);
      if (polled[i].revents == 0 || listen_to(child)) continue;
      results_[child.index] = end_of(child, folders_[child.index]);
      children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  const std::vector<std::string>& folders_;
  const SuiteOptions options_;
  unsigned jobs_;
  std::vector<std::optional<ScenarioResult>> results_;
  std::vector<Child> children_;
  size_t started_ = 0, told_ = 0;
};

std::string escaped(const std::string& text) {
  std::string out =
      absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
  // XML 1.0 has no way to write the others.
  std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t'; });
  return out;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> find_scenarios(const std::vector<std::string>& directories) {
  std::set<std::string> found;
  for (const std::string& directory : directories) {
    const size_t before = found.size();
    std::error_code error;
    const fs::path root = fs::path(directory).lexically_normal();
    if (fs::exists(root / "scenario.yaml", error)) found.insert(root.string());
    for (fs::recursive_directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
      if (at->path().filename() == "scenario.yaml") found.insert(at->path().parent_path().string());
    }
    if (error) return input_error(absl::StrCat(directory, ": ", error.message()));
    if (found.size() == before && directories.size() == 1)
      return input_error(absl::StrCat(directory, ": there is no scenario.yaml in it, nor below"));
  }
  return std::vector<std::string>(found.begin(), found.end());
}

absl::Status play_scenarios(const std::vector<std::string>& folders, const SuiteOptions& options,
                            const std::function<void(const ScenarioResult&)>& tell) {
  return Suite(folders, options).run(tell);
}

std::string junit_xml(const std::vector<ScenarioResult>& results) {
  size_t failures = 0;
  double seconds = 0;
  std::string cases;
  for (const ScenarioResult& result : results) {
    const fs::path folder(result.folder);
    absl::StrAppend(&cases, "    <testcase classname=\"", escaped(folder.parent_path().string()),
                    "\" name=\"", escaped(folder.filename().string()), "\" time=\"", result.seconds, "\"");
    seconds += result.seconds;
    if (result.holds) {
      absl::StrAppend(&cases, "/>\n");
      continue;
    }
    ++failures;
    absl::StrAppend(&cases, ">\n      <failure message=\"", escaped(result.message), "\">",
                    escaped(result.report), "</failure>\n    </testcase>\n");
  }
  const std::string counts =
      absl::StrCat(" tests=\"", results.size(), "\" failures=\"", failures, "\" time=\"", seconds, "\">\n");
  return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", counts,
                      "  <testsuite name=\"sluice test\"", counts, cases, "  </testsuite>\n</testsuites>\n");
}

}  // namespace sluice::control
