"""Makes the data of two of the stories in docs/results.md again, the same bytes every time.

    python examples/make_stories.py faq [FOLDER]         faq_asked_en.jsonl and debian-faq/, the documents to look up in
    python examples/make_stories.py commands [FOLDER]    home_commands_en.jsonl: commands in English answered as strict JSON

FOLDER is examples/data if left out. `faq` needs apt-get and dpkg-deb of Debian or Ubuntu; `commands` the development packages of this
project (home-assistant-intents, hassil). Sources and licences: examples/data/README.md.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from make_data import CHAPTERS, DATA, Row, _conversation, _sections, _unpacked_debian, _write_jsonl


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands above; 2 where there is no such command."""
    commands: dict[str, Callable[..., None]] = {
        "faq": lambda folder=DATA: write_faq(Path(folder)),
        "commands": lambda folder=DATA: write_commands(Path(folder)),
    }
    if not arguments or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    commands[arguments[0]](*arguments[1:])
    return 0


# ── Debian FAQ, asked in other words ────────────────────────────────────────────────────────────────────────────────

OTHER_WORDS = Path(__file__).parent / "faq_in_other_words.tsv"
FEWEST_WORDS = 25
MOST_WORDS = 60


def write_faq(folder: Path) -> None:
    """Each section asked in the FAQ's words and in others, its beginning as the answer; and the FAQ's pages as documents."""
    other_words = _other_words()
    rows: list[Row] = []
    documents = folder / "debian-faq"
    documents.mkdir(parents=True, exist_ok=True)
    with _unpacked_debian("debian-faq") as unpacked:
        pages = unpacked / "usr/share/doc/debian/FAQ"
        for chapter in CHAPTERS:
            page = pages / f"{chapter}.en.html"
            (documents / page.name).write_bytes(page.read_bytes())
            for title, text in _sections(page):
                # Titles that occur twice, such as "aptitude", have other words for their first section only.
                asked = other_words.pop(title, None)
                if asked is not None:
                    answer = _beginning(text)
                    if title.endswith("?"):
                        rows.append(_asked(title, answer, title, "the FAQ's words"))
                    rows.append(_asked(asked, answer, title, "other words"))
    if other_words:
        raise SystemExit(f"No such sections in this version of the FAQ: {sorted(other_words)}")
    _write_jsonl(folder / "faq_asked_en.jsonl", rows)


def _other_words() -> dict[str, str]:
    lines = OTHER_WORDS.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines if not line.startswith("#"))


def _asked(question: str, answer: str, section: str, asked_in: str) -> Row:
    return {**_conversation([question, answer]), "section": section, "asked_in": asked_in}


def _beginning(text: str) -> str:
    """The first sentences, between 25 and 60 words where they allow it, and never up to a colon."""
    pieces = [piece for piece in re.split(r"(?<=[.!?])[ ]+(?=[A-Z])|(\n)", text) if piece]
    taken: list[str] = []
    for piece in pieces:
        said = _joined(taken)
        words = len(said.split())
        if words >= FEWEST_WORDS and not said.rstrip().endswith(":"):
            break
        if words and words + len(piece.split()) > MOST_WORDS and not said.rstrip().endswith(":"):
            break
        taken.append(piece)
    return _joined(taken)


def _joined(pieces: Sequence[str]) -> str:
    return re.sub(r" ?\n ?", "\n", " ".join(pieces)).strip()


# ── commands to a home as JSON ──────────────────────────────────────────────────────────────────────────────────────

COMMAND_ROWS = 400
MOST_OF_A_PATTERN = 2
FEWEST_OF_AN_INTENT = 6
NAMES = {
    "light": ["bedside lamp", "ceiling light", "reading lamp", "porch light", "chandelier", "night light"],
    "fan": ["tower fan", "desk fan", "extractor fan"],
    "media_player": ["living room TV", "radio", "soundbar", "record player", "speaker"],
    "cover": ["left blind", "big curtain", "garage gate", "skylight shade"],
    "climate": ["thermostat", "air conditioner", "floor heating"],
    "vacuum": ["robot", "dust hunter"],
    "lawn_mower": ["grass cutter", "mower"],
    "lock": ["front door", "back door", "cellar door", "safe"],
    "todo": ["chores", "packing", "homework"],
    "person": ["Anna", "Jonas", "Minji", "Omar", "Priya"],
    "weather": ["Boston", "Oslo", "Busan", "Nairobi"],
    "other": ["coffee machine", "aquarium pump", "heater", "washing machine", "kettle", "printer", "doorbell"],
}
"""By domain: what stands where a template has a name."""
FILLINGS = {
    "area": ["kitchen", "bedroom", "office", "bathroom", "nursery", "hallway", "attic", "cellar", "studio"],
    "floor": ["first", "second", "ground", "top"],
    "message": ["dinner is ready", "the bus leaves in ten minutes", "please come downstairs", "the cake is done"],
    "search_query": ["Abbey Road", "Clair de lune", "The Crown", "Daft Punk", "whale songs", "Planet Earth", "Nina Simone"],
    "zone": ["work", "school", "home", "the gym"],
    "timer_name": ["pasta", "laundry", "yoga", "tea", "bread", "homework"],
    "timer_command": ["open the garage door", "turn off the heater", "lock the front door", "play the radio"],
    "shopping_list_item": ["oat milk", "eggs", "rye bread", "tomatoes", "soap", "tea bags", "olive oil", "batteries"],
    "todo_list_item": ["water the plants", "call the bank", "renew the passport", "fix the bike", "return the books"],
}
"""What stands in the other open places of a template."""


