"""A loopback HTTP server for a WSGI application whose answers go astray on command.

GET /_test/state tells what the token endpoint was asked; POST /_test/next queues what happens to the next requests:
{"do": "lose" | "cut" | "answer", "times": 1, "on": "refresh" | "any"}, and for "answer" also status, body, content_type
and retry_after. Lost and cut answers are of requests that the application has fully processed."""

import json
import threading
from collections import Counter
from http.server import ThreadingHTTPServer
from io import BytesIO
from urllib.parse import parse_qs
from wsgiref.handlers import SimpleHandler
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer


def answer(status, body, kind, *headers):
    head = [f"HTTP/1.0 {status} Made Up", f"Content-Type: {kind}", f"Content-Length: {len(body.encode())}", *headers]
    return "\r\n".join([*head, "", body]).encode()


class Handler(WSGIRequestHandler):
    def handle(self):
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/_test/"):
            self.wfile.write(self.control(body))
            return
        # One request at a time: the database is one that lives in memory.
        with self.server.lock:
            sent = self.decide(body)
        self.wfile.write(sent)

    def control(self, body):
        state = self.server
        with state.lock:
            if self.path == "/_test/next":
                told = {"times": 1, "on": "refresh", **json.loads(body)}
                state.queue += [told] * told["times"]
            counts = Counter(one["grant_type"] for one in state.seen)
            told = {"counts": counts, "requests": state.seen, "queued": len(state.queue)}
        return answer(200, json.dumps(told), "application/json")

    def decide(self, body):
        """What the client is sent, after the application has done its part."""
        form = {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}
        is_token = self.command == "POST" and self.path == self.server.token_path
        fault = self.fault(is_token and form.get("grant_type") == "refresh_token")
        do = fault.get("do")
        seen = {"grant_type": form.get("grant_type"), "refresh_token": form.get("refresh_token"), "fault": do}
        if do == "answer":
            retry = [f"Retry-After: {fault['retry_after']}"] if "retry_after" in fault else []
            kind = fault.get("content_type", "text/html")
            sent = answer(fault.get("status", 503), fault.get("body", "Service Unavailable"), kind, *retry)
        else:
            sent = self.run(body)
            seen["status"] = int(sent.split(b" ", 2)[1])
        if is_token:
            self.server.seen.append(seen)
        if do == "lose":
            return b""
        if do == "cut":
            head, end, rest = sent.partition(b"\r\n\r\n")
            return head + end + rest[: len(rest) // 2]
        return sent

    def fault(self, is_refresh):
        for at, fault in enumerate(self.server.queue):
            if is_refresh or fault["on"] == "any":
                return self.server.queue.pop(at)
        return {}

    def run(self, body):
        out = BytesIO()
        SimpleHandler(BytesIO(body), out, self.get_stderr(), self.get_environ()).run(self.server.get_app())
        return out.getvalue()


class Server(ThreadingHTTPServer, WSGIServer):
    def __init__(self, port, token_path):
        super().__init__(("127.0.0.1", port), Handler)
        self.token_path = token_path
        self.lock, self.seen, self.queue = threading.RLock(), [], []
        self.base = f"http://127.0.0.1:{self.server_port}"
