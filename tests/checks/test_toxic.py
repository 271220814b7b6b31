"""Toxic words are found, disguised ones too; words that only look like them are not; none is ever shown."""

from __future__ import annotations

from importlib.resources import files

import pytest

from sonmat.checking import toxic_words
from sonmat.checks.toxic import plugin
from sonmat.conformance import findings_of
from tests.checks.made_texts import LABELS, finds, silent_on, texts

KOREAN = (
    "시발 진짜", "야 이 씨발놈아", "ㅅㅂ 뭐야", "병신아", "개새끼들",
    "존나 짜증", "쪽바리", "틀딱들", "너 죽여버린다", "죽여 버릴 거야",
)  # fmt: skip
ENGLISH = (
    "What the fuck",
    "You're an asshole.",
    "stupid faggots",
    "I'll kill you!",
    "just kill yourself",
    "son of a bitch",
)
DISGUISED = (
    "시1발", "시.발", "씨이이발", "씨 발 왜이래", "병~신", "fuck이야",
    "sh1t happens", "f*ck you", "fuuuuck", "f.u.c.k you", "b!tch", "a$$hole",
)  # fmt: skip
HARMLESS = (
    "시발점이 되었다", "병신년 새해", "개새끼발가락", "도시발전 계획", "9시발 KTX",
    "즉시발송", "해당 시 발생", "6시 발 열차", "5개년 계획", "질병신고",
    "위기가 닥쳐 힘들다", "가방을 뒤져라", "강아지 새끼가 귀엽다", "고양이새끼",
    "영화를 보지 않았다", "1등신랑", "불이 꺼져요", "벙어리장갑", "시바견",
    "두 시 발 표", "Scunthorpe assassin classic", "shiitake", "cockpit",
    "Essex Sussex", "a*b*c", "kill the process", "Dick Cheney", "niggardly",
    "shell assistant pass", "등신대 인형", "raging bass", "it's a class, as I said", "미들섹스 대학",
)  # fmt: skip


def test_toxic_words_of_both_languages_are_found_and_masked() -> None:
    (found,) = finds(plugin, [*KOREAN, *ENGLISH])
    assert found.severity == "warning"
    assert found.decided_by is None
    assert set(found.data["categories"]) == {"profanity", "slur", "threat"}
    assert all(piece.endswith("***") and len(piece.split(": ")[1]) == 4 for piece in found.evidence)


def test_usual_disguises_are_seen_through() -> None:
    finds(plugin, list(DISGUISED))


def test_words_that_only_look_toxic_are_not_found() -> None:
    assert silent_on(plugin, HARMLESS)


@pytest.mark.parametrize("name", ["english", "korean"])
def test_a_list_says_where_it_comes_from_and_has_every_category(name: str) -> None:
    content = (files(toxic_words) / f"{name}.txt").read_text(encoding="utf-8")
    assert "Provenance: compiled by hand for this project" in content
    assert "Licence: Apache-2.0" in content
    entries = [line for line in content.splitlines() if line and line[0] not in "#["]
    assert len(entries) >= 150
    assert [line for line in content.splitlines() if line.startswith("[")] == [
        "[profanity]", "[slur]", "[sexual]", "[threat]", "[harmless]",
    ]  # fmt: skip
    # In '[harmless]' an entry may contain what would otherwise be found, so each must be needed: none is listed twice.
    assert sorted(set(entries)) == sorted(entries)


@pytest.mark.parametrize("name", ["english", "korean"])
def test_every_entry_is_found_when_somebody_says_it(name: str) -> None:
    content = (files(toxic_words) / f"{name}.txt").read_text(encoding="utf-8").partition("\n[harmless]\n")[0]
    entries = [line.strip("=^*") for line in content.splitlines() if line and line[0] not in "#["]
    rows = texts(entries)
    found = {row for finding in findings_of(plugin, rows, LABELS) for row in finding.rows}
    assert [entry for row, entry in zip(rows, entries, strict=True) if row.id not in found] == []


@pytest.mark.parametrize("name", ["english", "korean"])
def test_no_harmless_word_is_found(name: str) -> None:
    content = (files(toxic_words) / f"{name}.txt").read_text(encoding="utf-8").partition("\n[harmless]\n")[2]
    assert silent_on(plugin, content.split())
