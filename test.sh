#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# All tests, on a Debian 12, as root, from nothing but this directory. Missing packages are installed.
#
#   ./test.sh                everything
#   ./test.sh quick          the unit tests, built with g++
#   ./test.sh STEP …         checks | unit | scenarios | lab | asan | coverage | tsan | fuzz
#
# The last line is the sum of all tests that ran: N passed, N failed, N skipped. BUILD_ROOT says where to build
# (default: build, beside it build-asan and build-tsan).
set -u -o pipefail
cd "$(dirname "$0")" || exit 1
. ./packages.sh || exit 1

readonly BUILD=${BUILD_ROOT:-$PWD/build}
readonly FUZZ_SECONDS=${FUZZ_SECONDS:-20} FUZZ_PACKETS=${FUZZ_PACKETS:-2000000}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readonly TALLY=$work/tally PROFILES=$work/profiles
: >"$TALLY"

export LC_ALL=C.UTF-8
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime

say() { printf '\n== %s\n' "$*"; }

# tally NAME PASSED FAILED SKIPPED
tally() { echo "$*" >>"$TALLY"; }

# One test by itself: a command that succeeds or fails. one NAME COMMAND…
one() {
  local name=$1
  shift
  if "$@"; then
    tally "$name" 1 0 0
    echo "PASS  $name"
  else
    tally "$name" 0 1 0
    echo "FAIL  $name"
  fi
}

# A build is no test, but one that fails is a failure. built NAME COMMAND…
built() {
  local name=$1
  shift
  "$@" && return 0
  tally "build/$name" 0 1 0
  echo "FAIL  build/$name"
  return 1
}

# configure DIRECTORY COMPILER OPTION…
configure() {
  local directory=$1 compiler=$2 again=()
  shift 2
  if [ -e "$directory/build.ninja" ]; then
    # meson 1.0 reads new arguments for the compiler here only, not when it is told to --reconfigure.
    meson configure "$directory" --werror "$@" >"$work/meson.log" 2>&1 || { cat "$work/meson.log" && return 1; }
    again=(--reconfigure)
  fi
  CXX=$compiler meson setup "${again[@]}" "$directory" --werror "$@" >"$work/meson.log" 2>&1 && return 0
  cat "$work/meson.log"
  return 1
}

# compile DIRECTORY TARGET…
compile() {
  local directory=$1
  shift
  ninja -C "$directory" "$@" >"$work/ninja.log" 2>&1 && return 0
  tail -n 100 "$work/ninja.log"
  return 1
}

# compile_suites DIRECTORY [--only SUITE]: what is needed to run them, no more.
compile_suites() {
  local directory=$1 targets
  shift
  targets=$(tests/run_suites.py "$directory" "$@" --targets) || return 1
  # shellcheck disable=SC2086 # a word a target
  compile "$directory" $targets
}

step_checks() {
  say "checks"
  one check/layering tests/check_layering.py
  one check/sources tests/check_sources.py
  one check/format tests/check_format.sh
  one check/mutations tests/mutation/run.py --check
}

gcc_configured=0
configure_gcc() {
  [ $gcc_configured -eq 1 ] && return 0
  built configure-g++ configure "$BUILD" g++ && gcc_configured=1
}

step_unit() {
  say "g++: build with -Werror, unit tests"
  configure_gcc && built g++ compile "$BUILD" || return
  tests/run_suites.py "$BUILD" --tally "$TALLY" --label unit
  one check/packet-path tests/check_packet_path.sh "$BUILD"
}

step_scenarios() {
  say "scenarios: the behaviours, packets in and packets out"
  configure_gcc && built sluice compile "$BUILD" control/sluice || return
  local report=$work/scenarios.xml counts
  "$BUILD/control/sluice" test tests/scenarios --junit "$report" | grep -v '^ok'
  if counts=$(python3 -c 'import sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot()
print(int(suite.get("tests")) - int(suite.get("failures")), suite.get("failures"), 0)' "$report"); then
    # shellcheck disable=SC2086 # three numbers
    tally scenarios $counts
  else
    tally scenarios 0 1 0
    echo "FAIL  scenarios: they left no report"
  fi
  one check/conformance tests/conformance.py "$report" --check
  one check/walk tests/walk.py "$BUILD/control/sluice" --check
}

step_lab() {
  say "lab: the real program between kernel hosts"
  configure_gcc && built sluice compile "$BUILD" control/sluice || return
  local result=$work/lab.json
  python3 tests/lab/run.py --sluice "$BUILD/control/sluice" --result "$result"
  local code=$? counts
  if counts=$(python3 -c 'import json, sys
r = json.load(open(sys.argv[1])); print(r["passed"], r["failed"], r["skipped"])' "$result" 2>/dev/null); then
    # shellcheck disable=SC2086 # three numbers
    tally lab $counts
    [ $code -eq 0 ] || [ "$(cut -d' ' -f2 <<<"$counts")" -gt 0 ] || tally lab/end 0 1 0
  else
    tally lab 0 1 0
    echo "FAIL  lab: it left no result"
  fi
}

# Sanitizers need symbols for their reports and speed no more than -O1; -O1 compiles faster. The same build counts
# which lines and branches the tests reach.
asan_configured=0
configure_asan() {
  [ $asan_configured -eq 1 ] && return 0
  built configure-clang configure "$BUILD-asan" clang++-14 -Db_sanitize=address,undefined -Db_lundef=false \
    -Dbuildtype=plain -Db_ndebug=false -Doptimization=1 -Dcpp_args='-g1 -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping' \
    -Dcpp_link_args=-fprofile-instr-generate && asan_configured=1
}

step_asan() {
  say "clang 14: build with -Werror, AddressSanitizer and UndefinedBehaviorSanitizer, unit tests"
  mkdir -p "$PROFILES"
  configure_asan && built clang compile_suites "$BUILD-asan" || return
  ASAN_OPTIONS=detect_stack_use_after_return=1:abort_on_error=0 \
    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 LSAN_OPTIONS=print_suppressions=0 \
    LLVM_PROFILE_FILE=$PROFILES/%p-%m.profraw tests/run_suites.py "$BUILD-asan" --tally "$TALLY" --label asan
}

# What the suites of the step before passed through.
step_coverage() {
  [ -d "$PROFILES" ] || step_asan
  say "coverage of config and dataplane"
  one check/coverage tests/coverage.py "$BUILD-asan" "$PROFILES"
}

step_tsan() {
  say "g++: ThreadSanitizer, the suite of threads"
  built configure-tsan configure "$BUILD-tsan" g++ -Db_sanitize=thread -Db_lundef=false \
    -Dbuildtype=plain -Db_ndebug=false -Doptimization=1 -Dcpp_args=-g1 || return
  built tsan compile_suites "$BUILD-tsan" --only threads || return
  local options=history_size=7:log_path=$work/tsan:second_deadlock_stack=1
  [ -e tests/tsan.supp ] && options+=:suppressions=$PWD/tests/tsan.supp
  TSAN_OPTIONS=$options tests/run_suites.py "$BUILD-tsan" --tally "$TALLY" --label tsan --only threads && return
  cat "$work"/tsan.* 2>/dev/null | head -n 200
}

# What a fuzzer of this directory is linked with.
libraries_of() {
  case $1 in
    config) pkg-config --cflags --libs absl_status absl_statusor absl_strings yaml-cpp ;;
    dataplane) pkg-config --cflags --libs libdpdk absl_base ;;
    *) return 1 ;;
  esac
}

