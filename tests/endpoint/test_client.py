"""The client of an endpoint: what it sends, what it waits for, what it never pays for twice, and errors that teach."""

from __future__ import annotations

import email.utils
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sonmat.core.errors import ModelError, SettingError, SonmatError
from sonmat.inference.endpoint.address import Address, read_address
from sonmat.inference.endpoint.client import Client, Pace, open_client
from sonmat.inference.endpoint.kept import Reply
from tests.endpoint.fake_server import Fake, Said, in_turn, refusal, serving

KEY = "sk-secret-of-a-test-0123456789"
QUICK = Pace(at_once=2, attempts=4, timeout_seconds=5.0, first_wait_seconds=0.001)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONMAT_OPENAI_KEY", KEY)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")


def body(text: str = "hello") -> dict[str, Any]:
    return {"model": "fake", "messages": [{"role": "user", "content": text}], "temperature": 0, "max_tokens": 16}


def client_of(fake: Fake, kept: Path | None = None, pace: Pace = QUICK) -> Client:
    return open_client(read_address(fake.arm()), kept, pace)


def ask(client: Client, *texts: str) -> list[Reply]:
    replies = dict(client.ask([body(text) for text in texts]))
    return [replies[place] for place in range(len(texts))]


def echo(sent: Any) -> Said:
    return Said(f"said {sent['messages'][-1]['content']}")


def test_a_request_is_what_the_protocol_says_and_no_proxy_sees_what_stays_here() -> None:
    with serving(echo) as fake:
        (reply,) = ask(client_of(fake), "안녕")
    assert fake.paths == ["/v1/chat/completions"]
    assert fake.bodies == [body("안녕")]
    assert fake.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert (reply.text, reply.input_tokens, reply.output_tokens, reply.model) == ("said 안녕", 10, 3, "fake-1")
    assert reply.seconds > 0


def test_a_server_without_a_key_is_sent_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONMAT_OPENAI_KEY", "")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(echo) as fake:
        ask(client_of(fake), "a")
    assert "Authorization" not in fake.headers[0]


def test_equal_questions_are_one_request_and_all_are_answered_in_their_places() -> None:
    with serving(echo) as fake:
        replies = ask(client_of(fake), "a", "b", "a", "c")
    assert [reply.text for reply in replies] == ["said a", "said b", "said a", "said c"]
    assert sorted(fake.asked) == ["a", "b", "c"]


def test_what_has_come_is_not_asked_again_by_another_process(tmp_path: Path) -> None:
    with serving(echo) as fake:
        first = ask(client_of(fake, tmp_path), "a", "b")
        again = client_of(fake, tmp_path)
        assert [sent["messages"][-1]["content"] for sent in again.missing([body("a"), body("c"), body("c")])] == ["c"]
        assert ask(again, "a", "b", "c")[:2] == first
    assert sorted(fake.asked) == ["a", "b", "c"]


def test_a_request_that_fails_in_the_end_leaves_the_others_paid_and_kept(tmp_path: Path) -> None:
    def answer(sent: Any) -> Said:
        return refusal(500, "down") if sent["messages"][-1]["content"] == "c" else echo(sent)

    with serving(answer) as fake:
        client = client_of(fake, tmp_path, Pace(at_once=1, attempts=2, first_wait_seconds=0.001))
        with pytest.raises(ModelError, match=r"fails \(500\) after 2 attempts"):
            ask(client, "a", "b", "c", "d")
        assert fake.asked == ["a", "b", "c", "c"]
        fake.answer = echo
        assert len(ask(client_of(fake, tmp_path), "a", "b", "c", "d")) == 4
    assert sorted(fake.asked) == ["a", "b", "c", "c", "c", "d"]


def test_a_stop_keeps_what_is_under_way_and_asks_no_more(tmp_path: Path) -> None:
    go = threading.Event()

    def answer(sent: Any) -> Said:
        if sent["messages"][-1]["content"] != "a":
            go.wait(5)
        return echo(sent)

    with serving(answer) as fake:
        replies = client_of(fake, tmp_path).ask([body(text) for text in "abcdef"])
        assert next(replies)[1].text == "said a"
        threading.Timer(0.05, go.set).start()
        replies.close()
        asked = list(fake.asked)
        assert len(asked) <= 3
        assert len(client_of(fake, tmp_path).missing([body(text) for text in asked])) == 0


