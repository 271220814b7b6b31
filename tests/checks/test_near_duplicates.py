"""Near-duplicate texts, pictures and sounds, each as a check: planted ones are found, others are left alone."""

from __future__ import annotations

import csv
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sonmat import plugins
from sonmat.conformance.check import check_check, findings_of
from sonmat.core.values import Example, Finding, Json, Source
from tests.checking.test_prints import RATE, scene, voice

TEXTS = plugins.find("checks", "near_duplicate_texts")
CLASSES, CHAT = plugins.find_kind("text-classification"), plugins.find_kind("chat")
LONG = "오늘은 날씨가 아주 맑아서 친구들과 함께 한강 공원에 산책을 나가기로 했습니다"
LIGHTS = [
    "거실 불 켜 줘",
    "침실 불 켜 줘",
    "거실 불 꺼 줘",
    "부엌 불 켜 줘",
    "안방 불 켜 줘",
    "turn on the light",
    "turn off the light",
]


def test_planted_near_duplicates_are_found_and_short_intents_are_left_apart() -> None:
    clean = [
        _row(number, text) for number, text in enumerate([*LIGHTS, LONG, "An entirely different sentence in English."])
    ]
    faulty = [
        *clean,
        _row(20, "거실 불켜줘!"),
        _row(21, LONG.replace("오늘은 ", "") + "."),
        _row(22, "an entirely different sentence, in english"),
    ]
    check_check(TEXTS, CLASSES, clean, faulty, ["20", "21", "22"])
    (finding,) = findings_of(TEXTS, faulty, CLASSES)
    assert finding.clusters == (("0", "20"), ("7", "21"), ("8", "22"))
    assert finding.decided_by == "near_duplicates"
    assert {repair.row for repair in finding.repairs} == {"20", "21", "22"}
    assert finding.data["pairs"][0]["similarity"] == 1.0


def test_exact_copies_are_left_to_another_check_but_go_with_the_row_that_they_copy() -> None:
    assert not findings_of(TEXTS, [_row(0, LONG), _row(1, LONG), _row(2, f" {LONG} ")], CLASSES)
    rows = [_row(0, LONG), _row(1, LONG + " 정말"), _row(2, LONG), _row(3, LONG + "  정말")]
    (finding,) = findings_of(TEXTS, rows, CLASSES)
    assert finding.rows == ("1", "3")
    assert finding.clusters == (("0", "1", "2", "3"),)
    assert not findings_of(TEXTS, [row for row in rows if row.id not in finding.rows], CLASSES)


def test_rows_whose_labels_differ_stay_together_and_are_never_dropped() -> None:
    (finding,) = findings_of(TEXTS, [_row(0, LONG, "a"), _row(1, LONG + "!", "b")], CLASSES)
    assert finding.clusters == (("0", "1"),)
    assert not finding.repairs
    assert "1 pairs the targets differ" in finding.what.en


def test_a_chat_row_is_dropped_only_if_its_answer_nearly_repeats_as_well() -> None:
    answer = "네, 한강 공원은 지하철 2호선과 9호선으로 갈 수 있습니다"
    rows = [
        _chat(0, LONG, answer),
        _chat(1, LONG + "!", answer + "."),
        _chat(2, LONG + " 진짜", "전혀 다른 대답을 했습니다"),
    ]
    (finding,) = findings_of(TEXTS, rows, CHAT)
    assert finding.clusters == (("0", "1", "2"),)
    assert [repair.row for repair in finding.repairs] == ["1"]


def test_a_system_message_makes_no_questions_alike() -> None:
    system = "You are a patient assistant of a bank who answers in two short sentences and never gives advice. " * 5
    rows = [_chat(number, text, f"answer {number}", system) for number, text in enumerate(LIGHTS)]
    assert not findings_of(TEXTS, rows, CHAT)


def test_the_korean_intents_do_not_melt_into_one_cluster() -> None:
    with Path("examples/data/korean_intents.csv").open(encoding="utf-8") as lines:
        rows = [_row(number, row["text"], row["intent"]) for number, row in enumerate(csv.DictReader(lines))]
    (finding,) = findings_of(TEXTS, rows, CLASSES)
    labels = {row.id: row.target["label"] for row in rows}
    assert max(map(len, finding.clusters)) <= 20
    assert 50 <= len(finding.rows) <= 0.15 * len(rows)
    pure = sum(len({labels[row] for row in cluster}) == 1 for cluster in finding.clusters)
    assert pure >= 0.97 * len(finding.clusters)


def test_a_chain_of_sentences_of_one_pattern_does_not_take_the_split_with_it() -> None:
    finding = _finding_of_chain()
    assert finding.data["cut_chains"] == 1
    assert max(map(len, finding.clusters)) <= 10
    assert "long chains" in finding.what.en


