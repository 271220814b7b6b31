"""`sonmat blind`: two arms' answers side by side, not told whose is whose; a person says by one key which is better.

In: a proven run, and keys. Out: votes in the run folder, each written as it is cast, so that nothing is lost by Ctrl-C or a kill; when
all are judged, the outcome and the names of the arms. Personal data is masked on the screen, as it is in the report.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sonmat.cli.options import AsJson, RunName, words
from sonmat.core.errors import SettingError
from sonmat.core.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from sonmat.blinding import BlindComparison
    from sonmat.core.proof import Preference
    from sonmat.core.values import Json
    from sonmat.probing.blind_pairs import Pair
    from sonmat.runs.votes import Choice

HELP = Text(
    en="Judge two arms' answers blindly. Side by side, not told whose is whose, one key a pair; can be stopped and continued.\n\n"
    "The arms are revealed when all pairs are judged, with the share that prefers one, its interval and an exact test.",
    ko="두 후보의 답을 눈가림으로 비교합니다. 어느 쪽 것인지 모른 채 나란히 보고 키 하나로 고르며, 멈췄다가 이어서 할 수 있습니다.\n\n"
    "모두 판정하면 후보를 밝히고, 선호도와 그 구간, 정확 검정의 결과를 보여 줍니다.",
)
ReadKey = Callable[[], str]
"""Waits for one key; raises `KeyboardInterrupt` on Ctrl-C and `EOFError` on Ctrl-D."""

_CHOICES: Final[dict[str, Choice]] = {
    "l": "left", "r": "right", "g": "both_good", "x": "both_bad", "s": "skip", "\x1b[D": "left", "\x1b[C": "right",
}  # fmt: skip
_BACK, _QUIT = "b", "q"
_HANGUL_KEYS: Final = dict(zip("ㅣㄱㅎㅌㄴㅠㅂ", "lrgxsbq", strict=True))
"""What the same keys type while the keyboard is set to Korean."""
_LONGEST_TEXT: Final = 6000
_TWO_COLUMNS: Final = 72
"""Cells of a screen from which on two answers stand side by side."""


def blind(
    run: RunName,
    arms: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help=words(
                "The two arms. (default: the one in use and its untuned base, or the runner-up)",
                "비교할 두 후보. (기본값: 쓰기로 한 후보와 그 기본 모델, 없으면 차점 후보)",
            ),
        ),
    ] = None,
    items: Annotated[
        int | None,
        typer.Option(metavar="N", help=words("Pairs to judge. (default: 50)", "판정할 문항 수. (기본값: 50)")),
    ] = None,
    who: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            show_default=False,
            help=words(
                "A nickname to keep votes under, where several people judge.", "여럿이 판정할 때 표에 적어 둘 별명."
            ),
        ),
    ] = "",
    reveal: Annotated[
        bool,
        typer.Option("--reveal", help=words("Show the outcome of the votes so far.", "지금까지 모은 표의 결과를 봅니다.")),
    ] = False,
    as_json: AsJson = False,
) -> None:
    from sonmat import api
    from sonmat.cli.console import console, print_json

    named = [part.strip() for part in arms.split(",") if part.strip()] if arms is not None else None
    asks = not (reveal or as_json)
    if asks and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise _needs_a_terminal()
    comparison = api.open_run(run).blind(named, items, who)
    if as_json:
        print_json({"run": comparison.folder.name, "preference": comparison.reveal()})
        return
    screen = console()
    if not asks or judge(comparison, screen, typer.getchar):
        print_preference(screen, comparison.reveal())


def judge(comparison: BlindComparison, screen: Console, read_key: ReadKey) -> bool:
    """Ask about every pair that the person has not judged; whether all are judged now."""
    from sonmat.cli.console import show

    pairs, chosen = comparison.pairs, comparison.choices
    for line in _opening(comparison, len(chosen)):
        show(screen, str(line), "dim")
    at = _next(pairs, chosen, 0)
    while at < len(pairs):
        _show(screen, pairs[at], at + 1, len(pairs))
        try:
            key = _asked(screen, read_key)
        except EOFError:
            key = _QUIT
        if key == _QUIT:
            break
        if key == _BACK:
            at = max(0, at - 1)
            continue
        comparison.vote(pairs[at], _CHOICES[key])
        chosen[pairs[at].row] = _CHOICES[key]
        at = _next(pairs, chosen, at + 1)
    if len(chosen) == len(pairs):
        return True
    show(screen, str(_stopped(len(chosen), len(pairs))))
    return False


def print_preference(screen: Console, found: Preference) -> None:
    """The outcome as the sentence, and what stands behind it."""
    from sonmat.cli.console import indented, show

    show(screen, str(found.sentence), "bold")
    for detail in found.details:
        show(screen, indented(f"· {detail}"))


def _next(pairs: tuple[Pair, ...], chosen: dict[str, Choice], start: int) -> int:
    """The first pair from `start` on, then from the beginning, that is not judged yet; behind the last one if there is none."""
    order = [*range(start, len(pairs)), *range(start)]
    return next((at for at in order if pairs[at].row not in chosen), len(pairs))


def _opening(comparison: BlindComparison, judged: int) -> Iterator[Text]:
    found, asked = comparison.all, len(comparison.pairs)
    yield Text(
        en=f"{found.items} test items, {len(found.differing)} of them with two different answers; {asked} are to be judged, "
        f"{judged} of them are. The {found.identical} with one answer from both count as ties.",
        ko=f"테스트 문항 {found.items}개 가운데 두 답이 다른 것은 {len(found.differing)}개입니다. {asked}개를 판정하며 {judged}개는 "
        f"끝났습니다. 답이 같은 {found.identical}개는 무승부로 셉니다.",
    )
    if asked:
        yield comparison.expectation


def _show(screen: Console, pair: Pair, number: int, of: int) -> None:
    from rich import box
    from rich.rule import Rule
    from rich.table import Table

    screen.print(Rule(f"{number}/{of}", style="dim"))
    for line in _input_lines(pair.input):
        screen.print(line)
    left, right = (_output_text(pair.outputs[arm]) for arm in (pair.left, pair.right))
    titles = words("Left", "왼쪽"), words("Right", "오른쪽")
    if screen.width >= _TWO_COLUMNS:
        table = Table(box=box.SQUARE, expand=True)
        for title in titles:
            table.add_column(title, ratio=1, overflow="fold")
        table.add_row(left, right)
        screen.print(table)
    else:
        for title, text in zip(titles, (left, right), strict=True):
            screen.print(f"\n[{title}]", style="bold")
            screen.print(text)


def _asked(screen: Console, read_key: ReadKey) -> str:
    """The first key that means something."""
    screen.print(
        words(
            "l left · r right · g both good · x both bad · s skip · b back · q quit",
            "l 왼쪽 · r 오른쪽 · g 둘 다 좋음 · x 둘 다 나쁨 · s 건너뜀 · b 뒤로 · q 끝",
        ),
        style="bold",
    )
    while True:
        key = read_key()
        key = key if key in _CHOICES else _HANGUL_KEYS.get(key, key.casefold())
        if key in _CHOICES or key in (_BACK, _QUIT):
            return key


def _input_lines(input: Json) -> Iterator[str]:
    """The question, personal data masked; of a conversation every turn."""
    if "messages" in input:
        yield from (f"{_speaker(turn.get('role', ''))}: {_shown(turn.get('content', ''))}" for turn in input["messages"])
        return
    for name, value in input.items():
        yield f"{name}: {_shown(value)}"


def _speaker(role: str) -> str:
    from sonmat.steps.report import labels

    known = {"user": labels.ROLE_USER, "assistant": labels.ROLE_ASSISTANT, "system": labels.ROLE_SYSTEM}
    return str(known.get(role, role))


def _output_text(output: Json) -> str:
    from sonmat.probing.blind_pairs import ANSWERS

    return _shown(next((output[name] for name in ANSWERS if output.get(name) is not None), ""))


def _shown(value: Any) -> str:
    from sonmat.reading.personal import masked
    from sonmat.steps.report.quoting import printable, shortened

    text = printable(masked(str(value)))
    cut = shortened(text, _LONGEST_TEXT)
    return cut if cut == text else f"{cut} {words('(cut)', '(줄임)')}"


def _stopped(judged: int, of: int) -> Text:
    return Text(
        en=f"{judged} of {of} judged; the same command goes on with the others. The arms stay hidden until all are judged, "
        "or --reveal asks for them.",
        ko=f"{of}문항 가운데 {judged}문항을 판정했습니다. 같은 명령으로 이어서 할 수 있습니다. 모두 판정하거나 --reveal을 쓰기 전에는 "
        "후보를 밝히지 않습니다.",
    )


def _needs_a_terminal() -> SettingError:
    return SettingError(
        Text(
            en="Judging pairs takes a person at a terminal: keys cannot be read from a pipe.",
            ko="판정은 터미널에서 사람이 해야 합니다. 파이프로는 키를 받을 수 없습니다.",
        ),
        Text(
            en="Run it in a terminal; --json or --reveal shows the outcome of the votes so far anywhere.",
            ko="터미널에서 실행하세요. 지금까지의 결과는 --json이나 --reveal로 어디서나 볼 수 있습니다.",
        ),
    )
