"""A server on the loopback that answers as an OpenAI-compatible endpoint does, and remembers what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Said:
    """What the server sends back: a chat completion of `text`, unless `content` says what else."""

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: str | None = None
    finish: str = "stop"
    usage: dict[str, int] | None = field(default_factory=lambda: {"prompt_tokens": 10, "completion_tokens": 3})
    tool_calls: list[Any] | None = None

    def body(self) -> str:
        if self.content is not None:
            return self.content
        message: dict[str, Any] = {"role": "assistant", "content": self.text}
        if self.tool_calls is not None:
            message = {**message, "content": None, "tool_calls": self.tool_calls}
        document = {"model": "fake-1", "choices": [{"message": message, "finish_reason": self.finish}]}
        return json.dumps({**document, **({"usage": self.usage} if self.usage else {})})


@dataclass
class Fake:
    """A running server; `answer` is given each request's body."""

    url: str
    answer: Callable[[Any], Said]
    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, model: str = "fake") -> str:
        return f"openai:{self.url}:{model}"

    @property
    def asked(self) -> list[str]:
        """The last words of each request."""
        return [body["messages"][-1]["content"] for body in self.bodies]


def refusal(status: int, message: str, code: str = "", param: str = "", **headers: str) -> Said:
    error = {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}
    return Said(status=status, headers=headers, content=json.dumps(error))


def in_turn(*said: Said | str) -> Callable[[Any], Said]:
    """Each request the next of `said`; the last one from then on."""
    left = [each if isinstance(each, Said) else Said(each) for each in said]
    lock = threading.Lock()

    def answer(body: Any) -> Said:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return answer


@contextmanager
def serving(answer: Callable[[Any], Said]) -> Iterator[Fake]:
    """A server until the block ends."""
    fake = Fake("", answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with fake.lock:
                fake.bodies.append(body)
                fake.headers.append(dict(self.headers))
                fake.paths.append(self.path)
            said = fake.answer(body)
            content = said.body().encode()
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
