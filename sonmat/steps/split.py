"""Divides the rows into training, validation and a sealed test set: `split.json`.

In: the examples that the audit kept, the recipe's seed. Out: a `Split`. Rows that say the same, rows that the audit found to
belong together and rows of one group never lie in different parts; classes are spread in proportion. The result depends on
the seed and on what the rows say, not on their order. It changes no row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sonmat.core.errors import DataError, SonmatError
from sonmat.core.protocols import Emit
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, Split
from sonmat.reading.rows import input_key
from sonmat.runs.files import sha256_of, write_value
from sonmat.runs.folder import RunFolder
from sonmat.runs.seal import seal_of

Part = Literal["train", "validation", "test"]
SHARES: Final[dict[Part, float]] = {"train": 0.70, "validation": 0.15, "test": 0.15}


def split(folder: RunFolder, recipe: Recipe, inputs: str, emit: Emit) -> Split:
    """Write the split of an audited run; `inputs` is the fingerprint that the file is marked with.

    Raises:
        DataError: too many rows belong together to fill three parts.
    """
    emit("progress", Text(en="Reading the rows", ko="행을 읽는 중"), done=0, total=2, seconds_left=None)
    examples = list(folder.kept_examples())
    emit("progress", Text(en="Dividing the rows", ko="행을 나누는 중"), done=1, total=2, seconds_left=None)
    result = divide(examples, folder.audit().findings, recipe.seed, recipe.group)
    write_value(folder.file("split.json"), result, inputs)
    emit("split", result.how, train=len(result.train), validation=len(result.validation), test=len(result.test))
    return result


def divide(examples: Sequence[Example], findings: Iterable[Finding] = (), seed: int = 0, group: str | None = None) -> Split:
    """The split of `examples`; `group` is the column's name for the description, each example carries its own value.

    Raises:
        DataError: too many rows belong together to fill three parts.
        SonmatError: the result would be unsound; a fault of Sonmat that must not go on.
    """
    links = [cluster for finding in findings for cluster in finding.clusters]
    units = _units(examples, links, seed)
    parts = _assign(units)
    _fill_empty_parts(parts)
    ids = {part: tuple(example.id for unit in chosen for example in unit.members) for part, chosen in parts.items()}
    test = [example for unit in parts["test"] for example in unit.members]
    result = Split(**ids, seal=seal_of(test), how=_how(ids, units, test, group))
    assert_sound(result, examples, links)
    return result


def assert_sound(split: Split, examples: Sequence[Example], links: Iterable[Sequence[str]] = ()) -> None:
    """Nothing, if every row is in exactly one part, no part is empty, and nothing that belongs together is apart.

    Raises:
        SonmatError: it is not so.
    """
    part_of = {row: part for part in SHARES for row in getattr(split, part)}
    rows = sum(len(getattr(split, part)) for part in SHARES)
    if rows != len(part_of) or set(part_of) != {example.id for example in examples}:
        raise _unsound(Text(en="a row is in two parts or in none", ko="두 곳에 있거나 어디에도 없는 행이 있습니다"))
    if set(part_of.values()) != set(SHARES):
        raise _unsound(Text(en="a part is empty", ko="빈 부분이 있습니다"))
    for together in _bonds(examples, links):
        if len({part_of[row] for row in together}) > 1:
            listed = ", ".join(list(together)[:5])
            raise _unsound(
                Text(en=f"rows that belong together are apart: {listed}", ko=f"함께 있어야 할 행이 나뉘었습니다: {listed}")
            )
    test = set(split.test)
    if seal_of([example for example in examples if example.id in test]) != split.seal:
        raise _unsound(Text(en="the seal is not that of the test rows", ko="봉인이 시험 행과 맞지 않습니다"))


@dataclass(frozen=True)
class _Unit:
    """Rows that must stay together. `order` is random by the seed and what the rows say."""

    members: tuple[Example, ...]
    label: str
    order: str


def _units(examples: Sequence[Example], links: Iterable[Sequence[str]], seed: int) -> list[_Unit]:
    parent = {example.id: example.id for example in examples}

    def root(row: str) -> str:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for together in _bonds(examples, links):
        first, *rest = (root(row) for row in together)
        for row in rest:
            parent[root(row)] = root(first)
    gathered: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        gathered[root(example.id)].append(example)
    units = [_unit(members, seed) for members in gathered.values()]
    return sorted(units, key=lambda unit: unit.order)


def _bonds(examples: Sequence[Example], links: Iterable[Sequence[str]]) -> Iterator[list[str]]:
    """Ids of rows that must stay together, one list a reason."""
    same: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for example in examples:
        same["input", input_key(example)].append(example.id)
        if example.group is not None:
            same["group", example.group].append(example.id)
    kept = {example.id for example in examples}
    yield from same.values()
    for cluster in links:
        present = [row for row in cluster if row in kept]
        if present:
            yield present


def _unit(members: list[Example], seed: int) -> _Unit:
    labels = Counter(str(example.target.get("label", "")) for example in members)
    label = min(labels, key=lambda name: (-labels[name], name))
    ranked = sorted(members, key=lambda example: sha256_of(seed, example.id))
    return _Unit(tuple(ranked), label, sha256_of(seed, sorted(example.id for example in members)))


def _assign(units: Sequence[_Unit]) -> dict[Part, list[_Unit]]:
    """Each unit to the part that lacks most rows of its class; large units first, because they are hardest to place."""
    strata: defaultdict[str, list[_Unit]] = defaultdict(list)
    for unit in units:
        strata[unit.label].append(unit)
    total = sum(len(unit.members) for unit in units)
    lacking_all: dict[Part, float] = {part: share * total for part, share in SHARES.items()}
    parts: dict[Part, list[_Unit]] = {part: [] for part in SHARES}
    # Rare classes first: the common ones then even out the sizes of the parts.
    for stratum in sorted(strata.values(), key=lambda units: (_size(units), units[0].label)):
        lacking = {part: share * _size(stratum) for part, share in SHARES.items()}
        chosen: dict[Part, list[_Unit]] = {part: [] for part in SHARES}
        for unit in sorted(stratum, key=lambda unit: -len(unit.members)):
            part = max(SHARES, key=lambda part: (round(lacking[part], 6), lacking_all[part]))
            chosen[part].append(unit)
            lacking[part] -= len(unit.members)
            lacking_all[part] -= len(unit.members)
        _spread(chosen)
        for part, taken in chosen.items():
            parts[part] += taken
    return {part: sorted(chosen, key=lambda unit: unit.order) for part, chosen in parts.items()}


def _spread(chosen: dict[Part, list[_Unit]]) -> None:
    """Give a class of few large units one to test with, and one to validate with where training keeps half of its rows: what
    is never tested is not proven, whatever the proportions."""
    if not chosen["test"]:
        _move_smallest(chosen, "validation" if chosen["validation"] else "train", "test")
    smallest = min((len(unit.members) for unit in chosen["train"]), default=0)
    trained, everywhere = _size(chosen["train"]), sum(map(_size, chosen.values()))
    if not chosen["validation"] and trained - smallest >= everywhere / 2:
        _move_smallest(chosen, "train", "validation")


def _move_smallest(chosen: dict[Part, list[_Unit]], giver: Part, taker: Part) -> None:
    """Move a unit, unless it is the last one that can be learnt from."""
    if giver == "train" and len(chosen["train"]) < 2:
        return
    smallest = min(chosen[giver], key=lambda unit: (len(unit.members), unit.order))
    chosen[giver].remove(smallest)
    chosen[taker].append(smallest)


def _size(units: Iterable[_Unit]) -> int:
    return sum(len(unit.members) for unit in units)


def _fill_empty_parts(parts: dict[Part, list[_Unit]]) -> None:
    for part in ("validation", "test"):
        if parts[part]:
            continue
        units_of_class = Counter(unit.label for chosen in parts.values() for unit in chosen)
        spare = [
            (giver, unit)
            for giver, chosen in parts.items()
            if len(chosen) > 1
            for unit in chosen
            # The only unit of a class stays where it can be learnt.
            if units_of_class[unit.label] > 1
        ]
        if not spare:
            raise _too_few_units(sum(map(len, parts.values())))
        giver, unit = min(spare, key=lambda entry: (len(entry[1].members), entry[1].order))
        parts[giver].remove(unit)
        parts[part].append(unit)


def _too_few_units(units: int) -> DataError:
    return DataError(
        Text(
            en=f"The rows fall into {units} sets that must stay together (same input, or same group), "
            "too few to train, validate and test.",
            ko=f"함께 있어야 하는 행(입력이 같거나 그룹이 같은 행)으로 묶으면 {units}묶음뿐이어서 "
            "학습, 검증, 시험으로 나눌 수 없습니다.",
        ),
        Text(
            en="Add rows with other inputs, or choose a --group column with more values.",
            ko="입력이 다른 행을 더하거나, 값이 더 많은 열을 --group으로 지정하세요.",
        ),
    )


def _how(ids: Mapping[Part, Sequence[str]], units: Sequence[_Unit], test: Sequence[Example], group: str | None) -> Text:
    total = sum(map(len, ids.values()))
    percent = " / ".join(f"{100 * len(rows) / total:.0f}" for rows in ids.values())
    counts = " / ".join(f"{len(rows):,}" for rows in ids.values())
    english, korean = [], []
    if any(unit.label for unit in units):
        english.append("classes in proportion")
        korean.append("분류 비율을 맞추었습니다")
    untested = sorted({unit.label for unit in units} - {str(example.target.get("label", "")) for example in test})
    if untested:
        english.append(f"no test rows of: {', '.join(untested)}")
        korean.append(f"시험 행이 없는 분류: {', '.join(untested)}")
    if group is not None:
        english.append(f"rows with the same '{group}' together")
        korean.append(f"'{group}' 값이 같은 행은 한쪽에 두었습니다")
    if any(len(unit.members) > 1 for unit in units):
        english.append("rows that say the same together")
        korean.append("같은 내용의 행은 한쪽에 두었습니다")
    tail_en = "".join(f"; {part}" for part in english)
    tail_ko = "".join(f" {part}." for part in korean)
    return Text(
        en=f"Train / validation / test: {counts} rows ({percent} %){tail_en}. The test set is sealed.",
        ko=f"학습 / 검증 / 시험: {counts}행({percent} %).{tail_ko} 시험 데이터는 봉인했습니다.",
    )


def _unsound(why: Text) -> SonmatError:
    return SonmatError(
        Text(en=f"The split is unsound: {why.en}.", ko=f"분할이 잘못되었습니다: {why.ko}."),
        Text(
            en="This is a fault of Sonmat; nothing was trained. Please report it.",
            ko="Sonmat의 결함이며 아무것도 학습하지 않았습니다. 알려 주세요.",
        ),
    )
