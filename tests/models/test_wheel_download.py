"""Fetching over HTTP: progress with time left, and connections that break."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonmat.core.errors import ModelError
from sonmat.models import resolve
from sonmat.models.entry import CatalogueEntry
from tests.models.conftest import Events, Index


class Server(http.server.ThreadingHTTPServer):
    """A package index that breaks off the first `broken` downloads in the middle."""

    folder: Path
    broken = 0


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path.startswith("/simple/"):
            links = "".join(f'<a href="/files/{file.name}">{file.name}</a>' for file in self.server.folder.glob("*.whl"))
            self._send(f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html")
            return
        content = (self.server.folder / self.path.rsplit("/", 1)[1]).read_bytes()
        if self.server.broken:
            self.server.broken -= 1
            self._send(content, "application/zip", cut=len(content) // 2)
        else:
            self._send(content, "application/zip")

    def _send(self, content: bytes, kind: str, cut: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: tests do not chat."""


@pytest.fixture
def server(index: Index, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.folder = index.folder
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{made.server_port}/simple")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def test_a_download_reports_bytes_done_and_in_all(entry: CatalogueEntry, server: Server, events: Events) -> None:
    resolve("tiny-bert", emit=events)
    progress = events.of("progress")
    assert {report["total"] for report in progress} == {entry.download_bytes}
    done = [report["done"] for report in progress]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, entry.download_bytes)
    assert progress[-1]["seconds_left"] == 0


def test_a_connection_that_breaks_once_is_taken_up_again(entry: CatalogueEntry, server: Server, events: Events) -> None:
    server.broken = 1
    assert resolve("tiny-bert", emit=events).name == "tiny-bert"


def test_a_connection_that_keeps_breaking_leaves_nothing_and_the_next_try_works(
    entry: CatalogueEntry, server: Server, events: Events, cache: Path
) -> None:
    server.broken = 100
    with pytest.raises(ModelError, match="could not be fetched"):
        resolve("tiny-bert", emit=events)
    assert not list(cache.rglob("*.whl"))
    server.broken = 0
    assert resolve("tiny-bert", emit=events).name == "tiny-bert"
