// SPDX-License-Identifier: BSD-3-Clause
#include "control/http_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/status.h"

namespace sluice::control {
namespace {

// A reload may open many ports; nothing else takes long.
constexpr timeval kPatience = {60, 0};

int connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

std::string read_all(int fd) {
  std::string text;
  char chunk[16384];
  for (;;) {
    const ssize_t size = read(fd, chunk, sizeof chunk);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(chunk, static_cast<size_t>(size));
  }
}

// "HTTP/1.0 200 OK\r\n…\r\n\r\n{…}"
bool parse(const std::string& text, Answer& answer) {
  const size_t end = text.find("\r\n\r\n");
  const size_t space = text.find(' ');
  if (end == std::string::npos || space == std::string::npos) return false;
  const char* code = text.data() + space + 1;
  if (std::from_chars(code, text.data() + text.size(), answer.code).ec != std::errc()) return false;
  answer.body = nlohmann::json::parse(text.substr(end + 4), nullptr, false);
  return answer.body.is_object();
}

}  // namespace

bool HttpClient::reachable() const {
  const int fd = connect_to(socket_);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

absl::StatusOr<Answer> HttpClient::request(const std::string& method, const std::string& target,
                                           const std::string& body) const {
  const int fd = connect_to(socket_);
  if (fd < 0 && errno == EACCES) {
    return machine_error(absl::StrCat("you may not ask the sluice on ", socket_,
                                      ": use sudo, or join the group that control: socket: names"));
  }
  if (fd < 0) {
    return no_daemon_error(
        absl::StrCat("no running sluice answers on ", socket_, ": ", std::strerror(errno),
                     ": start one with: sluice run FILE.yaml, or name its socket with --socket"));
  }
  const absl::Cleanup closing = [fd] { close(fd); };
  const std::string head = absl::StrCat(
      method, " ", target, " HTTP/1.0\r\nHost: sluice\r\nContent-Length: ", body.size(), "\r\n\r\n");
  Answer answer;
  if (write_all(fd, head) && write_all(fd, body) && parse(read_all(fd), answer)) return answer;
  return no_daemon_error(absl::StrCat("what listens on ", socket_, " did not answer as sluice does"));
}

std::string url_encode(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || std::strchr("-_.~", c) != nullptr) {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace sluice::control
