"""A hub on this machine: as much of the Hugging Face Hub's interface as a push and a pull need."""

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlparse

COMMIT = "a" * 40


@contextmanager
def served(repository):
    """Serve one repository; `files` is what it holds, `made` how it was asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    server.repository, server.files, server.made, server.asked = repository, {}, None, []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def blob(content):
    """Name a content as git does."""
    return hashlib.sha1(b"blob %d\0%s" % (len(content), content)).hexdigest()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        files, api = self.server.files, f"/api/models/{self.server.repository}"
        match self._path():
            case path if path == f"{api}/revision/main":
                self._json({"id": self.server.repository, "sha": COMMIT, "siblings": []})
            case path if path.startswith(f"{api}/tree/"):
                entries = [
                    {"type": "file", "path": name, "size": len(content), "oid": blob(content)}
                    for name, content in files.items()
                ]
                self._json(entries)
            case path if path.startswith(f"/{self.server.repository}/resolve/{COMMIT}/"):
                content = files[path.split(f"/{COMMIT}/")[1]]
                self._send(200, content, {"ETag": f'"{blob(content)}"', "X-Repo-Commit": COMMIT})
            case path:
                self._json({"error": f"{path} is not there"}, 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        api = f"/api/models/{self.server.repository}"
        match self._path():
            case "/api/repos/create":
                self.server.made = json.loads(body)
                self._json({"url": f"{self.server.url}/{self.server.repository}"})
            case "/api/validate-yaml":
                self._json({"errors": [], "warnings": []})
            case path if path == f"{api}/preupload/main":
                asked = [each["path"] for each in json.loads(body)["files"]]
                how = {"uploadMode": "regular", "shouldIgnore": False}
                self._json({"files": [{"path": name, **how} for name in asked]})
            case path if path == f"{api}/commit/main":
                for line in body.splitlines():
                    self._take(json.loads(line))
                place = f"{self.server.url}/{self.server.repository}/commit/{COMMIT}"
                self._json({"commitUrl": place, "commitOid": COMMIT, "success": True})
            case path:
                self._json({"error": f"{path} is not there"}, 404)

    def _take(self, action):
        value = action["value"]
        if action["key"] == "file":
            self.server.files[value["path"]] = base64.b64decode(value["content"])
        elif action["key"] == "deletedFile":
            del self.server.files[value["path"]]

    def _path(self):
        path = unquote(urlparse(self.path).path)
        self.server.asked.append((path, self.headers.get("Authorization")))
        return path

    def _json(self, value, status=200):
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status, content, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
