// SPDX-License-Identifier: BSD-3-Clause
#include "control/http_server.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "control/http_client.h"
#include "control/log.h"
#include "control/status.h"

namespace sluice::control {
namespace {

constexpr ev_ssize_t kMaxHeaders = 16 << 10;
constexpr ev_ssize_t kMaxBody = 1 << 20;
constexpr int kBacklog = 64;

const char* method_name(evhttp_cmd_type method) {
  switch (method) {
    case EVHTTP_REQ_GET:
      return "GET";
    case EVHTTP_REQ_POST:
      return "POST";
    case EVHTTP_REQ_DELETE:
      return "DELETE";
    default:
      return "";
  }
}

Request read_request(evhttp_request* request) {
  Request out;
  const char* query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
  evkeyvalq pairs{};
  if (query != nullptr && evhttp_parse_query_str(query, &pairs) == 0) {
    for (const evkeyval* pair = pairs.tqh_first; pair != nullptr; pair = pair->next.tqe_next) {
      out.query[pair->key] = pair->value;
    }
  }
  evhttp_clear_headers(&pairs);
  evbuffer* body = evhttp_request_get_input_buffer(request);
  out.body.resize(evbuffer_get_length(body));
  evbuffer_copyout(body, out.body.data(), out.body.size());
  return out;
}

absl::Status cannot_listen(const std::string& path, const char* what) {
  return machine_error(absl::StrCat("control: socket ", path, ": ", what, ": ", std::strerror(errno),
                                    ": run as root, or set control: socket: to a path that you may write"));
}

absl::Status set_owner(const config::Control& control) {
  if (chmod(control.socket.c_str(), control.socket_mode) != 0) return cannot_listen(control.socket, "mode");
  if (control.socket_group.empty()) return absl::OkStatus();
  const group* entry = getgrnam(control.socket_group.c_str());
  if (entry == nullptr) {
    return machine_error(absl::StrCat("control: socket: there is no group '", control.socket_group,
                                      "': make it with: groupadd ", control.socket_group));
  }
  if (chown(control.socket.c_str(), static_cast<uid_t>(-1), entry->gr_gid) == 0) return absl::OkStatus();
  return cannot_listen(control.socket, "group");
}

// Bound with no permissions at all, so that nobody connects before set_owner() has said who may.
int bind_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const mode_t before = umask(0777);
  const int result = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  umask(before);
  if (result == 0 && ::listen(fd, kBacklog) == 0) return fd;
  errno = result == 0 ? errno : error;
  close(fd);
  return -1;
}

}  // namespace

HttpServer::HttpServer(event_base* base) : http_(evhttp_new(base)) {
  // A client that hangs up before its answer is its own affair, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  evhttp_set_max_headers_size(http_, kMaxHeaders);
  evhttp_set_max_body_size(http_, kMaxBody);
  evhttp_set_allowed_methods(http_, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_DELETE);
  evhttp_set_gencb(http_, &HttpServer::serve, this);
}

HttpServer::~HttpServer() {
  evhttp_free(http_);
  if (!socket_.empty()) unlink(socket_.c_str());
}

void HttpServer::on(const std::string& method, const std::string& path, Handler handler) {
  handlers_[path][method] = std::move(handler);
}

absl::Status HttpServer::listen(const config::Control& control) {
  std::error_code ignored;
  const std::filesystem::path directory = std::filesystem::path(control.socket).parent_path();
  if (!directory.empty()) std::filesystem::create_directories(directory, ignored);
  if (HttpClient(control.socket).reachable()) {
    return machine_error(absl::StrCat("control: socket ", control.socket,
                                      " is in use by a running sluice: stop it, or set control: socket:"));
  }
  struct stat existing {};
  if (lstat(control.socket.c_str(), &existing) == 0 && S_ISSOCK(existing.st_mode))
    unlink(control.socket.c_str());
  const int fd = bind_socket(control.socket);
  if (fd < 0) return cannot_listen(control.socket, "cannot be made");
  socket_ = control.socket;
  if (absl::Status status = set_owner(control); !status.ok()) {
    close(fd);
    return status;
  }
  if (evhttp_accept_socket(http_, fd) == 0) return absl::OkStatus();
  close(fd);
  return cannot_listen(control.socket, "cannot be served");
}

Response HttpServer::answer(evhttp_request* request) const {
  const evhttp_uri* uri = evhttp_request_get_evhttp_uri(request);
  const char* path = uri == nullptr ? nullptr : evhttp_uri_get_path(uri);
  const auto found = handlers_.find(path == nullptr ? "" : path);
  if (found == handlers_.end()) return {404, {{"errors", {"there is no such path"}}}};
  const auto handler = found->second.find(method_name(evhttp_request_get_command(request)));
  if (handler == found->second.end()) return {405, {{"errors", {"the path does not know this method"}}}};
  return handler->second(read_request(request));
}

void HttpServer::serve(evhttp_request* request, void* self) {
  Response response;
  try {
    response = static_cast<HttpServer*>(self)->answer(request);
  } catch (
      const std::exception& error) {  // nlohmann-json and the standard library throw; a request kills nothing
    log_error(absl::StrCat("api: ", error.what()));
    response = {500, {{"errors", {error.what()}}}};
  }
  const std::string text =
      response.body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  evbuffer* out = evbuffer_new();
  evbuffer_add(out, text.data(), text.size());
  evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/json");
  evhttp_send_reply(request, response.code, nullptr, out);
  evbuffer_free(out);
}

}  // namespace sluice::control
