"""What the options of a command line say, as a recipe takes it.

In: the options' values by recipe key, as typed. Out: recipe keys and values, those that were not given left out. Only the
spelling is read here; whether a value makes sense is for the recipe to say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from sonmat.cli.settings import settings_of
from sonmat.core.errors import SettingError
from sonmat.core.text import Text


def as_recipe(typed: dict[str, Any]) -> dict[str, Any]:
    """The keys that were given, with their values.

    Raises:
        SettingError: a value is not spelt as its option asks for, or two options contradict one another.
    """
    # 0 is a seed, and a number of folds.
    found = {name: value for name, value in typed.items() if value is not None and value is not False and value != []}
    if typed.get("curve") is not None:
        # Of this one, no is an answer.
        found["curve"] = typed["curve"]
    for name in ("slices", "method", "skip", "probes"):
        if name in found:
            found[name] = names_of(found[name])
    if "map" in found:
        found["map"] = _columns_of(found["map"])
    if "shares" in found:
        found["shares"] = _shares_of(found["shares"])
    if "settings" in found:
        found["settings"] = settings_of(found["settings"])
    for name in ("accept_licence", "documents", "arm"):
        if name in found:
            found[name] = tuple(found[name])
    if "guards" in found:
        found["guards"] = numbers_of(found["guards"], "--guard", "speed.p95=0.5")
    if "token_prices" in found:
        found["token_prices"] = _token_prices_of(found["token_prices"])
    if "cost" in found:
        found["cost"] = numbers_of(found["cost"], "--cost", "spam=20")
    if "expect" in found:
        found["expect"] = _rules_of(found["expect"])
    if found.pop("redact", False) and found.setdefault("personal_data", "redact") != "redact":
        raise _two_wishes(found["personal_data"])
    return found


def names_of(listed: str) -> tuple[str, ...]:
    """Names that are written with commas between them."""
    return tuple(part.strip() for part in listed.split(",") if part.strip())


def _columns_of(assignments: Sequence[str]) -> dict[str, str]:
    """`["instruction=질문"]` as `{"instruction": "질문"}`."""
    found = {}
    for assignment in assignments:
        name, equals, column = (part.strip() for part in assignment.partition("="))
        if not (equals and name and column):
            raise SettingError(
                Text(en=f"--map {assignment} cannot be read.", ko=f"--map {assignment}을(를) 읽을 수 없습니다."),
                Text(
                    en="Write NAME=COLUMN, for example --map instruction=question.",
                    ko="이름=열로 쓰세요. 예: --map instruction=질문.",
                ),
            )
        found[name] = column
    return found


def numbers_of(assignments: Sequence[str], option: str, example: str) -> dict[str, float]:
    """`["speed.p95=0.5"]` as `{"speed.p95": 0.5}`.

    Raises:
        SettingError: one of them is not NAME=NUMBER; `option` and `example` say what was meant.
    """
    found = {}
    for assignment in assignments:
        name, _, number = (part.strip() for part in assignment.rpartition("="))
        try:
            found[name] = float(number)
        except ValueError:
            found[name] = math.nan
        if not name or not math.isfinite(found[name]):
            raise SettingError(
                Text(en=f"{option} {assignment} cannot be read.", ko=f"{option} {assignment}을(를) 읽을 수 없습니다."),
                Text(
                    en=f"Write NAME=NUMBER, for example {option} {example}.",
                    ko=f"이름=수로 쓰세요. 예: {option} {example}.",
                ),
            )
    return found


def _token_prices_of(assignments: Sequence[str]) -> dict[str, dict[str, float]]:
    """`["gpt-4.1-mini=0.4/1.6"]` as `{"gpt-4.1-mini": {"input": 0.4, "output": 1.6}}`."""
    found = {}
    for assignment in assignments:
        model, _, prices = (part.strip() for part in assignment.rpartition("="))
        try:
            numbers = [float(part) for part in prices.split("/")]
        except ValueError:
            numbers = []
        if not model or len(numbers) != 2 or not all(math.isfinite(number) and number >= 0 for number in numbers):
            raise SettingError(
                Text(
                    en=f"--token-price {assignment} cannot be read.",
                    ko=f"--token-price {assignment}을(를) 읽을 수 없습니다.",
                ),
                Text(
                    en="Write MODEL=INPUT/OUTPUT, for example --token-price gpt-4.1-mini=0.4/1.6.",
                    ko="모델=입력/출력으로 쓰세요. 예: --token-price gpt-4.1-mini=0.4/1.6.",
                ),
            )
        found[model] = {"input": numbers[0], "output": numbers[1]}
    return found


def _rules_of(assignments: Sequence[str]) -> dict[str, Any]:
    """`["longest=300"]` as `{"longest": 300}`; values are read as YAML does."""
    import yaml

    found: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        try:
            found[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            equals = ""
        if not (equals and name.strip()):
            raise SettingError(
                Text(en=f"--expect {assignment} cannot be read.", ko=f"--expect {assignment}을(를) 읽을 수 없습니다."),
                Text(
                    en="Write RULE=VALUE, for example --expect longest=300.",
                    ko="규칙=값으로 쓰세요. 예: --expect longest=300.",
                ),
            )
    return found


def _shares_of(typed: str) -> tuple[float, ...]:
    """'70/15/15' or '0.7,0.15,0.15' as shares of 1."""
    try:
        numbers = [float(part) for part in re.split(r"[/,:]", typed)]
    except ValueError:
        numbers = []
    if len(numbers) != 3:
        raise SettingError(
            Text(en=f"--shares {typed} cannot be read.", ko=f"--shares {typed}을(를) 읽을 수 없습니다."),
            Text(
                en="Write three numbers: to train, to validate and to test, for example --shares 70/15/15.",
                ko="학습/검증/테스트 비율을 세 수로 쓰세요. 예: --shares 70/15/15.",
            ),
        )
    whole = 100 if sum(numbers) > 1.5 else 1
    return tuple(round(number / whole, 6) for number in numbers)


def _two_wishes(personal_data: str) -> SettingError:
    return SettingError(
        Text(
            en=f"--redact and --personal-data {personal_data} contradict each other.",
            ko=f"--redact와 --personal-data {personal_data}은(는) 함께 쓸 수 없습니다.",
        ),
        Text(en="Leave one of them out.", ko="둘 중 하나만 쓰세요."),
    )
