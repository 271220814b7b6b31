"""Arms that another machine answers for: `openai:URL:MODEL` among the recipe's arms becomes a candidate.

In: names, the task, the test rows. Out: candidates that say how much of the test set would be sent where. They are asked in the same
words and with the same longest answer as the bases of this machine. Nothing is sent here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic import ValidationError

from sonmat import plugins
from sonmat.core.errors import SettingError
from sonmat.core.faults import fault_words
from sonmat.core.protocols import Task, Workload
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Candidate, Device, Example, Json, Spec
from sonmat.inference.endpoint.address import Address, is_endpoint, read_address
from sonmat.prompting.endpoint import characters_of, plain_messages
from sonmat.prompting.prompt import Prompt, messages_of
from sonmat.runs import sha256_of

METHOD: Final = "openai"
"""The method of such arms; no plan chooses it by itself."""
_SAID_BY_ARM: Final = ("url", "model")


def with_endpoints(
    candidates: Sequence[Candidate], task: Task, spec: Spec, recipe: Recipe, test: Sequence[Example]
) -> tuple[Candidate, ...]:
    """`candidates` and behind them those endpoints that the recipe names and that are not among them.

    Args:
        spec: of the task, where no candidate has a base.
    Raises:
        SettingError: an address is written wrong, a setting of `openai` does not exist, or its task cannot be asked in words.
    """
    found = list(candidates)
    for name in filter(is_endpoint, recipe.arm):
        address = read_address(name)
        if not any(_is_at(each, address) for each in found):
            found.append(_candidate(address, task, _spec(candidates, spec), recipe, test, {each.id for each in found}))
    return tuple(found)


def _is_at(candidate: Candidate, address: Address) -> bool:
    known = candidate.settings
    return candidate.method == METHOD and (known["url"], known["model"]) == (address.url, address.model)


def _spec(candidates: Sequence[Candidate], spec: Spec) -> Spec:
    """What the bases of this machine are asked with, without what only they want before a text."""
    own = next((each.spec for each in candidates if each.base is not None), spec)
    return own.model_copy(update={"text_prefix": ""})


def _candidate(
    address: Address, task: Task, spec: Spec, recipe: Recipe, test: Sequence[Example], taken: Iterable[str]
) -> Candidate:
    messages = [messages_of(Prompt(), task, row.input, (), spec) for row in test] if task.modality == "text" else []
    if not messages or not messages[0]:
        raise _no_words(task)
    bodies: list[Json] = [
        {"messages": plain_messages(each), **({"tools": row.input["tools"]} if row.input.get("tools") else {})}
        for each, row in zip(messages, test, strict=True)
    ]
    method, user = plugins.find("methods", METHOD), recipe.settings.get(METHOD, {})
    settings = _settings(address, user)
    return Candidate(
        id=_id(address, set(taken)),
        method=METHOD,
        role="base",
        spec=spec,
        settings=settings,
        origins={name: "user" if name in (*user, *_SAID_BY_ARM) else "default" for name in settings},
        learns=False,
        elsewhere=True,
        reason=_reason(address, len(test), sum(map(characters_of, bodies))),
        estimate=method.estimate(method.Settings.model_validate(settings), _workload(len(test))),
    )


def _settings(address: Address, user: dict[str, Any]) -> Json:
    method = plugins.find("methods", METHOD)
    said_twice = [name for name in _SAID_BY_ARM if name in user]
    try:
        if not said_twice:
            return method.Settings.model_validate({**user, "url": address.url, "model": address.model}).model_dump(
                mode="json"
            )
        faults = [verbatim(f"{said_twice[0]}: --arm openai:URL:MODEL")]
    except ValidationError as error:
        faults = [_problem(dict(fault)) for fault in error.errors()]
    known = ", ".join(name for name in method.Settings.model_fields if name not in _SAID_BY_ARM)
    raise SettingError(
        Text(
            en=f"Settings of {METHOD}: {'; '.join(fault.en for fault in faults)}.",
            ko=f"{METHOD}의 설정: {'; '.join(fault.ko for fault in faults)}.",
        ),
        Text(en=f"Known: {known}.", ko=f"가능한 값: {known}."),
    )


def _problem(fault: dict[str, Any]) -> Text:
    name, words = ".".join(map(str, fault["loc"])), fault_words(fault)
    return Text(en=f"{name}: {words.en}", ko=f"{name}: {words.ko}")


def _id(address: Address, taken: set[str]) -> str:
    """`openai-MODEL`; with a piece of the address's fingerprint where another arm is called so."""
    plain = f"{METHOD}-{re.sub(r'[^A-Za-z0-9_]+', '-', address.model).strip('-')[:60] or 'model'}"
    return plain if plain not in taken else f"{plain}-{sha256_of(address.url, address.model)[:6]}"


def _reason(address: Address, rows: int, characters: int) -> Text:
    return Text(
        en=f"you named it: all {rows:,} test questions, {characters:,} characters, will be sent to {address.url}",
        ko=f"직접 지정했습니다. 테스트 문항 {rows:,}개({characters:,}자)를 {address.url}에 보냅니다",
    )


def _workload(rows: int) -> Workload:
    return Workload(
        base=None,
        device=Device(),
        train_rows=1,
        validation_rows=0,
        test_rows=rows,
        mean_tokens=0.0,
        longest_tokens=0,
        mean_target_tokens=0.0,
    )


def _no_words(task: Task) -> SettingError:
    return SettingError(
        Text(
            en=f"An endpoint is asked in words, and {task.title.en} cannot be put into any.",
            ko=f"외부 모델에는 글로 묻는데, {task.title.ko} 과제는 글로 옮길 수 없습니다.",
        ),
        Text(en="Leave --arm openai:… out.", ko="--arm openai:…을(를) 빼세요."),
    )