@pytest.mark.parametrize("words", [12, 400])
def test_dropping_near_duplicates_comes_to_an_end(words: int) -> None:
    chance = random.Random(0)
    known = ["".join(chance.choices("가나다라마바사아자차카타파하", k=3)) for _ in range(words)]
    rows = []
    for number in range(0, 600, 2):
        said = chance.choices(known, k=12)
        rows += [_row(number, " ".join(said)), _row(number + 1, " ".join([*said, chance.choice(known)]))]
    rounds = 0
    while findings := findings_of(TEXTS, rows, CLASSES):
        dropped = {repair.row for finding in findings for repair in finding.repairs}
        assert dropped
        rows = [row for row in rows if row.id not in dropped]
        rounds += 1
    # What is boilerplate depends on the rows that are there: where few words make up all texts, a second look finds more.
    assert 1 <= rounds <= (3 if words == 12 else 1)


def test_many_near_duplicates_are_a_warning_and_few_a_note() -> None:
    few = [_row(number, f"{text} {LONG[number:]}") for number, text in enumerate(LIGHTS * 4)]
    (finding,) = findings_of(TEXTS, [_row(0, LONG), _row(1, LONG + "!")], CLASSES)
    assert finding.severity == "warning"
    spread = [_row(number + 10, f"{chr(0xAC00 + 97 * number)}{chr(0xB100 + 89 * number)}") for number in range(len(few))]
    (finding,) = findings_of(TEXTS, [_row(0, LONG), _row(1, LONG + "!"), *spread], CLASSES)
    assert finding.severity == "note"


def test_nothing_of_a_text_stands_in_the_finding() -> None:
    (finding,) = findings_of(TEXTS, [_row(0, LONG), _row(1, LONG + "!")], CLASSES)
    assert "한강" not in finding.model_dump_json()


def test_planted_near_duplicate_pictures_are_found(tmp_path: Path) -> None:
    kind = plugins.find_kind("image-classification")
    clean = []
    for number in range(6):
        scene(number).save(tmp_path / f"{number}.png")
        clean.append(_media(number, "image", tmp_path / f"{number}.png"))
    scene(3).resize((150, 110)).save(tmp_path / "7.jpg", quality=60)
    faulty = [*clean, _media(7, "image", tmp_path / "7.jpg")]
    check_check(plugins.find("checks", "near_duplicate_images"), kind, clean, faulty, ["7"])
    assert not findings_of(plugins.find("checks", "near_duplicate_images"), [_row(0, LONG), _row(1, LONG + "!")], CLASSES)


def test_planted_near_duplicate_sounds_are_found(tmp_path: Path) -> None:
    kind = plugins.find_kind("audio-classification")
    clean = []
    for number in range(4):
        soundfile.write(tmp_path / f"{number}.wav", voice(number), RATE)
        clean.append(_media(number, "audio", tmp_path / f"{number}.wav"))
    soundfile.write(tmp_path / "5.ogg", voice(2) * 0.3, RATE)
    soundfile.write(tmp_path / "6.wav", np.zeros(RATE), RATE)
    faulty = [*clean, _media(5, "audio", tmp_path / "5.ogg"), _media(6, "audio", tmp_path / "6.wav")]
    check_check(plugins.find("checks", "near_duplicate_sounds"), kind, clean, faulty, ["5"])


@pytest.mark.parametrize("name", ["near_duplicate_texts", "near_duplicate_images", "near_duplicate_sounds"])
def test_each_check_looks_only_at_its_own_kind_of_input(name: str) -> None:
    looking = Counter(
        kind.modality for kind in plugins.kinds_of_rows() if findings_of(plugins.find("checks", name), [], kind) == []
    )
    assert set(looking) == {"text", "image", "audio"}


def _finding_of_chain() -> Finding:
    """Sentences that each share most of their words with the next one, and little with the one after some more."""
    chance = random.Random(4)
    words = ["".join(chance.choices("가나다라마바사아자차카타파하", k=4)) for _ in range(420)]
    rows = [_row(number, " ".join(words[number : number + 20])) for number in range(400)]
    (finding,) = findings_of(TEXTS, rows, CLASSES)
    return finding


def _row(number: int, text: str, label: str = "a") -> Example:
    return _example(number, {"text": text}, {"label": label})


def _chat(number: int, question: str, answer: str, system: str = "") -> Example:
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": question})
    return _example(number, {"messages": messages}, {"text": answer})


def _media(number: int, modality: str, path: Path) -> Example:
    return _example(number, {modality: str(path)}, {"label": "a"})


def _example(number: int, input: Json, target: Json) -> Example:
    return Example(id=str(number), input=input, target=target, source=Source(file="rows.csv", row=number + 2))
