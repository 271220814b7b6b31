"""Passages: nothing is lost, nothing is too long, places are named, and what a sentence at a cut says stands in one piece."""

from __future__ import annotations

import pytest

from sonmat.core.values import Example, Source
from sonmat.retrieval.documents import Document
from sonmat.retrieval.passages import document_passages, example_passages, length_in_words
from sonmat.retrieval.sections import Section


def cut(text: str, words: int = 40, **changes: object) -> list[str]:
    document = Document(name="a.txt", sections=(Section.model_validate({"text": text, **changes}),))
    return [passage.text for passage in document_passages(document, words)]


def test_what_fits_is_one_passage() -> None:
    assert cut("One.\n\nTwo.\n\nThree.") == ["One.\n\nTwo.\n\nThree."]


@pytest.mark.parametrize(
    "text",
    [
        " ".join(f"Sentence number {number} says something about item {number}." for number in range(60)),
        "\n\n".join(f"Paragraph {number} is here with six words." for number in range(60)),
        " ".join(f"{number}번 문장은 품목 {number}에 대해 말합니다." for number in range(60)),
        " ".join(f"word{number}" for number in range(500)),
        "。".join(f"第{number}条はとても長い文章です" for number in range(80)),
        "".join(chr(ord("가") + number) for number in range(800)),
    ],
    ids=["sentences", "paragraphs", "korean", "no stop", "japanese", "no space"],
)
def test_nothing_is_lost_and_no_passage_is_too_long(text: str) -> None:
    found = cut(text)
    assert len(found) > 1
    assert max(map(length_in_words, found)) <= 40
    squeezed = "".join(text.split())
    at = 0
    for piece in ("".join(passage.split()) for passage in found):
        # Each piece begins in the one before it or right behind it.
        start = squeezed.find(piece, max(0, at - len(piece)))
        assert 0 <= start <= at
        at = max(at, start + len(piece))
    assert at == len(squeezed)


def test_a_sentence_is_whole_in_some_passage_and_the_last_ones_open_the_next() -> None:
    sentences = [f"Sentence number {number} says something about item {number}." for number in range(30)]
    found = cut(" ".join(sentences))
    assert all(any(sentence in passage for passage in found) for sentence in sentences)
    repeated = [sentence for sentence in sentences if sum(sentence in passage for passage in found) > 1]
    assert len(repeated) >= len(found) - 1


def test_a_heading_begins_a_passage_and_stands_in_it() -> None:
    sections = (
        Section(text="이틀 걸립니다.", heading="안내 › 배송", page=3),
        Section(text="됩니다.", heading="안내 › 반품"),
    )
    found = document_passages(Document(name="a.pdf", sections=sections))
    assert [passage.text for passage in found] == ["안내 › 배송\n이틀 걸립니다.", "안내 › 반품\n됩니다."]
    assert (found[0].place.en, found[0].place.ko) == ("a.pdf, page 3, “배송”", "a.pdf 3쪽 “배송”")
    assert [passage.id for passage in found] == ["a.pdf#1", "a.pdf#2"]


def test_an_example_is_a_passage_of_its_last_question_and_its_answer() -> None:
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "When do you open?"},
    ]
    source = Source(file="a.csv", row=7)
    chat = Example(id="r7", input={"messages": messages}, target={"text": "At nine."}, source=source)
    label = Example(id="r8", input={"text": "too loud"}, target={"label": "noise"}, source=source)
    one, other = example_passages([chat, label])
    assert (one.id, one.row, one.text) == ("r7", "r7", "When do you open?\nAt nine.")
    assert one.place.en == "training row 7"
    assert other.text == "too loud\nnoise"
