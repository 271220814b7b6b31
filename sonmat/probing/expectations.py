"""What every written answer must keep: the recipe's `expect`, validated, and which of its rules an answer breaks.

In: the recipe's mapping. Out: `Expectations`, whose `rules` are asked one by one. Lengths are in characters, white space at the ends
aside; texts are compared in Unicode's composed form and case counts. A JSON answer is JSON as a whole: words around it or a
code fence break it, because a program that reads it would break, too. Nothing is fetched: a schema stands by itself.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from sonmat.core.errors import SettingError, unknown_name
from sonmat.core.faults import fault_words
from sonmat.core.text import Text
from sonmat.reading.language import language_of

Tongue = Literal["ko", "en", "ja", "zh"]
Rule = Callable[[str], bool]

_Several = Annotated[tuple[str, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)]
_SCRIPT: Final = {"en": "latin"}
_KIND: Final = Text(en="rule of 'expect'", ko="expect 규칙")


class Expectations(BaseModel):
    """Rules that the user sets for every answer; none where nothing is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    json_schema: dict[str, Any] | None = None
    """The whole answer is JSON that this schema accepts."""
    regex: str | None = None
    """Found somewhere in the answer; ^ and $ bind it to the ends, a dot takes line ends, too."""
    longest: int | None = Field(None, ge=1)
    """Characters."""
    shortest: int | None = Field(None, ge=0)
    contains: _Several = ()
    """Each stands in the answer."""
    excludes: _Several = ()
    """None stands in the answer."""
    language: Tongue | None = None
    """As far as the script tells; an answer too short to tell keeps it."""

    @field_validator("json_schema")
    @classmethod
    def _is_a_schema(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        if schema is not None:
            _check_schema(schema)
        return schema

    @field_validator("regex")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern, re.DOTALL)
            except re.error as error:
                raise ValueError(f"no regular expression: {error}") from error
        return pattern

    @field_validator("contains", "excludes")
    @classmethod
    def _are_texts(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(texts):
            raise ValueError("an empty text stands in every answer")
        return texts

    def rules(self) -> dict[str, Rule]:
        """Each rule that is set, by its key."""
        return dict(self._rules())

    def _rules(self) -> Iterator[tuple[str, Rule]]:
        if self.json_schema is not None:
            yield "json_schema", _schema_rule(self.json_schema)
        if self.regex is not None:
            pattern = re.compile(self.regex, re.DOTALL)
            yield "regex", lambda answer: pattern.search(answer) is not None
        longest, shortest, language = self.longest, self.shortest, self.language
        if longest is not None:
            yield "longest", lambda answer: len(answer.strip()) <= longest
        if shortest is not None:
            yield "shortest", lambda answer: len(answer.strip()) >= shortest
        if self.contains:
            wanted = [_composed(text) for text in self.contains]
            yield "contains", lambda answer: all(text in _composed(answer) for text in wanted)
        if self.excludes:
            unwanted = [_composed(text) for text in self.excludes]
            yield "excludes", lambda answer: not any(text in _composed(answer) for text in unwanted)
        if language is not None:
            yield "language", lambda answer: language_of(answer) in (None, _SCRIPT.get(language, language))


def read_expectations(expect: Mapping[str, Any]) -> Expectations:
    """The rules of a recipe's `expect`, checked.

    Raises:
        SettingError: an unknown key, with the nearest one proposed; a value that does not fit; a schema or pattern that is none;
            rules that no answer can keep.
    """
    for key in expect:
        if key not in Expectations.model_fields:
            raise unknown_name(_KIND, str(key), Expectations.model_fields)
    try:
        rules = Expectations.model_validate(dict(expect))
    except ValidationError as error:
        faults = [(".".join(map(str, fault["loc"])), fault_words(fault)) for fault in error.errors()]
        english = "; ".join(f"expect.{name}: {words.en}" for name, words in faults)
        korean = "; ".join(f"expect.{name}: {words.ko}" for name, words in faults)
        raise SettingError(
            Text(en=f"The recipe's expect cannot be used: {english}.", ko=f"레시피의 expect를 쓸 수 없습니다: {korean}."),
            Text(
                en="json_schema takes a JSON schema, regex a pattern, longest and shortest numbers of characters, contains and "
                "excludes "
                f"texts, language one of {', '.join(get_args(Tongue))}.",
                ko="json_schema에는 JSON 스키마, regex에는 정규식, longest와 shortest에는 글자 수, contains와 excludes에는 글, "
                f"language에는 {', '.join(get_args(Tongue))} 가운데 하나를 쓰세요.",
            ),
        ) from error
    _can_be_kept(rules)
    return rules


def as_json(answer: str) -> Any:
    """The whole answer read as JSON.

    Raises:
        ValueError: it is none.
    """
    return json.loads(answer, parse_constant=_no_number)


def _check_schema(schema: Mapping[str, Any]) -> None:
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for

    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path))
        raise ValueError(f"no JSON schema{f' at {where}' if where else ''}: {error.message}") from error
    for reference in _references(schema):
        if not reference.startswith("#"):
            raise ValueError(f"$ref '{reference}' leads out of the schema; nothing is fetched, put it under $defs")
        _check_reference(schema, reference)


def _check_reference(schema: Mapping[str, Any], reference: str) -> None:
    from referencing import Registry, Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    whole: Resource[Any] = Resource.from_contents(dict(schema), default_specification=DRAFT202012)
    place = whole.id() or ""
    registry: Registry[Any] = Registry().with_resource(place, whole)
    try:
        registry.resolver(place).lookup(reference)
    except Unresolvable as error:
        raise ValueError(f"$ref '{reference}' leads nowhere") from error


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from _references(value)


def _schema_rule(schema: dict[str, Any]) -> Rule:
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    # Without a registry of its own, the validator would fetch what a schema points to.
    validator = validator_for(schema, default=Draft202012Validator)(schema, registry=Registry())

    def keeps(answer: str) -> bool:
        try:
            return bool(validator.is_valid(as_json(answer)))
        except (ValueError, RecursionError):
            return False

    return keeps


def _can_be_kept(rules: Expectations) -> None:
    clash = None
    if rules.longest is not None and rules.shortest is not None and rules.shortest > rules.longest:
        clash = f"shortest {rules.shortest} > longest {rules.longest}"
    for text in rules.contains:
        if any(_composed(other) in _composed(text) for other in rules.excludes):
            clash = f"contains and excludes '{text}'"
    if clash:
        raise SettingError(
            Text(
                en=f"No answer can keep the recipe's expect: {clash}.",
                ko=f"레시피의 expect를 모두 지키는 답은 있을 수 없습니다: {clash}.",
            ),
            Text(en="Change one of the two.", ko="둘 가운데 하나를 고치세요."),
        )


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
