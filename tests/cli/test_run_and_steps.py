"""`sonmat run` and every step alone: what is asked of the Python API, and what is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonmat.cli.settings import settings_of
from sonmat.core.errors import SettingError
from sonmat.runs import RunFolder
from tests.cli.conftest import FakePipeline, Sonmat, widest


def test_every_option_of_run_reaches_the_recipe(sonmat: Sonmat, pipeline: FakePipeline) -> None:
    words = "--task chat --input q --target a --group who --slices x,y --base b --method lora,full --minutes 3 --seed 7 "
    words += "--bad-rows drop --labels merge --accept-licence m --accept-licence n --allow-truncation --max-tokens 99 "
    words += "--set lora.rank=8 --set lora.learning_rate=1e-4 --set full.schedule=cosine --folder here --lang en"
    assert sonmat("run", "faq.jsonl", *words.split()).code == 0
    ((folder, recipe, upto),) = pipeline.asked
    assert (folder, upto) == (Path("here"), "learn")
    assert recipe.model_dump() == {
        "data": str(Path("faq.jsonl").absolute()),
        "task": "chat",
        "input": "q",
        "target": "a",
        "group": "who",
        "slices": ("x", "y"),
        "base": "b",
        "method": ("lora", "full"),
        "minutes": 3.0,
        "seed": 7,
        "bad_rows": "drop",
        "labels": "merge",
        "accept_licence": ("m", "n"),
        "allow_truncation": True,
        "settings": {"lora": {"rank": 8, "learning_rate": "1e-4"}, "full": {"schedule": "cosine"}},
        "max_tokens": 99,
        "lang": "en",
    }


def test_a_run_says_what_was_recognised_and_ends_with_the_verdict_and_the_report(
    sonmat: Sonmat, pipeline: FakePipeline
) -> None:
    result = sonmat("run", "faq.jsonl")
    assert "Recognised: two columns." in result.out
    assert "load    ✓ 1.5" in result.out
    assert "95 % interval" in result.out
    assert "full-multilingual-e5-small" in result.out
    assert result.out.rstrip().endswith("runs/faq/report.html")
    assert widest(result.out) <= 80
    assert "\x1b" not in result.out + result.err


def test_a_run_in_json_is_one_document_and_events_go_to_stderr(sonmat: Sonmat, pipeline: FakePipeline) -> None:
    result = sonmat("run", "faq.jsonl", "--json")
    assert result.json["proof"]["verdict"]["use"] == "full-multilingual-e5-small"
    assert result.json["report"].endswith("report.html")
    assert "Recognised" in result.err


def test_a_recipe_may_stand_in_the_place_of_the_data(sonmat: Sonmat, pipeline: FakePipeline, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("data: faq.jsonl\nminutes: 2\nseed: 5\n", encoding="utf-8")
    assert sonmat("run", "recipe.yaml", "--seed", "6").code == 0
    ((_, recipe, _),) = pipeline.asked
    assert (recipe.data, recipe.minutes, recipe.seed) == ((str(Path("faq.jsonl").absolute()),), 2.0, 6)


def test_run_goes_on_with_a_run_that_is_named_and_keeps_its_recipe(
    sonmat: Sonmat, pipeline: FakePipeline, faq: RunFolder
) -> None:
    assert sonmat("run", "faq", "--seed", "3").code == 0
    ((folder, recipe, _),) = pipeline.asked
    assert folder == Path("runs/faq")
    assert (recipe.data, recipe.minutes, recipe.seed) == ((str(Path("data/support.csv").absolute()),), 12.0, 3)


def test_run_without_data_is_an_error(sonmat: Sonmat) -> None:
    result = sonmat("run")
    assert result.code == 2
    assert "Name a file" in result.err


def test_a_recipe_with_an_unknown_key_is_an_error_that_names_the_nearest(sonmat: Sonmat, tmp_path: Path) -> None:
    (tmp_path / "recipe.yml").write_text("data: a.csv\nminuets: 2\n", encoding="utf-8")
    result = sonmat("run", "recipe.yml")
    assert result.code == 2
    assert "'minutes'" in result.err


@pytest.mark.parametrize("assignment", ["rank=8", "lora.rank", ".rank=8", "lora.=8", "lora.rank=[", ""])
def test_a_setting_that_cannot_be_read_is_refused_with_an_example(assignment: str) -> None:
    with pytest.raises(SettingError, match=r"lora\.rank=8"):
        settings_of([assignment])


@pytest.mark.parametrize("step", ["audit", "split", "plan", "fit", "prove", "report"])
def test_every_step_alone_goes_exactly_that_far(step: str, sonmat: Sonmat, pipeline: FakePipeline, faq: RunFolder) -> None:
    result = sonmat(step, "faq")
    assert result.code == 0
    assert [upto for _, _, upto in pipeline.asked] == [step]
    assert widest(result.out) <= 80
    assert "\x1b" not in result.out


@pytest.mark.parametrize(
    ("step", "key"),
    [("audit", "audit"), ("split", "split"), ("plan", "plan"), ("fit", "fitted"), ("prove", "proof"), ("report", "files")],
)
def test_every_step_has_its_value_as_json(
    step: str, key: str, sonmat: Sonmat, pipeline: FakePipeline, faq: RunFolder
) -> None:
    document = sonmat(step, "faq", "--json").json
    assert document["run"] == "faq"
    assert document[key]


@pytest.mark.parametrize("step", ["audit", "split", "plan", "fit", "prove", "report", "show", "predict", "chat"])
def test_every_command_on_a_run_names_the_runs_there_are_if_there_is_no_such(
    step: str, sonmat: Sonmat, faq: RunFolder
) -> None:
    result = sonmat(step, "fqa")
    assert result.code == 2
    assert "There is no run 'fqa'" in result.err
    assert "faq" in result.err


@pytest.mark.parametrize("step", ["audit", "plan"])
def test_a_data_file_starts_a_run_up_to_that_step(
    step: str, sonmat: Sonmat, pipeline: FakePipeline, tmp_path: Path
) -> None:
    (tmp_path / "mails.csv").write_text("text,label\n", encoding="utf-8")
    assert sonmat(step, "mails.csv").code == 0
    ((folder, recipe, upto),) = pipeline.asked
    assert (folder, recipe.data, upto) == (Path("runs/mails"), (str(Path("mails.csv").absolute()),), step)


def test_a_data_file_that_has_a_run_keeps_that_runs_recipe(sonmat: Sonmat, pipeline: FakePipeline, tmp_path: Path) -> None:
    (tmp_path / "mails.csv").write_text("text,label\n", encoding="utf-8")
    sonmat("run", "mails.csv", "--seed", "9")
    sonmat("audit", "mails.csv")
    assert [recipe.seed for _, recipe, _ in pipeline.asked] == [9, 9]


def test_the_audit_shows_findings_with_what_to_do_and_accounts_for_every_row(
    sonmat: Sonmat, pipeline: FakePipeline, faq: RunFolder
) -> None:
    result = sonmat("audit", "faq")
    assert "duplicates" in result.out
    assert "→ One of each was kept" in result.out
    assert "200 rows in = " in result.out


def test_the_plan_shows_memory_time_and_why_others_were_refused(
    sonmat: Sonmat, pipeline: FakePipeline, faq: RunFolder
) -> None:
    out = sonmat("plan", "faq").out
    assert "900" in out
    assert "1 min 35" in out
    assert "full · gemma3-270m: It would need 5.1 GB" in out


def test_fit_shows_what_failed_and_why(sonmat: Sonmat, pipeline: FakePipeline, faq: RunFolder) -> None:
    out = sonmat("fit", "faq").out
    assert "150/200" in out
    assert "✗ full-multilingual-e5-small: It broke." in out


def test_report_in_another_language_asks_for_that_language(sonmat: Sonmat, pipeline: FakePipeline, faq: RunFolder) -> None:
    result = sonmat("report", "faq", "--lang", "ko")
    ((_, recipe, _),) = pipeline.asked
    assert recipe.lang == "ko"
    assert "report.html" in result.out


def test_korean_tables_keep_to_80_columns(sonmat: Sonmat, pipeline: FakePipeline, faq: RunFolder) -> None:
    for step in ("audit", "plan", "fit", "prove", "show"):
        result = sonmat("--lang", "ko", step, "faq")
        assert result.code == 0
        assert widest(result.out) <= 80
    assert "기본 모델과 차이" in sonmat("--lang", "ko", "prove", "faq").out.replace("\n", " ")