def write_commands(folder: Path) -> None:
    """`home_commands_en.jsonl`: what is said, the JSON object that a home would need, and the pattern that it was made from."""
    rows = [
        {**_conversation([text, json.dumps(call)]), "pattern": pattern}
        for text, call, pattern in _even_commands(COMMAND_ROWS)
    ]
    random.Random(0).shuffle(rows)
    _write_jsonl(folder / "home_commands_en.jsonl", rows)


def _even_commands(wanted: int) -> Iterator[tuple[str, Row, str]]:
    """One command of each intent in turn, at most two of a pattern, until there are enough."""
    turns = {intent: commands for intent, commands in _commands().items() if len(commands) >= FEWEST_OF_AN_INTENT}
    count = 0
    while turns and count < wanted:
        for intent in list(turns):
            if count < wanted and turns[intent]:
                yield turns[intent].pop(0)
                count += 1
            elif not turns[intent]:
                del turns[intent]


def _commands() -> dict[str, list[tuple[str, Row, str]]]:
    """Of every intent, commands with their calls and patterns; patterns in a random order, the same every time."""
    import home_assistant_intents
    from hassil import Intents

    file = Path(home_assistant_intents.__file__).parent / "data" / "en.json"
    templates = json.loads(file.read_text(encoding="utf-8"))
    intents = Intents.from_dict(templates)
    found: dict[str, list[tuple[str, Row, str]]] = {}
    calls: dict[str, Row] = {}
    for name, intent in sorted(intents.intents.items()):
        patterns = [(block, sentence) for block in intent.data for sentence in block.sentences]
        numbered = list(enumerate(patterns))
        random.Random(name).shuffle(numbered)
        found[name] = []
        for turn in range(MOST_OF_A_PATTERN):
            for number, (block, sentence) in numbered:
                pattern = f"{name.removeprefix('Hass')}-{number}"
                says = _Sayer(intents, block, random.Random(f"{pattern} {turn}"))
                text = " ".join(says.words(sentence.expression).split())
                call = {"intent": name.removeprefix("Hass"), **(block.slots or {}), **says.slots}
                # Words that could mean two calls would have no right answer.
                if calls.setdefault(text.lower(), call) is call:
                    found[name].append((text, call, pattern))
    return found


class _Sayer:
    """Says one sentence of a template at random and notes what its open places mean."""

    def __init__(self, intents: Any, block: Any, draw: random.Random) -> None:
        self.rules = {**intents.expansion_rules, **block.expansion_rules}
        self.lists = {**intents.slot_lists, **(block.slot_lists or {})}
        self.draw = draw
        self.domain = _domain(block)
        self.slots: Row = {}

    def words(self, expression: Any) -> str:
        from hassil import expression as kinds

        match expression:
            case kinds.TextChunk():
                return str(expression.original_text)
            case kinds.Alternative():
                return self.words(self.draw.choice(expression.items))
            case kinds.Permutation():
                return " ".join(self.words(item) for item in self.draw.sample(expression.items, len(expression.items)))
            case kinds.Group():
                return "".join(self.words(item) for item in expression.items)
            case kinds.RuleReference():
                return self.words(self.rules[expression.rule_name].expression)
            case kinds.ListReference():
                return self._filled(expression.list_name, expression.slot_name)
        raise TypeError(f"hassil has a new kind of expression: {expression!r}")

    def _filled(self, name: str, slot: str) -> str:
        from hassil.intents import RangeSlotList

        own = NAMES[self.domain] if name == "name" else FILLINGS.get(name)
        if own is not None:
            said = self.draw.choice(own)
            self.slots[slot] = said
            return said
        values = self.lists[name]
        if isinstance(values, RangeSlotList):
            number = self.draw.randrange(values.start, values.stop + 1, values.step)
            self.slots[slot] = number * (values.multiplier or 1)
            return str(number)
        value = self.draw.choice(values.values)
        self.slots[slot] = value.value_out
        return self.words(value.text_in)


def _domain(block: Any) -> str:
    """What kind of thing a name in this block is."""
    required = block.requires_context.get("domain") or (block.slots or {}).get("domain") or []
    domains = [required] if isinstance(required, str) else list(required)
    return next((domain for domain in domains if domain in NAMES), "other")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
