"""What went wrong with a request, and what the user can do about it.

In: a `Fault`, the address, the key (to keep it out of the words) and what was sent (likewise). Out: a `SonmatError`. Words of the
server are quoted in short, without the key and without the texts that it was sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from sonmat.core.errors import ModelError, SettingError, SonmatError
from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.inference.endpoint.address import Address
from sonmat.inference.endpoint.key import COMMON_VARIABLE, OWN_VARIABLE, Key, withheld

Kind = Literal["status", "timeout", "unreachable", "broken off", "untrusted", "unreadable", "stopped"]
_QUOTED: Final = 200
_LOOKED_AT: Final = 4_000
"""Characters of a server's words, once the key is out of them, that a quotation is made from."""
_SHORTEST_HIDDEN: Final = 8
"""Characters of a sent text from which on any piece of it is taken out of a quotation."""


@dataclass
class Fault(Exception):
    """One request that brought no reply."""

    kind: Kind
    status: int = 0
    said: str = ""
    code: str = ""
    parameter: str = ""
    wait_seconds: float | None = None
    """How long the endpoint asks to wait."""

    @property
    def out_of_money(self) -> bool:
        return self.status == 402 or "insufficient_quota" in self.code or "billing" in self.code


def error_of(fault: Fault, address: Address, key: Key, sent: Json, attempts: int) -> SonmatError:
    """The error to raise for `fault` after so many attempts."""
    quoted = _quoted(fault.said, key, sent)
    if fault.kind != "status":
        return _network_error(fault, address, quoted, attempts)
    if 300 <= fault.status < 400:
        return _redirected(address, fault.status)
    if fault.status in (401, 403):
        return _refused_key(address, key, fault.status)
    if fault.out_of_money:
        return _no_money(address, fault.status)
    if fault.status == 404:
        return _not_found(address, quoted)
    if fault.status < 500 and fault.status not in (408, 409, 425, 429):
        return _refused_request(address, fault.status, quoted)
    return _busy(address, fault, attempts)


def _quoted(said: str, key: Key, sent: Json) -> str:
    """At most 200 characters on one line; '' for nothing."""
    # The key first and in all of it: of one that is cut in two, neither half is known for what it is.
    plain = " ".join(_without_pieces(" ".join(key.hidden_in(said).split())[:_LOOKED_AT], sent).split())
    return f"{plain[:_QUOTED]}…" if len(plain) > _QUOTED else plain


def _without_pieces(said: str, sent: Json) -> str:
    """`said` with '…' for whatever stands in a text that was sent, also where the server cut or joined it."""
    pieces: set[str] = set()
    for text in _texts(sent.get("messages")):
        plain = " ".join(text.split())
        pieces.update(plain[at : at + _SHORTEST_HIDDEN] for at in range(len(plain) - _SHORTEST_HIDDEN + 1))
    kept, hidden_until = "", 0
    for at, letter in enumerate(said):
        if said[at : at + _SHORTEST_HIDDEN] in pieces:
            kept += "…" if at >= hidden_until else ""
            hidden_until = at + _SHORTEST_HIDDEN
        if at >= hidden_until:
            kept += letter
    return kept


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name != "role":
                yield from _texts(each)


def _says(quoted: str) -> Text:
    return Text(en=f" It says: “{quoted}”.", ko=f" 서버의 말: “{quoted}”.") if quoted else Text(en="", ko="")


def _network_error(fault: Fault, address: Address, quoted: str, attempts: int) -> SonmatError:
    if fault.kind == "untrusted":
        return ModelError(
            Text(
                en=f"The certificate of {address.host} is not trusted, so nothing was sent to it.",
                ko=f"{address.host}의 인증서를 믿을 수 없어 아무것도 보내지 않았습니다.",
            ),
            Text(
                en="Check the address; for a certificate of your own, name its file in SSL_CERT_FILE.",
                ko="주소를 확인하세요. 자체 인증서라면 SSL_CERT_FILE에 그 파일을 지정하세요.",
            ),
        )
    if fault.kind == "unreachable":
        return ModelError(
            Text(en=f"Nobody answers at {address.url}.", ko=f"{address.url}에 접속할 수 없습니다."),
            Text(
                en="Check the address and its port, and whether the server is running.",
                ko="주소와 포트, 그리고 서버가 실행 중인지 확인하세요.",
            ),
        )
    if fault.kind == "unreadable":
        return ModelError(
            Text(
                en=f"{address.completions} answers, but not with a chat completion.{_says(quoted).en}",
                ko=f"{address.completions}의 응답이 채팅 응답 형식이 아닙니다.{_says(quoted).ko}",
            ),
            _is_the_address_right(),
        )
    what = Text(
        en=f"{address.host} gave no whole answer in {attempts} attempt{'s' * (attempts != 1)} ({fault.kind}).",
        ko=f"{address.host}에 {attempts}번 물었지만 온전한 답을 받지 못했습니다({fault.kind}).",
    )
    return ModelError(what, _later())


