"""Asks a model over HTTP as OpenAI's chat completions, several questions at a time, each answer paid for once.

In: bodies of requests. Out: one `Reply` each, as soon as it is known. Replies that were kept are not asked for again; two equal
bodies are one request. What is busy (429, 5xx, no answer in time) is asked again after the time that it names (Retry-After), else
after 1, 2, 4, ... seconds with jitter, and all threads wait together. Redirects are not followed, because the key would go along. A
key is read when the client is made, sent in one header, and stands in nothing that is returned or raised.

Temperature 0 and `max_tokens` are sent; an endpoint that refuses one of them by name is asked without that temperature, or with
`max_completion_tokens`, and the reply says so. Only the standard library is used.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import random
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any, Final

from sonmat import __version__
from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.inference.endpoint.address import Address
from sonmat.inference.endpoint.faults import Fault, Kind, error_of
from sonmat.inference.endpoint.kept import KeptReplies, Reply
from sonmat.inference.endpoint.key import Key, Purpose, key_for
from sonmat.runs.files import sha256_of

LONGEST_WAIT: Final = 120.0
"""Seconds that one Retry-After is heeded for; an endpoint that asks for more is left for later."""
_BUSY: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_MOST_BYTES: Final = 16 << 20
_UNANSWERABLE: Final = ("content_filter", "content_policy", "context_length", "string_above_max_length", "maximum context")
"""In a refusal of one question, which says nothing of the others."""


@dataclass(frozen=True)
class Pace:
    """How the endpoint is asked; none of it changes an answer."""

    at_once: int = 4
    attempts: int = 6
    timeout_seconds: float = 120.0
    first_wait_seconds: float = 1.0
    """Before the second attempt, where the endpoint asks for no time of its own; doubled each time."""


@dataclass
class Client:
    """One endpoint. Make it with `open_client`."""

    address: Address
    key: Key
    kept: KeptReplies
    pace: Pace = Pace()
    repeated: int = 0
    """Requests that had to be made again."""
    waited: float = 0.0
    """Seconds that the endpoint had all requests wait."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _busy_until: float = 0.0
    _answered: bool = False
    _other_names: dict[str, str | None] = field(default_factory=dict)
    """Fields that the endpoint refuses, and what stands in their place; None for nothing."""

    @property
    def how_sent(self) -> Text:
        """With which key, and whether others on the way can read it: the end of a sentence about sending."""
        key = Text(en="", ko="")
        if self.key.variable:
            key = Text(en=f", with the key in {self.key.variable}", ko=f"({self.key.variable}의 키 사용)")
        if self.address.encrypted or self.address.is_this_machine:
            return key
        return Text(en=f"{key.en}, unencrypted", ko=f"{key.ko}(암호화되지 않음)")

    def missing(self, bodies: Sequence[Json]) -> list[Json]:
        """Those that are not yet answered, each once."""
        found = {self._fingerprint(body): body for body in bodies}
        return [body for name, body in found.items() if self.kept.get(name) is None]

    def ask(self, bodies: Sequence[Json]) -> Generator[tuple[int, Reply], None, None]:
        """Of each body its place and the reply, in the order in which they come.

        Closing the iterator waits for requests that are under way, because they are paid for, and keeps their replies.

        Raises:
            SonmatError: what `faults.error_of` makes of a failure; all replies that came until then are kept.
        """
        places: dict[str, list[int]] = {}
        for place, body in enumerate(bodies):
            places.setdefault(self._fingerprint(body), []).append(place)
        for name in list(places):
            reply = self.kept.get(name)
            if reply is not None:
                yield from ((place, reply) for place in places.pop(name))
        for name, reply in self._ask_all({name: bodies[found[0]] for name, found in places.items()}):
            yield from ((place, reply) for place in places[name])

    def _ask_all(self, bodies: Mapping[str, Json]) -> Iterator[tuple[str, Reply]]:
        self._stop.clear()
        waiting = iter(bodies.items())
        under_way: dict[Future[Reply], str] = {}
        with ThreadPoolExecutor(max_workers=self.pace.at_once, thread_name_prefix="endpoint") as pool:
            try:
                while True:
                    # No more than are asked at once, so that a stop leaves no line of requests behind.
                    while len(under_way) < self.pace.at_once and (following := next(waiting, None)) is not None:
                        under_way[pool.submit(self._answered_and_kept, *following)] = following[0]
                    if not under_way:
                        return
                    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield under_way.pop(future), future.result()
            finally:
                self._stop.set()

    def _answered_and_kept(self, name: str, body: Json) -> Reply:
        reply = self._persistent(body)
        self.kept.keep(name, reply)
        self._answered = True
        return reply

    def _persistent(self, body: Json) -> Reply:
        """The reply, asked for as often as it takes.

        Raises:
            SonmatError: not to be had.
        """
        attempt = 0
        while True:
            attempt += 1
            sent = self._adapted(body)
            try:
                self._wait_until_free()
                return self._once(sent)
            except Fault as fault:
                if self._learns_from(fault, sent):
                    attempt -= 1
                    continue
                unanswerable = _unanswerable(fault)
                if unanswerable is not None:
                    return unanswerable
                if attempt >= self.pace.attempts or not self._worth_another(fault):
                    raise error_of(fault, self.address, self.key, sent, attempt) from None
                self._hold(fault.wait_seconds, attempt)

    def _once(self, body: Json) -> Reply:
        request = urllib.request.Request(
            self.address.completions,
            data=json.dumps(body, ensure_ascii=False).encode(),
            headers=self._headers(),
            method="POST",
        )
        start = time.perf_counter()
        try:
            with _opener(self.address).open(request, timeout=self.pace.timeout_seconds) as response:
                content = response.read(_MOST_BYTES)
        except urllib.error.HTTPError as error:
            with error:
                raise _fault_of(error) from None
        except (OSError, http.client.HTTPException) as error:
            raise Fault(kind=_network_kind(error), said=type(error).__name__) from None
        seconds = time.perf_counter() - start
        return self._read(content.decode("utf-8", "replace"), seconds, body)

    def _read(self, content: str, seconds: float, body: Json) -> Reply:
        try:
            document = _whole(json.loads(self.key.hidden_in_answer(content)))
            choice = document["choices"][0]
            message = choice["message"]
            said = message.get("content") or ""
            if isinstance(said, list):
                said = "".join(str(part.get("text", "")) for part in said)
            return Reply(
                text=str(said),
                tool_calls=tuple(call for call in message.get("tool_calls") or () if isinstance(call, dict)),
                ended=str(choice.get("finish_reason") or "stop"),
                input_tokens=_counted(document.get("usage"), "prompt_tokens"),
                output_tokens=_counted(document.get("usage"), "completion_tokens"),
                seconds=seconds,
                model=str(document.get("model") or ""),
                own_temperature="temperature" not in body,
            )
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise Fault(kind="unreadable", said=_readable(content)) from None

    def _headers(self) -> dict[str, str]:
        given = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": f"sonmat/{__version__}"}
        return {**given, "Authorization": f"Bearer {self.key.value}"} if self.key.value else given

    # ── what is waited for, and what is learnt from a refusal ───────────────────────────────────────────────────────

    def _wait_until_free(self) -> None:
        while (left := self._busy_until - time.monotonic()) > 0 and not self._stop.wait(left):
            pass
        if self._stop.is_set():
            raise Fault(kind="stopped")

    def _hold(self, asked: float | None, attempt: int) -> None:
        """Have all requests wait as long as the endpoint asks, else the longer the more often it was busy."""
        seconds = asked or self.pace.first_wait_seconds * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)
        with self._lock:
            self.repeated += 1
            until = time.monotonic() + seconds
            self.waited += max(0.0, until - max(self._busy_until, time.monotonic()))
            self._busy_until = max(self._busy_until, until)

    def _worth_another(self, fault: Fault) -> bool:
        if fault.wait_seconds is not None and fault.wait_seconds > LONGEST_WAIT:
            return False
        if fault.kind == "unreachable":
            # An address that has never answered is most likely written wrong.
            return self._answered
        return fault.kind in ("timeout", "broken off", "unreadable") or (fault.status in _BUSY and not fault.out_of_money)

    def _learns_from(self, fault: Fault, sent: Json) -> bool:
        """Whether the endpoint refuses a field by name that can be said in another way."""
        if fault.status not in (400, 422):
            return False
        about = f"{fault.parameter} {fault.said}".lower()
        with self._lock:
            if "max_tokens" in sent and "max_completion_tokens" in about:
                self._other_names["max_tokens"] = "max_completion_tokens"
            elif "temperature" in sent and "temperature" in about:
                self._other_names["temperature"] = None
            else:
                return False
        return True

    def _adapted(self, body: Json) -> Json:
        with self._lock:
            names = dict(self._other_names)
        renamed = ((names.get(name, name), value) for name, value in body.items())
        return {name: value for name, value in renamed if name is not None}

    def _fingerprint(self, body: Json) -> str:
        return sha256_of(self.address.url, body)


