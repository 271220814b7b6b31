"""`sonmat run` and every step alone: what is asked of the Python API, and what is printed."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import sonmat as sonmat_package
from sonmat.api import name_of
from sonmat.cli.options import DATA_OPTIONS, FINDING_OPTIONS, SPLIT_OPTIONS
from sonmat.cli.settings import settings_of
from sonmat.core.errors import SettingError
from sonmat.core.recipe import Recipe
from sonmat.runs import RunFolder
from tests.cli.conftest import FakePipeline, Sonmat, widest

ASKED: dict[str, tuple[str, object]] = {
    "task": ("--task chat", "chat"),
    "input": ("--input q", "q"),
    "target": ("--target a", "a"),
    "map": ("--map instruction=질문 --map output=답변", {"instruction": "질문", "output": "답변"}),
    "template": ("--template {a}:{b}", "{a}:{b}"),
    "group": ("--group who", "who"),
    "slices": ("--slices x,y", ("x", "y")),
    "part": ("--part split", "split"),
    "time": ("--time day", "day"),
    "shares": ("--shares 80/10/10", (0.8, 0.1, 0.1)),
    "folds": ("--folds 5", 5),
    "base": ("--base b", "b"),
    "method": ("--method lora,full", ("lora", "full")),
    "minutes": ("--minutes 3", 3.0),
    "seed": ("--seed 7", 7),
    "bad_rows": ("--bad-rows drop", "drop"),
    "labels": ("--labels merge", "merge"),
    "normalise": ("--normalise fix", "fix"),
    "duplicates": ("--duplicates drop", "drop"),
    "near_duplicates": ("--near-duplicates drop", "drop"),
    "leakage": ("--leakage keep", "keep"),
    "personal_data": ("--redact", "redact"),
    "skip": ("--skip empty,conflicts", ("empty", "conflicts")),
    "embedder": ("--embedder e", "e"),
    "accept_licence": ("--accept-licence m --accept-licence n", ("m", "n")),
    "allow_truncation": ("--allow-truncation", True),
    "settings": (
        "--set lora.rank=8 --set lora.learning_rate=1e-4 --set full.schedule=cosine",
        {"lora": {"rank": 8, "learning_rate": "1e-4"}, "full": {"schedule": "cosine"}},
    ),
    "max_tokens": ("--max-tokens 99", 99),
    "documents": ("--documents /a --documents /b.pdf", ("/a", "/b.pdf")),
    "arm": ("--arm run:/other:full", ("run:/other:full",)),
    "probes": ("--probes speed,cost", ("speed", "cost")),
    "guards": (
        "--guard speed.p95=0.5 --guard cost.training_seconds=600",
        {"speed.p95": 0.5, "cost.training_seconds": 600.0},
    ),
    "price": ("--price 1.5", 1.5),
    "token_prices": ("--token-price gpt-4.1-mini=0.4/1.6", {"gpt-4.1-mini": {"input": 0.4, "output": 1.6}}),
    "judge": ("--judge openai:https://api.example.com/v1:m", "openai:https://api.example.com/v1:m"),
    "expect": ("--expect longest=300 --expect regex=^A", {"longest": 300, "regex": "^A"}),
    "cost": ("--cost spam=20", {"spam": 20.0}),
    "curve": ("--curve", True),
    "lang": ("--lang en", "en"),
}
"""What is typed for each recipe key, and what the recipe then says."""


def test_every_option_of_run_reaches_the_recipe(sonmat: Sonmat, pipeline: FakePipeline) -> None:
    words = [word for typed, _ in ASKED.values() for word in typed.split()]
    assert sonmat("run", "faq.jsonl", "more.csv", *words, "--folder", "here").code == 0
    ((folder, recipe, upto),) = pipeline.asked
    assert (folder, upto) == (Path("here"), "learn")
    data = tuple(str(Path(name).absolute()) for name in ("faq.jsonl", "more.csv"))
    assert recipe.model_dump() == {"data": data, **{name: value for name, (_, value) in ASKED.items()}}


def test_every_recipe_key_is_an_option_and_an_argument_of_the_python_function() -> None:
    arguments = set(inspect.signature(sonmat_package.run).parameters) - {"recipe", "folder", "upto", "listeners"}
    assert arguments == set(Recipe.model_fields)
    assert {*ASKED, "data"} == set(Recipe.model_fields)


def test_every_argument_of_the_python_function_reaches_the_recipe(pipeline: FakePipeline) -> None:
    wanted = {name: value for name, (_, value) in ASKED.items()}
    sonmat_package.run(["faq.jsonl", Path("more.csv")], folder="here", **wanted)  # type: ignore[arg-type]
    ((_, recipe, _),) = pipeline.asked
    data = tuple(str(Path(name).absolute()) for name in ("faq.jsonl", "more.csv"))
    assert recipe.model_dump() == {"data": data, **wanted}


def test_zero_is_a_value_that_is_kept(sonmat: Sonmat, pipeline: FakePipeline) -> None:
    assert sonmat("run", "a.csv", "--folds", "0", "--seed", "0").code == 0
    assert pipeline.asked[0][1].folds == 0


@pytest.mark.parametrize("command", ["audit", "split"])
def test_audit_and_split_take_what_concerns_data(
    command: str, sonmat: Sonmat, pipeline: FakePipeline, tmp_path: Path
) -> None:
    for name in ("mails.csv", "more.csv"):
        (tmp_path / name).write_text("text,label\n", encoding="utf-8")
    names = [*DATA_OPTIONS, *FINDING_OPTIONS, *(SPLIT_OPTIONS if command == "split" else ())]
    names.remove("redact")
    words = [word for name in names for word in ASKED[name][0].split()]
    assert sonmat(command, "mails.csv", "more.csv", *words).code == 0
    ((folder, recipe, upto),) = pipeline.asked
    assert (folder, upto) == (Path("runs/mails-more"), command)
    assert {name: getattr(recipe, name) for name in names} == {name: ASKED[name][1] for name in names}


def test_options_on_data_that_has_a_run_change_only_what_they_say(
    sonmat: Sonmat, pipeline: FakePipeline, tmp_path: Path
) -> None:
    (tmp_path / "mails.csv").write_text("text,label\n", encoding="utf-8")
    sonmat("run", "mails.csv", "--seed", "9", "--duplicates", "drop")
    assert sonmat("audit", "mails.csv", "--duplicates", "keep", "--set", "lora.rank=2").code == 2
    assert sonmat("audit", "mails.csv", "--duplicates", "keep").code == 0
    (folder, recipe, _) = pipeline.asked[-1]
    assert (folder, recipe.seed, recipe.duplicates) == (Path("runs/mails"), 9, "keep")


def test_runs_of_several_files_are_called_after_them() -> None:
    assert name_of(["a/x.csv", "b/x.jsonl", "y.csv"]) == "x-y"
    assert name_of([f"{letter}.csv" for letter in "abcde"]) == "a-b-c-2-more"
    assert name_of(["hub:somebody/things"]) == "things"


def test_names_on_the_hub_are_no_paths(sonmat: Sonmat, pipeline: FakePipeline) -> None:
    assert sonmat("audit", "hub:somebody/things").code == 0
    assert pipeline.asked[0][1].data == ("hub:somebody/things",)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--map question", "--map instruction=question"),
        ("--map =question", "--map instruction=question"),
        ("--shares 70", "--shares 70/15/15"),
        ("--shares a/b/c", "--shares 70/15/15"),
        ("--shares 50/25/25", "60 to 80 %"),
        ("--redact --personal-data keep", "contradict"),
        ("--near-duplicates ask", "near_duplicates"),
        ("--guard speed.p95", "--guard speed.p95=0.5"),
        ("--guard speed.p95=quick", "--guard speed.p95=0.5"),
        ("--expect longest", "--expect longest=300"),
    ],
)
def test_an_option_that_cannot_be_read_says_how_to_write_it(words: str, said: str, sonmat: Sonmat) -> None:
    result = sonmat("run", "a.csv", *words.split())
    assert result.code == 2
    assert said in result.err


def test_help_lists_options_under_headings_in_both_languages(sonmat: Sonmat) -> None:
    out = sonmat("run", "--help").out
    for heading in (
        "What the data means:",
        "What to do about findings:",
        "How the rows are divided:",
        "What is trained:",
        "How it is proven:",
    ):
        assert f"\n{heading}\n" in out
    assert out.index("--template") < out.index("--near-duplicates") < out.index("--shares") < out.index("--minutes")
    assert widest(out) <= 80


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
