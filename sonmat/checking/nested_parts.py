"""Growing parts of the training rows, each within the next: what a learning curve is measured on.

In: examples, what hangs together, shares. Out: ids of each part. Classes keep their shares; rows of one group and near-duplicates come
in together, because a row beside its own copy teaches little; every class has a row in every part. Which rows come first is chance by
the seed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence

from sonmat.core.values import Example


def nested_parts(
    examples: Sequence[Example], links: Iterable[Sequence[str]], shares: Sequence[float], seed: int
) -> list[tuple[str, ...]]:
    """Ids of each part in the order of `examples`, for each of `shares`, which grow.

    Args:
        links: ids of rows that a finding keeps together; those of other rows are left out.
    """
    chance = random.Random(seed)
    units = _units(examples, links)
    # By their ids, so that the order of the file does not matter.
    units.sort(key=lambda unit: min(example.id for example in unit))
    chance.shuffle(units)
    place: dict[str, float] = {}
    for alike in _by_class(units):
        rows = sum(map(len, alike))
        before = 0
        for number, unit in enumerate(alike):
            # The middle of the unit: a part is as likely to be a little too large as too small.
            at = (before + len(unit) / 2) / rows if number else 0.0
            before += len(unit)
            place.update(dict.fromkeys((example.id for example in unit), at))
    return [tuple(example.id for example in examples if place[example.id] < share) for share in shares]


def _units(examples: Sequence[Example], links: Iterable[Sequence[str]]) -> list[list[Example]]:
    """Rows that come in together, also in chains."""
    root = {example.id: example.id for example in examples}

    def found(id: str) -> str:
        while root[id] != id:
            root[id] = root[root[id]]
            id = root[id]
        return id

    first_of_group: dict[str, str] = {}
    for example in examples:
        if example.group is not None:
            root[found(example.id)] = found(first_of_group.setdefault(example.group, example.id))
    for cluster in links:
        here = [id for id in cluster if id in root]
        for id in here[1:]:
            root[found(id)] = found(here[0])
    units: dict[str, list[Example]] = {}
    for example in examples:
        units.setdefault(found(example.id), []).append(example)
    return list(units.values())


def _by_class(units: Sequence[list[Example]]) -> list[list[list[Example]]]:
    """Units by the commonest class among their rows; all together where targets are no classes."""
    alike: dict[str, list[list[Example]]] = {}
    for unit in units:
        classes = Counter(str(example.target.get("label", "")) for example in unit)
        alike.setdefault(min(classes, key=lambda label: (-classes[label], label)), []).append(unit)
    return list(alike.values())