def _redirected(address: Address, status: int) -> SonmatError:
    return ModelError(
        Text(
            en=f"{address.completions} points to another address ({status}). It was not followed, because the key would go along.",
            ko=f"{address.completions}이(가) 다른 주소로 넘깁니다({status}). 키가 함께 넘어갈 수 있어 따라가지 않았습니다.",
        ),
        Text(en="Name the address that it points to.", ko="넘겨진 주소를 직접 적으세요."),
    )


def _refused_key(address: Address, key: Key, status: int) -> SonmatError:
    if key.value:
        return SettingError(
            Text(
                en=f"{address.host} refuses the key in {key.variable} ({status}).",
                ko=f"{address.host}이(가) {key.variable}의 키를 받아들이지 않습니다({status}).",
            ),
            Text(
                en="Check that the key is one of this endpoint, is still valid and may use the model. What came so far is kept.",
                ko="이 서버의 유효한 키인지, 이 모델을 쓸 수 있는 키인지 확인하세요. 이미 받은 답은 그대로 남아 있습니다.",
            ),
        )
    why = Text(en="", ko="")
    if withheld(address):
        why = Text(
            en=f" {COMMON_VARIABLE} was not sent, because the address is not encrypted.",
            ko=f" 암호화되지 않은 주소라서 {COMMON_VARIABLE}는 보내지 않았습니다.",
        )
    return SettingError(
        Text(
            en=f"{address.host} asks for a key ({status}), and none was sent.{why.en}",
            ko=f"{address.host}은(는) 키가 필요한데({status}) 보낸 키가 없습니다.{why.ko}",
        ),
        Text(
            en=f"Put the key into the environment: {OWN_VARIABLE}, or {COMMON_VARIABLE} for encrypted addresses.",
            ko=f"환경 변수에 키를 넣으세요: {OWN_VARIABLE}, 암호화된 주소라면 {COMMON_VARIABLE}도 됩니다.",
        ),
    )


def _no_money(address: Address, status: int) -> SonmatError:
    return ModelError(
        Text(
            en=f"{address.host} answers no more: the account has no credit left ({status}).",
            ko=f"{address.host}이(가) 더 답하지 않습니다. 계정의 한도나 잔액이 다 됐습니다({status}).",
        ),
        Text(
            en="Raise the limit and run again: what came so far is kept and not paid for twice.",
            ko="한도를 올린 뒤 다시 실행하세요. 이미 받은 답은 남아 있어 두 번 지불하지 않습니다.",
        ),
    )


def _not_found(address: Address, quoted: str) -> SonmatError:
    return ModelError(
        Text(
            en=f"There is no {address.completions}, or no model {address.model} (404).{_says(quoted).en}",
            ko=f"{address.completions}이(가) 없거나 {address.model} 모델이 없습니다(404).{_says(quoted).ko}",
        ),
        _is_the_address_right(),
    )


def _refused_request(address: Address, status: int, quoted: str) -> SonmatError:
    return ModelError(
        Text(
            en=f"{address.host} refuses the question ({status}).{_says(quoted).en}",
            ko=f"{address.host}이(가) 질문을 받아들이지 않습니다({status}).{_says(quoted).ko}",
        ),
        Text(
            en="Check the name of the model and that it takes chat messages.",
            ko="모델 이름과, 그 모델이 채팅 메시지를 받는지 확인하세요.",
        ),
    )


def _busy(address: Address, fault: Fault, attempts: int) -> SonmatError:
    asks = fault.wait_seconds
    state = (
        Text(en="is busy", ko="이(가) 바쁩니다")
        if fault.status in (429, 503)
        else Text(en="fails", ko="에서 오류가 납니다")
    )
    en = f" and asks to wait {asks:.0f} seconds" if asks else f" after {attempts} attempt{'s' * (attempts != 1)}"
    ko = f"{asks:.0f}초 뒤에 오라고 합니다" if asks else f"{attempts}번 물어도 마찬가지입니다"
    return ModelError(
        Text(en=f"{address.host} {state.en} ({fault.status}){en}.", ko=f"{address.host}{state.ko}({fault.status}). {ko}."),
        _later(),
    )


def _is_the_address_right() -> Text:
    return Text(
        en="Check the address and the name of the model; most addresses end in /v1, as in openai:https://api.openai.com/v1:MODEL.",
        ko="주소와 모델 이름을 확인하세요. 주소는 대개 openai:https://api.openai.com/v1:모델처럼 /v1로 끝납니다.",
    )


def _later() -> Text:
    return Text(
        en="Run again later: what came so far is kept and not paid for twice.",
        ko="나중에 다시 실행하세요. 이미 받은 답은 남아 있어 두 번 지불하지 않습니다.",
    )
