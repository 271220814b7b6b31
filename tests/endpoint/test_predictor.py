"""Endpoints as arms: asked in the words that bases are asked in, planned by their address, and nothing else is sent to them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sonmat import adding, plugins
from sonmat.conformance.probe import made_candidate
from sonmat.core.errors import SettingError
from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure, Prediction
from sonmat.core.protocols import Question
from sonmat.core.recipe import Recipe
from sonmat.core.values import Candidate, Example, Fits, Json, Source, Spec
from sonmat.inference.endpoint.address import read_address
from sonmat.inference.endpoint.client import Pace, open_client
from sonmat.probes.cost import plugin as cost
from sonmat.probes.safety import plugin as safety
from sonmat.prompting.endpoint import EndpointPredictor, plain_messages
from sonmat.runs import RunFolder, write_value
from sonmat.runs.events import EventLog
from sonmat.runs.files import read_header
from sonmat.runs.seal import seal_of
from sonmat.steps.fit import candidate_key, fit_candidate
from sonmat.steps.plan.endpoints import with_endpoints
from sonmat.steps.prove import answer_candidate, prove
from sonmat.steps.prove.asking import OnlyTestSet
from sonmat.steps.prove.leaving import say_what_is_unused
from sonmat.steps.release import release
from tests.endpoint.fake_server import Fake, Said, in_turn, refusal, serving
from tests.probes import arms
from tests.report.made_run import no_gain_run

KEY = "sk-secret-of-a-test-0123456789"
LABELS = Spec(labels=("refund", "other"), max_new_tokens=40)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONMAT_OPENAI_KEY", KEY)


def labelled() -> Setting:
    """A run of twelve texts with labels."""
    rows = [
        Example(id=f"row-{at}", input={"text": f"text {at}"}, target={"label": "refund"}, source=Source(file="", row=at))
        for at in range(12)
    ]
    return replace(arms.setting([], rows), task=plugins.find("tasks", "text-classification"), spec=LABELS)


def predictor(fake: Fake, task: str = "text-classification", spec: Spec = LABELS) -> EndpointPredictor:
    client = open_client(read_address(fake.arm()), None, Pace(first_wait_seconds=0.001))
    return EndpointPredictor(client, plugins.find("tasks", task), spec)


def said(found: Iterator[Prediction]) -> dict[str, Json]:
    return {each.row: each.output for each in found}


def test_a_label_is_asked_for_in_the_tasks_own_words_and_one_that_is_none_is_wrong_and_told() -> None:
    texts = {"a": "money back", "b": "hello", "c": "what"}
    with serving(lambda body: Said("Refund." if "money" in body["messages"][0]["content"] else "no idea")) as fake:
        asked = predictor(fake)
        questions = [Question(row, {"text": text}) for row, text in texts.items()]
        assert said(asked.answer(questions)) == {"a": {"label": "refund"}, "b": {"label": ""}, "c": {"label": ""}}
    assert asked.task.ask({"text": "money back"}, [], LABELS) in [body["messages"] for body in fake.bodies]
    assert (fake.bodies[0]["temperature"], fake.bodies[0]["max_tokens"]) == (0, 16)
    remarks = [remark.en for remark in asked.remarks()]
    assert "Of 3 answers 2 without any of the labels; they count as wrong." in remarks
    assert any("of fake-1" in remark for remark in remarks)


def test_a_conversation_is_sent_as_the_protocol_knows_it_and_calls_come_back_as_the_targets_write_them() -> None:
    call = {"function": {"name": "open", "arguments": {"door": 1}}}
    input = {
        "messages": [
            {"role": "user", "content": "open", "weight": 1.0},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": "done"},
            {"role": "user", "content": "again"},
        ],
        "tools": [{"type": "function", "function": {"name": "open"}}],
    }
    answer = {"id": "x", "type": "function", "function": {"name": "open", "arguments": '{"door": 2}'}}
    with serving(in_turn(Said(tool_calls=[answer]))) as fake:
        (found,) = predictor(fake, "chat", Spec(max_new_tokens=40)).answer([Question("a", input)])
    assert found.output == {"text": '[{"arguments": {"door": 2}, "name": "open"}]'}
    assert (found.tokens, found.input_tokens) == (3, 10)
    sent = fake.bodies[0]
    assert sent["tools"] == input["tools"]
    assert sent["max_tokens"] == 40
    assert sent["messages"] == plain_messages(input["messages"])  # type: ignore[arg-type]
    assert "weight" not in sent["messages"][0]
    assert sent["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"door": 1}'
    assert sent["messages"][2]["tool_call_id"] == sent["messages"][1]["tool_calls"][0]["id"]


def test_a_likelihood_is_not_asked_for_and_a_questions_own_limit_is_heeded() -> None:
    with serving(in_turn("refund")) as fake:
        questions = [
            Question("a", {"text": "x"}, {"label": "refund"}, write=False),
            Question("b", {"text": "x"}, max_new_tokens=1),
        ]
        found = {each.row: each for each in predictor(fake).answer(questions)}
    assert (found["a"].output, found["a"].reference_nll) == ({}, None)
    assert [body["max_tokens"] for body in fake.bodies] == [1]


def test_what_an_endpoint_did_of_its_own_is_told() -> None:
    def answer(body: Any) -> Said:
        text = body["messages"][-1]["content"]
        if "temperature" in body:
            return refusal(400, "temperature does not support 0", param="temperature")
        if "long" in text:
            return refusal(400, "too long", code="context_length_exceeded")
        return Said("a b c", finish="length", usage=None)

    with serving(answer) as fake:
        asked = predictor(fake, "chat")
        rows = [Question(text, {"messages": [{"role": "user", "content": text}]}) for text in ("long", "short")]
        assert said(asked.answer(rows)) == {"long": {"text": ""}, "short": {"text": "a b c"}}
    remarks = " ".join(remark.en for remark in asked.remarks())
    for told in (
        "refuses temperature 0",
        "refused 1 (too long",
        "1 ended at the longest length",
        "does not say how many tokens",
    ):
        assert told in remarks


# ── planning ────────────────────────────────────────────────────────────────────────────────────────────────────────


def planned(named: tuple[str, ...], **settings: Any) -> tuple[Candidate, ...]:
    setting = labelled()
    recipe = Recipe.model_validate({"data": ("x",), "arm": named, "settings": {"openai": settings} if settings else {}})
    own = made_candidate("base").model_copy(update={"spec": LABELS.model_copy(update={"text_prefix": "query: "})})
    return with_endpoints((own,), setting.task, setting.spec, recipe, setting.test)[1:]


def test_an_address_becomes_a_candidate_that_says_what_would_be_sent_where() -> None:
    (found,) = planned(
        ("openai:http://127.0.0.1:1/v1:org/m-4.1", "run:x:y", "openai:http://127.0.0.1:1/v1:org/m-4.1"), at_once=8
    )
    assert (found.id, found.elsewhere, found.learns, found.role, found.base) == (
        "openai-org-m-4-1",
        True,
        False,
        "base",
        None,
    )
    assert (found.settings["url"], found.settings["model"], found.settings["at_once"]) == (
        "http://127.0.0.1:1/v1",
        "org/m-4.1",
        8,
    )
    assert (found.origins["at_once"], found.origins["attempts"]) == ("user", "default")
    assert found.spec == LABELS
    assert "all 12 test questions" in found.reason.en
    assert "characters, will be sent to http://127.0.0.1:1/v1" in found.reason.en
    assert KEY not in found.model_dump_json()


def test_two_endpoints_of_one_name_are_two_arms() -> None:
    first, second = planned(("openai:http://127.0.0.1:1/v1:m", "openai:http://127.0.0.1:2/v1:m"))
    assert first.id == "openai-m"
    assert second.id.startswith("openai-m-")


@pytest.mark.parametrize(
    ("settings", "message"), [({"at_once": 0}, "at_once"), ({"url": "http://h"}, "--arm"), ({"key": "x"}, "key")]
)
def test_settings_that_it_does_not_have_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        planned(("openai:http://127.0.0.1:1/v1:m",), **settings)


def test_pictures_cannot_be_asked_about_in_words() -> None:
    task = plugins.find("tasks", "image-classification")
    recipe = Recipe(data=("x",), arm=("openai:http://127.0.0.1:1/v1:m",))
    with pytest.raises(SettingError, match="is asked in words"):
        with_endpoints((), task, Spec(), recipe, labelled().test)


# ── proving ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = no_gain_run(tmp_path_factory.mktemp("endpoint") / "run", rows=100)
    split = folder.split()
    tested = (example for example in folder.kept_examples() if example.id in set(split.test))
    write_value(folder.file("split.json"), split.model_copy(update={"seal": seal_of(tested)}), "split")
    return folder.path


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(made, tmp_path / "run")))


def added(folder: RunFolder, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> str:
    """The fitted candidate of the fake endpoint, alone in the plan."""
    monkeypatch.setattr(adding, "perform", lambda *_: None)
    monkeypatch.setattr(adding, "fingerprints_now", lambda *_: {"plan": "planned anew"})
    adding.add_arms(folder, folder.recipe(), [fake.arm()], "prove")
    found = folder.plan().candidates[-1]
    fit_candidate(folder, found.id, EventLog(None), lambda: False)
    write_value(folder.file("fit.json"), Fits(fitted=(found.id,)))
    write_value(folder.file("plan.json"), folder.plan().model_copy(update={"candidates": (found,)}))
    header = read_header(folder.candidate_folder(found.id) / "fitted.json")
    assert header is not None
    assert header.inputs == candidate_key(folder, found)
    return found.id


def words_in(path: Path) -> str:
    return "".join(file.read_text(errors="replace") + file.name for file in path.rglob("*") if file.is_file())


def test_an_added_endpoint_answers_the_sealed_rows_once_and_the_key_is_in_no_file(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Any] = []
    failing = [True]

    def answer(body: Any) -> Said:
        return refusal(500, f"broken {KEY}") if failing[0] and len(fake.bodies) > 12 else Said("refund")

    with serving(answer) as fake:
        id = added(folder, fake, monkeypatch)
        assert fake.arm() in folder.recipe().arm
        rows = len(folder.split().test)
        log = EventLog(folder.candidate_folder(id) / "events.jsonl", "answer", (events.append,))
        monkeypatch.setattr("sonmat.inference.endpoint.client.Client._worth_another", lambda *_: False)
        with pytest.raises(Exception, match=r"fails \(500\) after 1 attempt\."):
            answer_candidate(folder, id, log, lambda: False)
        came = len(fake.bodies)
        assert came < rows
        failing[0] = False
        run_job = lambda where, job, tell: answer_candidate(where, job.partition("/")[2], log, lambda: False)  # noqa: E731
        write_value(folder.file("recipe.json"), folder.recipe().model_copy(update={"probes": ("cost", "speed")}))
        proof = prove(folder, run_job, log, lambda event: None, "inputs")
        # Whatever had come is not asked again, not even for the eight that are asked alone.
        assert came < len(fake.bodies) <= rows + 5
        (arm,) = proof.arms
        assert (arm.candidate, arm.elsewhere) == (id, True)
        assert arm.seconds_per_answer > 0
        assert any("says that the answers are of fake-1" in detail.en for detail in proof.verdict.details)
        assert "in money it is unknown" in proof.verdict.details[1].en
        before = len(fake.bodies)
        release(folder, run_job, log, lambda event: None, "released")
        assert len(fake.bodies) == before
    assert folder.release().replayed == 0
    sent = [event for event in events if event.kind == "sending"]
    assert sent[0].data["questions"] == rows
    assert sent[0].data["characters"] > 10 * rows
    assert fake.url in sent[0].message.en
    assert sent[1].data["questions"] < rows
    assert KEY not in words_in(folder.path)
    assert all(header["Authorization"] == f"Bearer {KEY}" for header in fake.headers)


def test_probes_cannot_send_anything_else() -> None:
    there = made_candidate("base").model_copy(update={"elsewhere": True, "base": None})
    assert type(safety.supports(arms.setting([], []), there)).__name__ == "No"
    with serving(in_turn("refund")) as fake:
        guarded = OnlyTestSet(predictor(fake))
        with pytest.raises(SettingError, match="nobody has agreed"):
            guarded.answer([Question("a", {"text": "x"})])
        assert said(guarded.answer([Question("a", {"text": "x"}, {"label": "refund"}, write=False)])) == {"a": {}}
    assert fake.bodies == []


def cost_of(tokens: int, **recipe: Any) -> dict[str, Measure]:
    setting = labelled()
    setting = replace(setting, recipe=Recipe.model_validate({"data": ("x",), **recipe}))
    there = made_candidate("base").model_copy(update={"elsewhere": True, "settings": {"url": "u", "model": "m"}})
    answers = {
        row.id: Prediction(row=row.id, output={}, seconds=1.0, tokens=tokens * at // 6, input_tokens=tokens * 10)
        for at, row in enumerate(setting.test)
    }
    return {each.name: each for each in cost.measure(setting, Seen(there, answers, []), None)}


def test_tokens_times_a_price_is_what_it_costs_and_without_a_price_no_money_is_told() -> None:
    found = cost_of(6, token_prices={"m": {"input": 1.0, "output": 100.0}})
    written = sum(6 * at // 6 for at in range(12)) / 12
    assert found["input_tokens"].value == 60
    assert found["per_1000"].value == pytest.approx(1000 * (60 * 1.0 + written * 100.0) / 1e6)
    assert found["per_1000"].low is not None
    assert found["per_1000"].low < found["per_1000"].value
    assert "per_1000" not in cost_of(6, token_prices={"other": {"input": 1.0, "output": 1.0}}, price=3.0)
    assert cost_of(0) == {}


def test_a_judge_of_labels_and_a_price_of_nobody_are_said_to_have_no_effect() -> None:
    setting = labelled()
    wishes = {
        "judge": "openai:http://h/v1:m",
        "token_prices": {"m": {"input": 1, "output": 1}, "n": {"input": 1, "output": 1}},
    }
    asked = replace(setting, recipe=Recipe.model_validate({"data": ("x",), **wishes}))
    told: list[Any] = []
    say_what_is_unused(asked, (), EventLog(None, "prove", (told.append,)))
    assert [event.message.en.split(",")[0].split(":")[0] for event in told] == [
        "The judge has no effect",
        "No model that is asked elsewhere is called n",
    ]
    told.clear()
    say_what_is_unused(setting, (), EventLog(None, "prove", (told.append,)))
    assert told == []
