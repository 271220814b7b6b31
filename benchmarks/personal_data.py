"""Measures the recognisers of personal data: recall and precision by kind, false alarms on clean text, time.

Run: `python -m benchmarks.personal_data [--each 200] [--seed 0]`. Out: the tables of `docs/personal-data.md` in Markdown.

A planted value counts as found if every letter and digit of it lies in found spans; a found span is right if it overlaps a
planted value of its kind. Clean text: the example data, the chatterbot corpus and Home Assistant's sentences, which hold no
personal data but what a person then looks at.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.personal_held_out import FIRST, SECOND, THIRD
from benchmarks.personal_negatives import hard_negatives
from benchmarks.personal_sentences import TUNED, Planted, planted
from sonmat.reading.personal import KINDS, find_personal

EXAMPLES = Path(__file__).parent.parent / "examples" / "data"


@dataclass
class Score:
    """Counts by kind over many sentences."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    """Found under their own kind."""
    said: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    missed: list[Planted] = field(default_factory=list)
    wrong: list[Planted] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found.total() / max(self.planted.total(), 1)

    @property
    def precision(self) -> float:
        return self.right.total() / max(self.said.total(), 1)


def score(sentences: Iterable[Planted]) -> Score:
    """How the recognisers do on `sentences`."""
    result = Score()
    for sentence in sentences:
        spans = find_personal(sentence.text)
        start = sentence.text.find(sentence.value)
        end = start + len(sentence.value)
        for span in spans:
            result.said[span.kind] += 1
            if span.kind == sentence.kind and span.start < end and start < span.end:
                result.right[span.kind] += 1
            else:
                result.wrong.append(sentence)
        if sentence.kind is None:
            continue
        result.planted[sentence.kind] += 1
        result.named[sentence.kind] += any(
            span.kind == sentence.kind and span.start < end and start < span.end for span in spans
        )
        hidden = {place for span in spans for place in range(span.start, span.end)}
        if all(place in hidden or not sentence.text[place].isalnum() for place in range(start, end)):
            result.found[sentence.kind] += 1
        else:
            result.missed.append(sentence)
    return result


def clean_texts() -> Iterator[tuple[str, str]]:
    """Texts of people without personal data, each with the name of its source."""
    yield from example_texts()
    yield from _chatterbot()
    yield from _home_assistant()


def example_texts() -> Iterator[tuple[str, str]]:
    """Those of the example data."""
    for path in sorted(EXAMPLES.iterdir()):
        if path.suffix == ".jsonl":
            for line in path.read_text(encoding="utf-8").splitlines():
                yield path.name, "\n".join(_texts(json.loads(line)))
        elif path.suffix == ".csv":
            for line in path.read_text(encoding="utf-8").splitlines()[1:]:
                yield path.name, line


def _chatterbot() -> Iterator[tuple[str, str]]:
    import chatterbot_corpus
    import yaml

    for path in sorted((Path(chatterbot_corpus.__file__).parent / "data").glob("*/*.yml")):
        for conversation in yaml.safe_load(path.read_text(encoding="utf-8"))["conversations"]:
            yield "chatterbot-corpus", "\n".join(str(turn) for turn in conversation)


def _home_assistant() -> Iterator[tuple[str, str]]:
    import home_assistant_intents

    for language in ("ko", "en"):
        path = Path(home_assistant_intents.__file__).parent / "data" / f"{language}.json"
        for intent in json.loads(path.read_text(encoding="utf-8"))["intents"].values():
            for data in intent["data"]:
                for sentence in data["sentences"]:
                    yield f"home-assistant-intents ({language})", sentence


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def microseconds_a_row(texts: Sequence[str], repetitions: int = 5) -> float:
    """Least processor time of several passes, by the row."""
    best = float("inf")
    for _ in range(repetitions):
        began = time.process_time()
        for text in texts:
            find_personal(text)
        best = min(best, time.process_time() - began)
    return best / len(texts) * 1e6


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--each", type=int, default=200, help="sentences a style")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--show", type=int, default=0, help="misses and false alarms to print of the tuned styles")
    options.add_argument("--no-held-out", action="store_true")
    asked = options.parse_args()
    negatives = list(hard_negatives(asked.each, asked.seed))
    lists = [("tuned", TUNED)]
    if not asked.no_held_out:
        lists += [("held out first", FIRST), ("held out second", SECOND), ("held out third", THIRD)]
    for name, styles in lists:
        result = score([*planted(styles, asked.each, asked.seed), *negatives])
        _print_table(name, result)
        if name == "tuned":
            _show(result, asked.show, Random(asked.seed))
    _print_negatives(negatives)
    _print_clean()


def _print_table(name: str, result: Score) -> None:
    print(f"\n### Styles {name}: {result.planted.total():,} values\n")
    print("| kind | values | recall | under its own kind | precision |\n|---|---|---|---|---|")
    for kind in KINDS:
        if planted_here := result.planted[kind]:
            recall, named = result.found[kind] / planted_here, result.named[kind] / planted_here
            precision = result.right[kind] / max(result.said[kind], 1)
            print(f"| {kind} | {planted_here:,} | {recall:.3f} | {named:.3f} | {precision:.3f} |")
    named = result.named.total() / result.planted.total()
    print(f"| **all** | {result.planted.total():,} | **{result.recall:.4f}** | {named:.4f} | {result.precision:.4f} |")


def _show(result: Score, count: int, chance: Random) -> None:
    for title, sentences in (("missed", result.missed), ("false alarms", result.wrong)):
        print(f"\n{title}: {Counter(each.style for each in sentences).most_common(40)}" if count else "")
        for sentence in chance.sample(sentences, min(count, len(sentences))):
            print("   ", repr(sentence.text[:160]), find_personal(sentence.text))


def _print_negatives(negatives: Sequence[Planted]) -> None:
    alarmed = sum(bool(find_personal(each.text)) for each in negatives)
    print(f"\nHard negatives: {len(negatives):,} sentences, {1000 * alarmed / len(negatives):.1f} false alarms a thousand")


def _print_clean() -> None:
    rows, alarms, by_source = Counter[str](), Counter[str](), dict[str, list[str]]()
    for source, text in clean_texts():
        rows[source] += 1
        spans = find_personal(text)
        alarms[source] += bool(spans)
        by_source.setdefault(source, []).append(text)
        for span in spans:
            print(f"    {source}: {span.kind}: {text[max(0, span.start - 30) : span.end + 20]!r}")
    print("\n| clean text | rows | rows with an alarm | a thousand | µs a row |\n|---|---|---|---|---|")
    for source, texts in by_source.items():
        share = 1000 * alarms[source] / rows[source]
        print(f"| {source} | {rows[source]:,} | {alarms[source]} | {share:.2f} | {microseconds_a_row(texts):.1f} |")
    print(f"| **all** | {rows.total():,} | {alarms.total()} | {1000 * alarms.total() / rows.total():.2f} | |")
    short = [text for texts in by_source.values() for text in texts if len(text) <= 100 and not any(map(str.isdigit, text))]
    print(
        f"\nClean rows of up to 100 characters without a digit: {microseconds_a_row(short):.2f} µs a row ({len(short):,} rows)"
    )


if __name__ == "__main__":
    main()
