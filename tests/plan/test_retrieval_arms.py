"""Arms that look things up in the plan: when they are there, what they search, and the one in front of the tuned model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.errors import DataError, ModelError, RunError
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Candidate, ModelFacts, Plan, Refused, Spec
from sonmat.pipeline import _documents_of, fingerprints_of
from sonmat.retrieval.documents import documents_fingerprint
from sonmat.runs import RunFolder, write_value
from sonmat.steps.plan import retrieval as module
from sonmat.steps.plan.choose import Offer, choose
from sonmat.steps.plan.retrieval import with_retrieval
from tests.plan.test_plan import DEVICE, facts
from tests.plan.test_plan import offer as label_offer

ENCODER = "small-e5"


def chat_offer(rows: int = 300) -> Offer:
    base = facts(name="talker", family="llama", model_type="llama", chat=True)
    made = label_offer(base, rows)
    return replace(made, spec=Spec(), workload=replace(made.workload, classes=0, mean_target_tokens=30.0))


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelFacts:
    """An encoder that can be had without the network; what it was asked as is its origin."""
    where = tmp_path / "encoder"
    where.mkdir()
    (where / "tokenizer_config.json").write_text("{}")
    made = facts(name=ENCODER, path=str(where), family="e5")
    monkeypatch.setattr(module, "resolve", lambda name, **_: made.model_copy(update={"origin": name}))
    return made


class Heard:
    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []

    def __call__(self, kind: str, message: Text | None = None, /, **data: Any) -> None:
        self.said.append((kind, message.en if message else "", message.ko if message else ""))

    def of(self, kind: str) -> list[str]:
        return [en for each, en, _ in self.said if each == kind]


def planned(
    folder: Path, *, task: str = "chat", languages: Sequence[str] = ("ko",), rows: int = 300, **recipe: Any
) -> tuple[dict[str, Candidate], list[Refused], Heard]:
    refused: list[Refused] = []
    heard = Heard()
    made = Recipe(data="d.jsonl", **{"minutes": 600, **recipe})
    offers = [chat_offer(rows) if task == "chat" else label_offer()]
    found = plugins.find("tasks", task)
    chosen = choose(found, offers, made, DEVICE, refused)
    candidates = with_retrieval(
        chosen, found, RunFolder(folder / "run"), made, languages, offers[0].workload, refused, heard
    )
    return {candidate.id: candidate for candidate in candidates}, refused, heard


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "guide.md").write_text("# 배송\n이틀 걸립니다.\n# 반품\n됩니다.")
    (folder / "old.hwp").write_bytes(b"x")
    (folder / "photo.jpg").write_bytes(b"x")
    return folder


def test_the_base_and_the_first_tuned_model_are_asked_with_what_can_be_looked_up(
    tmp_path: Path, encoder: ModelFacts
) -> None:
    candidates, _, _ = planned(tmp_path)
    before, over = candidates["rag-talker"], candidates["rag-lora-talker"]
    assert (before.role, before.over, over.role, over.over) == ("base", None, "tuned", "lora-talker")
    order = list(candidates)
    assert order.index("lora-talker") < order.index("rag-lora-talker")
    for arm in (before, over):
        assert arm.encoder is not None
        settings = arm.settings
        assert (settings["encoder"], settings["question_prefix"], settings["passage_prefix"]) == (
            ENCODER,
            "query: ",
            "passage: ",
        )
        assert arm.origins["encoder"] == "plan"
    assert len({arm.id for arm in candidates.values()}) == len(candidates)


def test_naming_other_methods_leaves_it_out_and_documents_bring_it_back(
    tmp_path: Path, encoder: ModelFacts, documents: Path
) -> None:
    without, _, _ = planned(tmp_path, method=("lora",))
    assert not any(each.method == "rag" for each in without.values())
    given, _, heard = planned(tmp_path, method=("lora",), documents=(str(documents),), minutes=0.01)
    assert [each.id for each in given.values() if each.method == "rag"] == ["rag-talker", "rag-lora-talker"]
    assert given["rag-talker"].documents == documents_fingerprint([documents]) != ""
    assert heard.of("documents") == [
        "Documents to look answers up in: 1, cut into 2 passages; 1 files of other kinds were left aside."
    ]
    (problem,) = heard.of("document_unreadable")
    assert "old.hwp" in problem
    assert "save it as .hwpx" in problem


def test_documents_that_cannot_be_read_at_all_stop_the_plan(tmp_path: Path, encoder: ModelFacts) -> None:
    (tmp_path / "scan.pdf").write_bytes(b"no pdf")
    with pytest.raises(DataError, match=r"scan\.pdf"):
        planned(tmp_path, documents=(str(tmp_path / "scan.pdf"),))


def test_for_labels_it_must_be_named_and_documents_are_said_to_be_unused(tmp_path: Path, documents: Path) -> None:
    candidates, _, heard = planned(tmp_path, task="text-classification", documents=(str(documents),))
    assert not any(each.method == "rag" for each in candidates.values())
    assert "have no effect" in heard.of("unused")[0]


def test_without_an_encoder_words_alone_are_searched_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(name: str, **_: Any) -> ModelFacts:
        raise ModelError(Text(en=f"{name} cannot be had.", ko=f"{name} 없음"))

    monkeypatch.setattr(module, "resolve", gone)
    candidates, _, heard = planned(tmp_path)
    assert candidates["rag-talker"].encoder is None
    assert candidates["rag-talker"].settings["encoder"] == "none"
    assert "words alone" in heard.of("fallback")[0]
    for wish in ({"encoder": "mine"}, {"by": "both"}):
        with pytest.raises(ModelError, match="cannot be had"):
            planned(tmp_path, settings={"rag": wish})
    silent, _, heard = planned(tmp_path, settings={"rag": {"by": "words"}})
    assert silent["rag-talker"].encoder is None
    assert heard.of("fallback") == []


@pytest.mark.parametrize(
    ("recipe", "languages", "expected"),
    [
        ({}, ("en",), "all-minilm-l6-v2"),
        ({}, ("ko",), "multilingual-e5-small"),
        ({}, (), "multilingual-e5-small"),
        ({"embedder": "own"}, ("ko",), "own"),
        ({"embedder": "own", "settings": {"rag": {"encoder": "other"}}}, ("ko",), "other"),
    ],
)
def test_which_encoder_is_taken(
    tmp_path: Path, encoder: ModelFacts, recipe: dict[str, Any], languages: tuple[str, ...], expected: str
) -> None:
    candidates, _, _ = planned(tmp_path, languages=languages, **recipe)
    found = candidates["rag-talker"].encoder
    assert found is not None
    assert found.origin == expected


def test_prefixes_that_the_user_set_stay(tmp_path: Path, encoder: ModelFacts) -> None:
    candidates, _, _ = planned(tmp_path, settings={"rag": {"question_prefix": "Q: "}})
    arm = candidates["rag-talker"]
    assert (arm.settings["question_prefix"], arm.settings["passage_prefix"]) == ("Q: ", "passage: ")
    assert arm.origins["question_prefix"] == "user"


def test_the_arm_over_the_tuned_model_must_fit_into_the_minutes_too(tmp_path: Path, encoder: ModelFacts) -> None:
    candidates, _, _ = planned(tmp_path)
    learning = [each for each in candidates.values() if each.role == "tuned" or (each.role == "base" and each.learns)]
    enough = sum(each.estimate.seconds for each in learning) / 60
    assert "rag-lora-talker" in planned(tmp_path, minutes=enough + 0.01)[0]
    fewer, refused, _ = planned(tmp_path, minutes=enough - 0.01)
    assert "rag-talker" in fewer
    assert "rag-lora-talker" not in fewer
    assert [each.base for each in refused if each.method == "rag"] == ["lora-talker"]


def test_vectors_are_counted_once_in_the_time(tmp_path: Path, encoder: ModelFacts) -> None:
    candidates, _, _ = planned(tmp_path)
    before, over = candidates["rag-talker"].estimate.seconds, candidates["rag-lora-talker"].estimate.seconds
    words = planned(tmp_path, settings={"rag": {"encoder": "none"}})[0]["rag-talker"].estimate.seconds
    assert before > over > words
    assert planned(tmp_path, rows=3000)[0]["rag-talker"].estimate.seconds > before


def test_changed_documents_change_the_plan_and_what_follows_and_nothing_before() -> None:
    recipe = Recipe(data="d", documents="docs")
    one, other = (fingerprints_of(recipe, "data", "", documents) for documents in ("a", "b"))
    changed = [step for step in one if one[step] != other[step]]
    assert changed == ["plan", "fit", "prove", "report", "release", "learn"]


def test_a_run_whose_documents_have_gone_goes_on_with_what_it_made(
    tmp_path: Path, encoder: ModelFacts, documents: Path
) -> None:
    recipe = Recipe(data="d", documents=(str(documents),))
    folder = RunFolder(tmp_path / "run")
    before = _documents_of(folder, recipe, ())
    assert before == documents_fingerprint([documents])
    candidates, _, _ = planned(tmp_path, documents=(str(documents),))
    plan = Plan(task="chat", spec=Spec(), candidates=tuple(candidates.values()), refused=(), device=DEVICE)
    (documents / "guide.md").unlink()
    documents.rename(tmp_path / "moved")
    with pytest.raises(DataError):
        _documents_of(folder, recipe, ())
    write_value(folder.file("plan.json"), plan)
    with pytest.raises((DataError, RunError)):
        _documents_of(folder, recipe, ())
    write_value(folder.file("recipe.json"), recipe)
    assert _documents_of(folder, recipe, ()) == before
    said = [json.loads(line) for line in folder.file("events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert any(event.get("kind") == "data_gone" for event in said)
    # A misspelt folder is no folder that has gone.
    with pytest.raises(DataError, match="no file or folder"):
        _documents_of(folder, recipe.model_copy(update={"documents": (str(tmp_path / "docments"),)}), ())
