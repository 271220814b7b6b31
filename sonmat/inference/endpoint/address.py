"""Where a model is asked over HTTP: `openai:URL:MODEL` read into its parts.

In: what the user wrote. Out: an `Address`, or an error that says how it is written. What was written is never quoted in an error,
because people put keys there. Nothing is sent.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from sonmat.core.errors import SettingError
from sonmat.core.text import Text
from sonmat.core.values import Value

SCHEME: Final = "openai:"
"""Opens the name of a model that is asked over HTTP."""
_COMPLETIONS: Final = "/chat/completions"
_HOST: Final = r"\[[0-9A-Fa-f:.]+\]|[^/:\[\]]+"
# The port is taken where digits end before a path, a model or nothing, and no part is given back for another reading.
_PARTS: Final = re.compile(
    rf"(?P<url>https?://(?:{_HOST})(?::(?P<port>\d+)(?=[/:]|$))?+(?:/[^:]*)?+):(?P<model>.+)", re.IGNORECASE
)
_URL_ALONE: Final = re.compile(rf"https?://(?:{_HOST})(?::\d+)?(?:/[^:]*)?:?", re.IGNORECASE)
_EXAMPLE: Final = "openai:https://api.openai.com/v1:gpt-4.1-mini"


class Address(Value):
    """A model and the server that answers for it."""

    url: str
    """Up to where `/chat/completions` is put behind it, without a slash at the end."""
    model: str

    @property
    def completions(self) -> str:
        return f"{self.url}{_COMPLETIONS}"

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def encrypted(self) -> bool:
        return self.url.lower().startswith("https:")

    @property
    def is_this_machine(self) -> bool:
        """Whether what is sent stays on the machine that sends it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def is_endpoint(name: str) -> bool:
    """Whether `name` is meant as one that `read_address` reads."""
    return name == SCHEME.rstrip(":") or name.startswith(SCHEME)


def read_address(name: str) -> Address:
    """The address that `openai:URL:MODEL` names. The model may hold colons; the URL only before its port.

    Raises:
        SettingError: it is written in another way, or holds what must not be kept in a run.
    """
    written = name.removeprefix(SCHEME).strip()
    # Before the model, which may hold any of these.
    if re.match(r"https?://[^/]*@", written, re.IGNORECASE) or re.match(
        r"https?://[^:]*(?::\d+)?[^:]*[?#]", written, re.IGNORECASE
    ):
        raise _holds_a_secret()
    parts = _PARTS.fullmatch(written)
    if parts is None:
        raise _without_model() if _URL_ALONE.fullmatch(written) else _malformed()
    url, model, port = parts["url"].rstrip("/").removesuffix(_COMPLETIONS), parts["model"].strip(), parts["port"]
    if not model:
        raise _without_model()
    if re.search(r"\s", url + model) or (port is not None and not 0 < int(port) < 65536) or not _can_be_asked(url):
        raise _malformed()
    return Address(url=url, model=model)


def _can_be_asked(url: str) -> bool:
    """Whether the host can be looked up and the path sent as they are written."""
    try:
        parts = urlsplit(url)
        return bool((parts.hostname or "").encode("idna")) and parts.path.isascii()
    except ValueError:
        return False


def _malformed() -> SettingError:
    return SettingError(
        Text(
            en="A model that is asked over HTTP is written openai:URL:MODEL; this one is written in another way.",
            ko="HTTP로 묻는 모델은 openai:URL:모델로 적어야 하는데 다르게 적혀 있습니다.",
        ),
        _how(),
    )


def _without_model() -> SettingError:
    return SettingError(
        Text(en="The address names no model.", ko="주소에 모델 이름이 없습니다."),
        Text(
            en=f"Put the model behind the URL and a colon. {_how().en}",
            ko=f"URL 뒤에 콜론과 모델 이름을 붙이세요. {_how().ko}",
        ),
    )


def _holds_a_secret() -> SettingError:
    return SettingError(
        Text(
            en="The address holds a user name, '?' or '#'. It is written into the run, where no key may stand.",
            ko="주소에 사용자 이름이나 '?', '#'이 있습니다. 주소는 실행 폴더에 기록되므로 키를 넣으면 안 됩니다.",
        ),
        Text(
            en=f"Put the key into the environment (SONMAT_OPENAI_KEY), and write the address without it. {_how().en}",
            ko=f"키는 환경 변수 SONMAT_OPENAI_KEY에 넣고, 주소는 키 없이 적으세요. {_how().ko}",
        ),
    )


def _how() -> Text:
    return Text(
        en=f"For example {_EXAMPLE}, or openai:http://127.0.0.1:8000/v1:MODEL for a server of your own.",
        ko=f"예: {_EXAMPLE}. 직접 띄운 서버는 openai:http://127.0.0.1:8000/v1:모델로 적습니다.",
    )