def test_a_torn_line_is_asked_again_and_the_next_answer_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    with serving(echo) as fake:
        ask(client_of(fake, tmp_path), "a", "b")
        (file,) = tmp_path.iterdir()
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) - 20])
        ask(client_of(fake, tmp_path), "a", "b")
        ask(client_of(fake, tmp_path), "a", "b")
    assert len(fake.asked) == 3


def test_an_endpoint_that_asks_to_wait_is_waited_for() -> None:
    date = email.utils.format_datetime(email.utils.localtime())
    busy = [
        refusal(429, "slow down", Retry_After="0.05"),
        refusal(503, "later", retry_after_ms="40"),
        refusal(429, "x", Retry_After=date),
    ]
    with serving(in_turn(*busy, "at last")) as fake:
        client = client_of(fake)
        start = time.monotonic()
        assert ask(client, "a")[0].text == "at last"
        assert time.monotonic() - start >= 0.09
    assert (client.repeated, len(fake.bodies)) == (3, 4)
    assert client.waited > 0.08


def test_an_endpoint_that_asks_to_wait_for_long_is_left_for_later() -> None:
    with serving(in_turn(refusal(429, "tomorrow", Retry_After="86400"))) as fake, pytest.raises(ModelError) as caught:
        ask(client_of(fake), "a")
    assert "asks to wait 86400 seconds" in caught.value.what.en
    assert "not paid for twice" in str(caught.value)
    assert len(fake.bodies) == 1


def test_broken_answers_are_asked_for_again_and_told_in_the_end() -> None:
    with serving(in_turn(Said(content='{"choices": [{"mess'), Said(content='{"choices": []}'), "whole")) as fake:
        assert ask(client_of(fake), "a")[0].text == "whole"
    with serving(in_turn(Said(content="<html>log in</html>"))) as fake, pytest.raises(ModelError) as caught:
        ask(client_of(fake), "a")
    assert "not with a chat completion" in caught.value.what.en
    assert "most addresses end in /v1" in str(caught.value)
    assert len(fake.bodies) == QUICK.attempts


def test_an_endpoint_that_refuses_a_field_is_asked_in_its_own_way() -> None:
    def answer(sent: Any) -> Said:
        if "max_tokens" in sent:
            return refusal(
                400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", param="max_tokens"
            )
        if "temperature" in sent:
            return refusal(400, "Unsupported value: 'temperature' does not support 0.", param="temperature")
        return echo(sent)

    with serving(answer) as fake:
        client = client_of(fake, pace=Pace(at_once=1))
        replies = ask(client, "a", "b")
    assert [reply.own_temperature for reply in replies] == [True, True]
    assert len(fake.bodies) == 4
    assert fake.bodies[-1]["max_completion_tokens"] == 16
    assert "temperature" not in fake.bodies[-1]


def test_a_question_that_the_endpoint_will_not_take_is_an_empty_answer_and_the_others_go_on() -> None:
    def answer(sent: Any) -> Said:
        text = sent["messages"][-1]["content"]
        if text == "long":
            return refusal(400, "This model's maximum context length is 10 tokens", code="context_length_exceeded")
        return refusal(400, "filtered", code="content_filter") if text == "bad" else echo(sent)

    with serving(answer) as fake:
        replies = ask(client_of(fake), "long", "bad", "good")
    assert [(reply.text, reply.ended) for reply in replies] == [("", "refused"), ("", "refused"), ("said good", "stop")]


ERRORS = [
    (refusal(401, f"Incorrect API key provided: {KEY}"), SettingError, "refuses the key in SONMAT_OPENAI_KEY (401)"),
    (refusal(404, "The model 'fake' does not exist"), ModelError, "no model fake (404). It says: “The model 'fake' does not exist”."),
    (refusal(400, f"nonsense {KEY} in 'what the user asked'"), ModelError, "the question (400). It says: “nonsense *** in '…'”."),
    (refusal(429, "You exceeded your quota", code="insufficient_quota"), ModelError, "no credit left (429)"),
    (Said(status=302, headers={"Location": "http://127.0.0.1:9/v1"}, content=""), ModelError, "points to another address (302)"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "kind", "message"), ERRORS, ids=["401", "404", "400", "quota", "redirect"])
