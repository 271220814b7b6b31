"""What is wrong with a value, in words of both languages, from what pydantic says of it.

In: one fault of a `ValidationError`. Out: a `Text` to stand behind the name of the field. Validators that have a sentence of their own
raise `Misfit`. Kinds of faults that are not listed here keep pydantic's English words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sonmat.core.text import Text, verbatim

_OWN_WORDS: Final = "Value error, "
_KOREAN: Final = {
    "missing": "값이 없습니다",
    "extra_forbidden": "없는 항목입니다",
    "greater_than": "{gt}보다 커야 합니다",
    "greater_than_equal": "{ge} 이상이어야 합니다",
    "less_than": "{lt}보다 작아야 합니다",
    "less_than_equal": "{le} 이하여야 합니다",
    "multiple_of": "{multiple_of}의 배수여야 합니다",
    "finite_number": "유한한 수여야 합니다",
    "int_parsing": "정수여야 합니다",
    "int_type": "정수여야 합니다",
    "int_from_float": "정수여야 합니다",
    "float_parsing": "수여야 합니다",
    "float_type": "수여야 합니다",
    "bool_parsing": "true나 false여야 합니다",
    "bool_type": "true나 false여야 합니다",
    "string_type": "글이어야 합니다",
    "string_too_short": "{min_length}자 이상이어야 합니다",
    "string_too_long": "{max_length}자 이하여야 합니다",
    "string_pattern_mismatch": "정해진 꼴({pattern})이 아닙니다",
    "literal_error": "다음 가운데 하나여야 합니다: {expected}",
    "enum": "다음 가운데 하나여야 합니다: {expected}",
    "list_type": "목록이어야 합니다",
    "tuple_type": "목록이어야 합니다",
    "dict_type": "이름과 값의 짝이어야 합니다",
    "model_type": "이름과 값의 짝이어야 합니다",
    "too_short": "{min_length}개 이상이어야 하는데 {actual_length}개입니다",
    "too_long": "{max_length}개 이하여야 하는데 {actual_length}개입니다",
}


class Misfit(ValueError):
    """A value that a validator refuses, with what is wrong in both languages; begins with a small letter and has no full stop."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def fault_words(fault: Mapping[str, Any]) -> Text:
    """What one entry of `ValidationError.errors()` says is wrong, without the name of the field."""
    facts = fault.get("ctx", {})
    own = facts.get("error")
    if isinstance(own, Misfit):
        return own.text
    english = str(fault["msg"]).removeprefix(_OWN_WORDS)
    korean = _KOREAN.get(fault["type"])
    if korean is None:
        return verbatim(english)
    # pydantic lists choices as 'a', 'b' or 'c'.
    said = {name: str(value).replace(" or ", ", ") if name == "expected" else value for name, value in facts.items()}
    return Text(en=english, ko=korean.format_map(said))
