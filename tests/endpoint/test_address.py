"""Addresses with their many colons, what is no address, and which key goes where."""

from __future__ import annotations

import pytest

from sonmat.core.errors import SettingError
from sonmat.inference.endpoint.address import Address, is_endpoint, read_address
from sonmat.inference.endpoint.key import COMMON_VARIABLE, JUDGE_VARIABLE, OWN_VARIABLE, key_for

OPEN = Address(url="http://127.0.0.1:8000/v1", model="m")
CLOSED = Address(url="https://api.example.com/v1", model="m")


@pytest.mark.parametrize(
    ("written", "url", "model"),
    [
        ("openai:http://127.0.0.1:8000/v1:model", "http://127.0.0.1:8000/v1", "model"),
        ("openai:https://api.openai.com/v1:gpt-4.1-mini", "https://api.openai.com/v1", "gpt-4.1-mini"),
        ("openai:http://localhost:11434/v1:llama3.1:8b", "http://localhost:11434/v1", "llama3.1:8b"),
        ("openai:https://host.example/api/v1/:org/model:free", "https://host.example/api/v1", "org/model:free"),
        ("openai:http://localhost:8000:org/model", "http://localhost:8000", "org/model"),
        ("openai:https://host.example:model", "https://host.example", "model"),
        ("openai:http://[::1]:8000/v1:model", "http://[::1]:8000/v1", "model"),
        ("openai:https://host.example/v1/chat/completions:model", "https://host.example/v1", "model"),
        ("openai:https://host.example/v1:model@2024#1", "https://host.example/v1", "model@2024#1"),
    ],
)
def test_an_address_is_read_into_url_and_model(written: str, url: str, model: str) -> None:
    address = read_address(written)
    assert (address.url, address.model) == (url, model)
    assert address.completions == f"{url}/chat/completions"


@pytest.mark.parametrize("written", ["openai:https://host:8000/v1", "openai:https://host:8000", "openai:http://host/v1:"])
def test_an_address_without_a_model_says_so(written: str) -> None:
    with pytest.raises(SettingError, match="names no model"):
        read_address(written)


@pytest.mark.parametrize(
    "written",
    [
        "openai", "openai:", "openai:sk-1234:gpt", "openai:ftp://h/v1:m", "openai:http://h:99999/v1:m",
        "openai:http://a..b/v1:m", "openai:http://[1:2]/v1:m", "openai:http://h/한글/v1:m",
    ],
)  # fmt: skip
def test_another_spelling_says_how_it_is_written_and_quotes_nothing(written: str) -> None:
    with pytest.raises(SettingError, match="openai:URL:MODEL") as caught:
        read_address(written)
    assert "sk-1234" not in str(caught.value)


@pytest.mark.parametrize(
    "written", ["openai:https://u:sk-1234@h/v1:m", "openai:https://h/v1?key=sk-1234:m", "openai:https://h/v1#sk-1234:m"]
)
def test_an_address_that_may_hold_a_key_is_refused_without_quoting_it(written: str) -> None:
    with pytest.raises(SettingError, match="no key may stand") as caught:
        read_address(written)
    assert "sk-1234" not in str(caught.value)
    assert "sk-1234" not in caught.value.whole.ko


def test_names_of_endpoints_are_told_from_others() -> None:
    assert [is_endpoint(name) for name in ("openai:x", "openai", "run:x:y", "openai-lora")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("set_", "address", "purpose", "expected"),
    [
        ({COMMON_VARIABLE: "common"}, CLOSED, "arm", "common"),
        ({COMMON_VARIABLE: "common"}, OPEN, "arm", ""),
        ({COMMON_VARIABLE: "common", OWN_VARIABLE: "own"}, CLOSED, "arm", "own"),
        ({COMMON_VARIABLE: "common", OWN_VARIABLE: "own"}, OPEN, "arm", "own"),
        ({COMMON_VARIABLE: "common", OWN_VARIABLE: ""}, CLOSED, "arm", ""),
        ({OWN_VARIABLE: "own", JUDGE_VARIABLE: "judge"}, CLOSED, "arm", "own"),
        ({OWN_VARIABLE: "own", JUDGE_VARIABLE: "judge"}, CLOSED, "judge", "judge"),
        ({OWN_VARIABLE: "own"}, CLOSED, "judge", "own"),
        ({OWN_VARIABLE: " own\n"}, CLOSED, "arm", "own"),
        ({}, CLOSED, "arm", ""),
    ],
)
def test_the_key_goes_where_it_belongs(
    set_: dict[str, str], address: Address, purpose: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (COMMON_VARIABLE, OWN_VARIABLE, JUDGE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    for name, value in set_.items():
        monkeypatch.setenv(name, value)
    key = key_for(address, "judge" if purpose == "judge" else "arm")
    assert key.value == expected
    assert not expected or expected not in repr(key)


def test_what_cannot_be_a_key_is_refused_without_quoting_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OWN_VARIABLE, "two words")
    with pytest.raises(SettingError, match="SONMAT_OPENAI_KEY holds cannot be a key") as caught:
        key_for(CLOSED, "arm")
    assert "two words" not in str(caught.value)
