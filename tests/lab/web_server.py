#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A web server that tells its clients which address it saw, and notes it in its log. For the lab and the demo.

    web_server.py NAME LOG [PORT]

`GET /` is answered with a greeting, `GET /NUMBER` with so many octets, `POST` with the number of those that came."""

import http.server
import socket
import socketserver
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self._answer(self._octets() or f"Hello {self._client()}, this is the web server of {self.server.name}.\n".encode())

    def do_POST(self):
        came = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(f"{len(came)} octets\n".encode())

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _octets(self):
        number = self.path.removeprefix("/")
        return b"x" * int(number) if number.isdecimal() else b""

    def _client(self):
        return self.client_address[0].removeprefix("::ffff:")  # an IPv4 client, as an IPv6 socket shows it

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        self.server.note(f"{self._client()} asked: {self.requestline}")


class Server(socketserver.ThreadingTCPServer):
    """Both families. Unlike http.server's it does not ask a name server for its own name."""
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, name, log, port):
        self.name = name
        self._log = open(log, "a", buffering=1, encoding="ascii")  # pylint: disable=consider-using-with
        super().__init__(("::", port), Handler)

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def note(self, line):
        self._log.write(line + "\n")


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    server = Server(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) == 4 else 80)
    server.note("listening")
    server.serve_forever()


if __name__ == "__main__":
    main()