# fuzz DIRECTORY: builds tests/fuzz/fuzz_DIRECTORY.cc around its instrumented library and runs it for a while.
fuzz() {
  local directory=$1 flags corpus=$work/corpus-$1
  local program=$BUILD-asan/fuzz_$directory library=$BUILD-asan/$directory/lib$directory.a
  flags=$(libraries_of "$directory") || { echo "no libraries known for fuzz_$directory" && return 1; }
  compile "$BUILD-asan" "$directory/lib$directory.a" || return 1
  # shellcheck disable=SC2086 # flags
  clang++-14 -std=c++20 -O1 -g1 -march=x86-64-v3 -maes -fsanitize=fuzzer,address,undefined -fprofile-instr-generate -I. \
    "tests/fuzz/fuzz_$directory.cc" "$library" $flags -o "$program" || return 1
  mkdir -p "$corpus"
  [ "$directory" = config ] && cp config/examples/*.yaml "$corpus"
  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 LLVM_PROFILE_FILE=$work/fuzz.profraw \
    "$program" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=4096 -verbosity=0 -print_final_stats=1 \
    -artifact_prefix="$BUILD-asan/" "$corpus" >"$work/fuzz.log" 2>&1
  local code=$?
  grep -E 'number_of_executed_units|average_exec' "$work/fuzz.log"
  [ $code -eq 0 ] || tail -n 60 "$work/fuzz.log"
  return $code
}

# Packets through the whole pipeline: a fixed number with a fixed seed (docs/fuzzing.md).
fuzz_packets() {
  local program=$BUILD-asan/tests/fuzz/fuzz_packets
  compile "$BUILD-asan" tests/fuzz/fuzz_packets || return 1
  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 LLVM_PROFILE_FILE=$work/fuzz.profraw \
    "$program" --packets "$FUZZ_PACKETS" --seed 1 >"$work/fuzz.log" 2>&1
  local code=$?
  grep -a -E 'packets with seed|never reached' "$work/fuzz.log"
  [ $code -eq 0 ] || tail -n 100 "$work/fuzz.log"
  return $code
}

step_fuzz() {
  say "fuzzing, $FUZZ_SECONDS s each"
  configure_asan || return
  local source name
  for source in tests/fuzz/fuzz_*.cc; do
    [ -e "$source" ] || continue
    name=$(basename "$source" .cc)
    [ "$name" = fuzz_packets ] && continue # no libFuzzer
    one "fuzz/${name#fuzz_}" fuzz "${name#fuzz_}"
  done
  one fuzz/packets fuzz_packets
}

report() {
  say "sum"
  column -t "$TALLY" 2>/dev/null || cat "$TALLY"
  awk '{ p += $2; f += $3; s += $4 } END { printf "\n%d passed, %d failed, %d skipped\n", p, f, s; exit !(p > 0 && f == 0) }' \
    "$TALLY"
}

main() {
  local steps=("$@") step
  [ $# -eq 0 ] && steps=(checks unit scenarios lab asan coverage tsan fuzz)
  [ "${1-}" = quick ] && steps=(unit)
  for step in "${steps[@]}"; do
    declare -F "step_$step" >/dev/null || { sed -n '3,11s/^# \?//p' "$0" >&2 && exit 1; }
  done
  if install_packages "${BUILD_PACKAGES[@]}" "${HOST_PACKAGES[@]}" "${TEST_PACKAGES[@]}"; then
    for step in "${steps[@]}"; do "step_$step"; done
  else
    tally packages 0 1 0
    echo "FAIL  packages: they cannot be installed; is this Debian 12, and are you root?"
  fi
  report
}

main "$@"
