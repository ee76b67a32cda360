"""An API server as far as the agent asks it: objects by their paths, over HTTP."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class APIServerDouble:
    """`objects` by their paths. `refuses` is the status that everything is answered with, `token` whom it knows."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.requests: list[tuple[str, str]] = []
        self.refuses = 0
        self.token = "first"

    def answer(self, method: str, path: str, body: dict[str, Any], authorization: str) -> tuple[int, Any]:
        self.requests.append((method, path))
        if authorization != f"Bearer {self.token}":
            return 401, {"message": "who are you"}
        if self.refuses:
            return self.refuses, {"message": "not for you"}
        if method == "POST":
            self.objects[f"{path}/{body['metadata']['name']}"] = body
            body["metadata"]["resourceVersion"] = "1"
            return 201, body
        found = self.objects.get(path)
        if found is None:
            return 404, {"message": "not found"}
        if method == "PUT":
            if body["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
                return 409, {"message": "conflict"}
            body["metadata"]["resourceVersion"] = str(int(found["metadata"]["resourceVersion"]) + 1)
            self.objects[path] = found = body
        return 200, found


@contextmanager
def serving(double: APIServerDouble, certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """Its URL. With a certificate and its key it speaks TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            who = self.headers.get("Authorization", "")
            status, answer = double.answer(self.command, self.path.partition("?")[0], json.loads(body or b"{}"), who)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do  # noqa: N815  the names of http.server

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name of http.server
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
