"""A web server on this machine that serves files, and misbehaves as it is told."""

import functools
import socketserver
import threading
from http.server import BaseHTTPRequestHandler

import pytest


class Server(socketserver.ThreadingTCPServer):
    """Serves `files` below `url`; each request takes the next of `faults`, if there is one."""

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.files = {}
        self.faults = []
        self.asked = []
        self.over = threading.Event()

    def handle_error(self, request, client_address):
        """A client that hangs up is no matter."""


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        span = self.headers.get("Range")
        server.asked.append((self.path[1:], span))
        fault = server.faults.pop(0) if server.faults else "none"
        content = server.files.get(self.path[1:])
        if isinstance(fault, int) or content is None:
            return self.send_error(fault if content is not None else 404)
        start = int(span.removeprefix("bytes=").removesuffix("-")) if span else 0
        if fault == "slow":
            server.over.wait(1)
        if fault == "redirect":
            self.send_response(302)
            self.send_header("Location", self.path)
            return self.end_headers()
        if fault == "other piece":
            start, span = start + 1, f"bytes={start + 1}-"
        if fault == "ignore range":
            start, span = 0, None
        if span and start >= len(content):
            return self.send_error(416)
        self.send_body(content[start:], start if span else None, len(content), fault)
        return None

    def send_body(self, body, start, total, fault):
        self.send_response(200 if start is None else 206)
        if fault != "no length":
            self.send_header("Content-Length", str(len(body)))
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        if fault == "corrupt":
            body = bytes(byte ^ 1 for byte in body)
        if fault in {"truncate", "stall"}:
            body = body[: max(1, len(body) // 2)]
        if fault == "hang up":
            body = b""
        self.wfile.write(body)
        if fault in {"stall", "linger"}:
            self.wfile.flush()
            self.server.over.wait(20)

    def log_message(self, *words):
        """Say nothing."""


@pytest.fixture
def server():
    made = Server()
    thread = threading.Thread(target=functools.partial(made.serve_forever, poll_interval=0.01))
    thread.start()
    yield made
    made.over.set()
    made.shutdown()
    made.server_close()
    thread.join()