def open_client(address: Address, kept: Path | None, pace: Pace | None = None, purpose: Purpose = "arm") -> Client:
    """A client with the environment's key and what was kept in the folder `kept`.

    Raises:
        SettingError: the environment holds what cannot be a key.
    """
    return Client(address, key_for(address, purpose), KeptReplies(kept, address), pace or Pace())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _opener(address: Address) -> urllib.request.OpenerDirector:
    # What stays on this machine needs no way out of it.
    proxies = [urllib.request.ProxyHandler({})] if address.is_this_machine else []
    return urllib.request.build_opener(_NoRedirects, *proxies)


def _whole(document: Any) -> Any:
    """The document without halves of characters, which servers leave where they cut an answer and no file can hold."""
    return json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))


def _counted(usage: Any, name: str) -> int | None:
    """Tokens as the endpoint counts them; None where it does not. An answer that came is not lost to a count that is none."""
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def _readable(content: str) -> str:
    """JSON with its letters as they are: what must not be quoted is looked for as it was sent."""
    try:
        return json.dumps(_whole(json.loads(content)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return content


def _fault_of(error: urllib.error.HTTPError) -> Fault:
    try:
        content = error.read(_MOST_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        content = ""
    content = _readable(content)
    said, code, parameter = content, "", ""
    try:
        document = json.loads(content)
        inner = document.get("error", document) if isinstance(document, dict) else {}
        if isinstance(inner, dict):
            said = str(inner.get("message") or inner.get("detail") or content)
            code, parameter = f"{inner.get('code') or ''} {inner.get('type') or ''}".strip(), str(inner.get("param") or "")
        else:
            said = str(inner)
    except (ValueError, RecursionError):
        said = "" if content.lstrip().startswith("<") else content
    return Fault(
        kind="status",
        status=error.code,
        said=said,
        code=code,
        parameter=parameter,
        wait_seconds=_retry_after(error.headers),
    )


def _retry_after(headers: Message) -> float | None:
    """Seconds of Retry-After (RFC 9110, 10.2.3: a number or a date) or of its variant in milliseconds."""
    given, scale = (
        (headers.get("retry-after-ms"), 0.001) if headers.get("retry-after-ms") else (headers.get("Retry-After"), 1.0)
    )
    if given is None:
        return None
    try:
        seconds = float(given) * scale
        return seconds if 0 <= seconds < float("inf") else None
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(given).timestamp() - time.time())
    except ValueError:
        return None


def _network_kind(error: Exception) -> Kind:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLError):
        return "untrusted" if isinstance(reason, ssl.SSLCertVerificationError) else "broken off"
    if isinstance(reason, TimeoutError):
        return "timeout"
    if isinstance(reason, socket.gaierror | ConnectionRefusedError):
        return "unreachable"
    return "broken off"


def _unanswerable(fault: Fault) -> Reply | None:
    """An empty reply where the endpoint refuses this question for what it says or for its length."""
    about = f"{fault.code} {fault.said}".lower()
    about_this_question = fault.status in (400, 422) and any(sign in about for sign in _UNANSWERABLE)
    if not about_this_question and fault.status != 413:
        return None
    return Reply(text="", ended="refused", seconds=0.0)
