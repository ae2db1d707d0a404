// SPDX-License-Identifier: BSD-3-Clause
//
// The API over its socket: what it answers, and what it does with requests of any shape and size.
#include <event2/event.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "control/http_client.h"
#include "control/http_server.h"
#include "control/status.h"

namespace sluice::test {
namespace {

using control::HttpClient;
using control::HttpServer;
using control::Request;
using control::Response;
using testing::HasSubstr;

/// A server in a thread of its own, in a directory of its own.
class Http : public testing::Test {
 protected:
  Http() {
    char name[] = "/tmp/sluice-http-XXXXXX";
    directory_ = mkdtemp(name);
    control_.socket = directory_ + "/run/s.sock";
    base_ = event_base_new();
    server_ = std::make_unique<HttpServer>(base_);
    server_->on("GET", "/v1/echo", [](const Request& request) {
      return Response{200, {{"query", request.query}}};
    });
    server_->on("POST", "/v1/size", [](const Request& request) {
      return Response{200, {{"size", request.body.size()}}};
    });
    server_->on("GET", "/v1/throw",
                [](const Request&) -> Response { throw std::runtime_error("deliberate"); });
  }

  ~Http() override {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    server_.reset();
    event_base_free(base_);
    std::filesystem::remove_all(directory_);
  }

  void serve() {
    ASSERT_TRUE(server_->listen(control_).ok());
    thread_ = std::thread([this] {
      const timeval soon = {0, 10'000};
      while (!stop_) {
        event_base_loopexit(base_, &soon);
        event_base_dispatch(base_);
      }
    });
  }

  /// What the server says to octets that are not HTTP at all, or not whole.
  std::string raw(const std::string& octets) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    control_.socket.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    size_t sent = 0;
    while (sent < octets.size()) {
      const ssize_t size = send(fd, octets.data() + sent, octets.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) break;
      sent += static_cast<size_t>(size);
    }
    shutdown(fd, SHUT_WR);
    std::string answer;
    char chunk[4096];
    for (ssize_t size; (size = read(fd, chunk, sizeof chunk)) > 0;)
      answer.append(chunk, static_cast<size_t>(size));
    close(fd);
    return answer;
  }

  HttpClient client() { return HttpClient(control_.socket); }

  std::string directory_;
  config::Control control_;
  event_base* base_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  std::atomic<bool> stop_ = false;
};

TEST_F(Http, answers_a_request_with_its_query_decoded) {
  serve();
  const auto answer = client().request("GET", "/v1/echo?bridge=" + control::url_encode("a b&c=d/é"));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->code, 200);
  EXPECT_EQ(answer->body["query"]["bridge"], "a b&c=d/é");
}

TEST_F(Http, says_404_and_405_in_words) {
  serve();
  EXPECT_EQ(client().request("GET", "/nothing")->code, 404);
  EXPECT_EQ(client().request("DELETE", "/v1/echo")->code, 405);
  EXPECT_THAT(client().request("GET", "/nothing")->body["errors"][0], HasSubstr("no such path"));
}

TEST_F(Http, takes_bodies_up_to_a_mebibyte_and_refuses_larger_ones) {
  serve();
  EXPECT_EQ(client().request("POST", "/v1/size", std::string(1 << 20, 'x'))->body["size"], 1 << 20);
  EXPECT_THAT(raw("POST /v1/size HTTP/1.0\r\nContent-Length: 2000000\r\n\r\n" + std::string(2'000'000, 'x')),
              HasSubstr("413"));
  EXPECT_EQ(client().request("GET", "/v1/echo")->code, 200) << "and lives on";
}

TEST_F(Http, survives_what_is_not_http) {
  serve();
  for (const std::string& octets :
       {std::string(), std::string("\0\0\0\0", 4), std::string("GET"), std::string("GET / HTTP/9.9\r\n\r\n"),
        std::string("POST /v1/size HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
        std::string("GET /v1/echo?%zz=%&=&&&a HTTP/1.0\r\n\r\n"), std::string(100'000, 'A'),
        "GET /" + std::string(100'000, 'a') + " HTTP/1.0\r\n\r\n",
        std::string("BREW /v1/echo HTTP/1.0\r\n\r\n")}) {
    raw(octets);
    ASSERT_EQ(client().request("GET", "/v1/echo")->code, 200) << octets.substr(0, 40);
  }
}

TEST_F(Http, outlives_clients_that_hang_up_before_their_answer) {
  serve();
  for (int i = 0; i < 20; ++i) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    control_.socket.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string requests = "GET /v1/echo HTTP/1.1\r\n\r\nGET /v1/echo HTTP/1.1\r\n\r\n";
    send(fd, requests.data(), requests.size(), MSG_NOSIGNAL);
    close(fd);
    ASSERT_EQ(client().request("GET", "/v1/echo")->code, 200);
  }
}

TEST_F(Http, turns_an_exception_into_an_answer) {
  serve();
  const auto answer = client().request("GET", "/v1/throw");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->code, 500);
  EXPECT_THAT(answer->body["errors"][0], HasSubstr("deliberate"));
}

TEST_F(Http, makes_its_directory_and_sets_the_mode_of_its_socket) {
  control_.socket_mode = 0600;
  serve();
  struct stat status {};
  ASSERT_EQ(stat(control_.socket.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(Http, replaces_a_socket_that_nobody_listens_to_and_refuses_one_that_somebody_does) {
  std::filesystem::create_directories(directory_ + "/run");
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  control_.socket.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(fd);
  serve();
  HttpServer second(base_);
  const absl::Status status = second.listen(control_);
  EXPECT_EQ(control::exit_code(status), control::kExitMachine);
  EXPECT_THAT(std::string(status.message()), HasSubstr("in use by a running sluice"));
}

TEST_F(Http, does_not_remove_a_file_that_is_no_socket) {
  std::filesystem::create_directories(directory_ + "/run");
  std::ofstream(control_.socket) << "precious";
  EXPECT_FALSE(server_->listen(control_).ok());
  EXPECT_TRUE(std::filesystem::is_regular_file(control_.socket));
}

TEST_F(Http, an_unknown_group_is_an_error_with_its_remedy) {
  control_.socket_group = "nobody-has-this-group";
  EXPECT_THAT(std::string(server_->listen(control_).message()), HasSubstr("groupadd nobody-has-this-group"));
}

TEST_F(Http, nobody_listening_is_exit_code_3) {
  EXPECT_EQ(control::exit_code(client().request("GET", "/v1/echo").status()), control::kExitNoDaemon);
}

}  // namespace
}  // namespace sluice::test
