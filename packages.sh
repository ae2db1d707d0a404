# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2034 # others read these lists
#
# The packages of Debian 12 that are needed, in one place: for test.sh, demo.sh and docker/Dockerfile.

# Compiler and libraries: meson setup build && ninja -C build.
BUILD_PACKAGES=(
  meson ninja-build pkg-config g++
  libdpdk-dev libabsl-dev libyaml-cpp-dev libevent-dev nlohmann-json3-dev libcli11-dev libspdlog-dev libsystemd-dev libpcap-dev
  libgtest-dev libgmock-dev libbenchmark-dev
)

# Hosts in network namespaces, and what people do on them.
HOST_PACKAGES=(python3 iproute2 iputils-ping procps curl traceroute tcpdump)

# What only the tests use.
TEST_PACKAGES=(clang-14 libclang-rt-14-dev llvm-14 clang-format-14 arping iperf3 python3-yaml)

# missing_packages PACKAGE…: those that are not installed, a line each.
missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
  done
}

# install_packages PACKAGE…: those that are missing. Needs no network if none is.
install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] && return 0
  printf '\n== installing %s\n' "${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q && apt-get install -q -y --no-install-recommends "${missing[@]}"
}
