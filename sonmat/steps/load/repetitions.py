"""How often each id has come already, for millions of rows: at most 16 bytes for each row.

In: 64-bit keys, one after the other. Out: 1 for a key that is new, 2 for its second row, and so on. Keys are kept in tables of
open addressing. A repetition is kept as a key of its own, made of the key and its number, so that nothing but tables grows.
"""

from __future__ import annotations

from array import array

_TABLES = 256
"""Tables grow one at a time, so that growing never holds all keys twice."""
_FIRST_SLOTS = 16
_GROWTH = 1.5
_FULL = 0.8
_MIX = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


class Repetitions:
    def __init__(self) -> None:
        self._tables = [array("Q", bytes(8 * _FIRST_SLOTS)) for _ in range(_TABLES)]
        self._held = [0] * _TABLES

    def number(self, key: int) -> int:
        """Which row with this key this is, counted from 1."""
        if self._add(key):
            return 1
        # Every earlier repetition is there, so that the first free number is found by doubling and halving.
        known, free = 1, 2
        while self._has(_of_number(key, free)):
            known, free = free, 2 * free
        while free - known > 1:
            middle = (known + free) // 2
            known, free = (middle, free) if self._has(_of_number(key, middle)) else (known, middle)
        self._add(_of_number(key, free))
        return free

    @property
    def bytes(self) -> int:
        """Memory of the tables."""
        return sum(8 * len(table) for table in self._tables)

    def _add(self, key: int) -> bool:
        """Whether the key is new; it is there afterwards. 0 marks a free slot and is kept as 1."""
        key = key or 1
        place = key % _TABLES
        table = self._tables[place]
        size = len(table)
        at = (key >> 8) % size
        held = table[at]
        while held:
            if held == key:
                return False
            at = at + 1 if at + 1 < size else 0
            held = table[at]
        table[at] = key
        self._held[place] += 1
        if self._held[place] > _FULL * size:
            self._tables[place] = _grown(table)
        return True

    def _has(self, key: int) -> bool:
        key = key or 1
        table = self._tables[key % _TABLES]
        size = len(table)
        at = (key >> 8) % size
        held = table[at]
        while held and held != key:
            at = at + 1 if at + 1 < size else 0
            held = table[at]
        return bool(held)


def _of_number(key: int, number: int) -> int:
    mixed = ((key ^ (number * _MIX)) * _MIX) & _MASK
    return mixed ^ (mixed >> 29)


def _grown(table: array[int]) -> array[int]:
    size = int(len(table) * _GROWTH)
    larger = array("Q", bytes(8 * size))
    for key in table:
        if key:
            at = (key >> 8) % size
            while larger[at]:
                at = at + 1 if at + 1 < size else 0
            larger[at] = key
    return larger
