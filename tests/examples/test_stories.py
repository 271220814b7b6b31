"""The recipes of the stories in docs/results.md: read, their data load and divide, and what they ask for exists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sonmat import plugins
from sonmat.core.recipe import Recipe
from sonmat.probing.expectations import read_expectations
from sonmat.recipes import make_recipe
from sonmat.retrieval.documents import read_documents
from sonmat.runs import RunFolder
from sonmat.steps.load import load
from sonmat.steps.split import assert_sound, divide

EXAMPLES = Path(__file__).parents[2] / "examples"
STORIES = ("faq", "intents-ko", "style")


def recipe_of(story: str) -> Recipe:
    return make_recipe(EXAMPLES / f"{story}.yaml", {})


@pytest.mark.parametrize(("story", "task"), [("faq", "chat"), ("intents-ko", "text-classification"), ("style", "chat")])
def test_the_rows_of_a_story_load_and_divide_by_its_group(story: str, task: str, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    loaded = load(folder, recipe_of(story), "here", lambda *_, **__: None)
    examples = list(folder.examples())
    assert loaded.task == task
    assert len(examples) >= 250
    assert all(example.group for example in examples)
    split = divide(examples, seed=0)
    assert_sound(split, examples)
    assert len(split.test) >= 30


@pytest.mark.parametrize("story", STORIES)
def test_a_story_names_only_methods_and_settings_that_exist(story: str) -> None:
    recipe = recipe_of(story)
    for name in {*recipe.method, *recipe.settings}:
        method = plugins.find("methods", name)
        method.Settings.model_validate(recipe.settings.get(name, {}))


def test_every_page_of_the_faq_can_be_read_and_holds_the_answers() -> None:
    recipe = recipe_of("faq")
    shelf = read_documents([Path(path) for path in recipe.documents])
    assert not shelf.problems
    assert len(shelf.documents) == 16
    said = words_of(" ".join(section.text for document in shelf.documents for section in document.sections))
    rows = [
        json.loads(line) for line in (EXAMPLES / "data" / "faq_asked_en.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    answers = {words_of(row["messages"][1]["content"])[:60] for row in rows}
    assert sum(answer in said for answer in answers) > 0.9 * len(answers)


def test_every_section_of_the_faq_is_asked_in_other_words_than_its_own() -> None:
    rows = [
        json.loads(line) for line in (EXAMPLES / "data" / "faq_asked_en.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    own = {row["section"]: row["messages"][0]["content"] for row in rows if row["asked_in"] == "the FAQ's words"}
    other = {row["section"]: row["messages"][0]["content"] for row in rows if row["asked_in"] == "other words"}
    assert own.keys() < other.keys()
    assert not any(own.get(section) == asked for section, asked in other.items())


def test_every_reference_of_the_style_story_keeps_what_is_expected_of_answers() -> None:
    (keeps,) = read_expectations(recipe_of("style").expect).rules().values()
    rows = [
        json.loads(line) for line in (EXAMPLES / "data" / "home_commands_en.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert all(keeps(row["messages"][1]["content"]) for row in rows)
    assert not keeps('Sure! {"intent": "TurnOn"}')
    assert not keeps('{"intent": "turn on"}')
    assert not keeps('{"intent": "TurnOn", "area": ["kitchen"]}')


def test_what_is_said_to_the_home_is_never_answered_in_two_ways() -> None:
    rows = [
        json.loads(line) for line in (EXAMPLES / "data" / "home_commands_en.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    said = [row["messages"][0]["content"].lower() for row in rows]
    assert len(set(said)) == len(said) == 400
    patterns = [row["pattern"] for row in rows]
    assert max(patterns.count(pattern) for pattern in patterns) <= 2


def words_of(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())
