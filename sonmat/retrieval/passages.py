"""Passages: pieces of text of about 200 words, each with its place, which an answer may rest on.

In: documents, or training examples. Out: `Passage`s. A document is cut where a heading begins, else between paragraphs, else
between sentences; the last sentences of a passage also open the next one, so that nothing is lost at the cut. An example is one
passage: what was asked and what was answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from sonmat.core.proof import Passage
from sonmat.core.text import Text
from sonmat.core.values import Example
from sonmat.retrieval.documents import Document
from sonmat.retrieval.sections import Section

WORDS: Final = 200
"""Longest passage. Two signs of Korean, Chinese or Japanese count as a word."""
OVERLAP_WORDS: Final = 30
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])|\n+")
_EASTERN: Final = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7ff\uf900-\ufaff]")


def document_passages(document: Document, words: int = WORDS) -> list[Passage]:
    """The passages of one document in its order."""
    passages: list[Passage] = []
    for section in document.sections:
        for text in _cut(section.text, words):
            number = len(passages) + 1
            passages.append(
                Passage(
                    id=f"{document.name}#{number}",
                    place=_place(document.name, section),
                    text=f"{section.heading}\n{text}" if section.heading else text,
                )
            )
    return passages


def example_passages(examples: Sequence[Example]) -> list[Passage]:
    """One passage for each example of chat or of a labelled text."""
    return [
        Passage(
            id=example.id,
            place=Text(en=f"training {example.source.place.en}", ko=f"학습 데이터 {example.source.place.ko}"),
            text=f"{question_of(example.input)}\n{answer_of(example.target)}",
            row=example.id,
        )
        for example in examples
    ]


def question_of(input: dict[str, object]) -> str:
    """What an input asks: the last words of the user, or its text."""
    messages = input.get("messages")
    if isinstance(messages, list):
        return next((str(turn["content"]) for turn in reversed(messages) if turn["role"] == "user"), "")
    return str(input.get("text", ""))


def answer_of(target: dict[str, object]) -> str:
    return str(target.get("text", target.get("label", "")))


def length_in_words(text: str) -> int:
    """Words between spaces, two signs of Korean, Chinese or Japanese as one."""
    eastern = len(_EASTERN.findall(text))
    return len(_EASTERN.sub(" ", text).split()) + -(-eastern // 2)


def _cut(text: str, words: int) -> Iterator[str]:
    """Pieces of at most `words` words: whole paragraphs where they fit together, else whole sentences."""
    piece: list[str] = []
    size = fresh = 0
    for unit, length in _units(text, words):
        if piece and size + length > words:
            yield _joined(piece)
            piece = _ending(piece, min(OVERLAP_WORDS, words - length))
            size, fresh = sum(map(length_in_words, piece)), 0
        piece.append(unit)
        size += length
        fresh += 1
    if fresh:
        yield _joined(piece)


def _units(text: str, words: int) -> Iterator[tuple[str, int]]:
    """Paragraphs, those that are too long as sentences, those that still are as words; the end of a unit is as in the text."""
    for paragraph in re.split(r"\n\n+", text):
        whole = length_in_words(paragraph)
        if whole <= words // 2:
            yield f"{paragraph}\n\n", whole
            continue
        sentences = [sentence for sentence in _SENTENCE_END.split(paragraph) if sentence and sentence.strip()]
        for number, sentence in enumerate(sentences, start=1):
            end = "\n\n" if number == len(sentences) else " "
            length = length_in_words(sentence)
            if length <= words:
                yield f"{sentence}{end}", length
            else:
                yield from _pieces_of(sentence, words, end)


def _pieces_of(sentence: str, words: int, end: str) -> Iterator[tuple[str, int]]:
    """A sentence that is longer than a passage, such as a table without full stops."""
    piece, size = "", 0
    # Chinese and Japanese have no spaces to cut at.
    parts = [
        part[start : start + words] for part in re.findall(r"\S+\s*", sentence) for start in range(0, len(part), words)
    ]
    for part in parts:
        length = length_in_words(part)
        if piece and size + length > words:
            yield piece, size
            piece, size = "", 0
        piece += part
        size += length
    if piece:
        yield f"{piece}{end}", size


def _ending(piece: Sequence[str], words: int) -> list[str]:
    """The last units of a passage that have at most `words` words together."""
    kept: list[str] = []
    size = 0
    for unit in reversed(piece):
        size += length_in_words(unit)
        if size > words:
            break
        kept.insert(0, unit)
    return kept


def _joined(piece: Sequence[str]) -> str:
    return "".join(piece).strip()


def _place(name: str, section: Section) -> Text:
    en, ko = name, name
    if section.page:
        en, ko = f"{en}, page {section.page}", f"{ko} {section.page}쪽"
    if section.heading:
        last = section.heading.rpartition(" › ")[2]
        en, ko = f"{en}, “{last}”", f"{ko} “{last}”"
    return Text(en=en, ko=ko)