def test_errors_teach_at_once_and_quote_neither_key_nor_question(said: Said, kind: type[SonmatError], message: str) -> None:
    with serving(in_turn(said)) as fake, pytest.raises(kind) as caught:
        ask(client_of(fake), "what the user asked")
    assert message in caught.value.what.en
    assert caught.value.fix is not None
    for words in (caught.value.whole.en, caught.value.whole.ko, repr(caught.value)):
        assert KEY not in words
        assert "what the user asked" not in words
    assert len(fake.bodies) == 1


def test_a_server_that_asks_for_a_key_is_told_apart_from_one_that_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SONMAT_OPENAI_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(in_turn(refusal(401, "no key"))) as fake, pytest.raises(SettingError) as caught:
        ask(client_of(fake), "a")
    assert "asks for a key (401), and none was sent. OPENAI_API_KEY was not sent" in caught.value.what.en


def test_an_address_where_nobody_is_says_so_at_once() -> None:
    with serving(echo) as fake:
        address = read_address(fake.arm())
    with pytest.raises(ModelError, match="Nobody answers at"):
        ask(open_client(address, None, Pace(first_wait_seconds=60.0)), "a")


def test_a_server_that_sends_the_key_back_does_not_get_it_into_a_file(tmp_path: Path) -> None:
    with serving(in_turn(f"you sent {KEY}")) as fake:
        (reply,) = ask(client_of(fake, tmp_path), "a")
    assert reply.text == "you sent ***"
    assert all(KEY not in path.read_text() and KEY not in path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("before", [0, 100, 160, 190, 3_990])
def test_a_server_that_echoes_what_it_was_sent_gets_neither_key_nor_question_into_an_error(
    status: int, before: int
) -> None:
    question = '김철수, 010-1234-5678,\n서울시 강남구 "삼성동"에 삽니다'
    echoed = {"pad": "x" * before, "headers": {"Authorization": f"Bearer {KEY}"}, "said": f"…{question[3:30]}"}
    with serving(in_turn(Said(status=status, content=json.dumps(echoed)))) as fake, pytest.raises(ModelError) as caught:
        ask(client_of(fake), question)
    words = f"{caught.value.whole.en} {caught.value.whole.ko} {caught.value!r}"
    assert KEY[:6] not in words
    for piece in ("철수", "1234-5678", "강남구", json.dumps("강남구").strip('"')):
        assert piece not in words


def test_an_answer_that_came_is_not_lost_to_a_broken_count_or_half_a_character(tmp_path: Path) -> None:
    def content(usage: Any) -> str:
        message = {"content": "half \ud83d"}
        return json.dumps({"choices": [{"message": message, "finish_reason": "length"}], "usage": usage})

    usages = [{"prompt_tokens": "many", "completion_tokens": -1}, [1], None]
    with serving(in_turn(*(Said(content=content(usage)) for usage in usages))) as fake:
        replies = ask(client_of(fake, tmp_path, Pace(1, 1)), "a", "b", "c")
        assert [(reply.text, reply.input_tokens, reply.output_tokens) for reply in replies] == [("half ?", None, None)] * 3
        assert ask(client_of(fake, tmp_path), "a", "b", "c") == replies
    assert len(fake.bodies) == 3


def test_an_answer_nested_beyond_reading_is_an_error_that_says_so() -> None:
    with (
        serving(in_turn(Said(content="[" * 100_000))) as fake,
        pytest.raises(ModelError, match="not with a chat completion"),
    ):
        ask(client_of(fake, pace=Pace(1, 1)), "a")


def test_a_slow_server_is_given_up_in_the_end() -> None:
    go = threading.Event()

    def answer(sent: Any) -> Said:
        go.wait(5)
        return echo(sent)

    with serving(answer) as fake:
        try:
            with pytest.raises(ModelError, match=r"in 2 attempts \(timeout\)"):
                ask(client_of(fake, pace=Pace(1, 2, timeout_seconds=0.05, first_wait_seconds=0.001)), "a")
        finally:
            go.set()


def test_two_models_of_one_host_keep_their_answers_apart(tmp_path: Path) -> None:
    with serving(echo) as fake:
        for model in ("a/b", "a:b"):
            open_client(Address(url=fake.url, model=model), tmp_path).kept.keep("x", Reply(text=model, seconds=1.0))
    assert len(list(tmp_path.iterdir())) == 2
