"""The key of an endpoint: read from the environment when a request is made, and kept out of everything else.

In: environment variables. Out: the value for one header, and a function that takes it out of words that a server said. It is part
of no settings and no file; its `repr` does not show it.

Which key goes where: `SONMAT_JUDGE_KEY` to the judge alone; `SONMAT_OPENAI_KEY` to whatever endpoint is named, none if it is empty;
else `OPENAI_API_KEY`, but to encrypted addresses alone, so that a key of OpenAI's does not go to a server of one's own or, readable by
all on the way, to any other.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final, Literal

from sonmat.core.errors import SettingError
from sonmat.core.text import Text
from sonmat.inference.endpoint.address import Address

JUDGE_VARIABLE: Final = "SONMAT_JUDGE_KEY"
OWN_VARIABLE: Final = "SONMAT_OPENAI_KEY"
COMMON_VARIABLE: Final = "OPENAI_API_KEY"
HIDDEN: Final = "***"
_SURELY_A_KEY: Final = 16
"""Characters from which on a key cannot be a word of an answer by accident."""

Purpose = Literal["arm", "judge"]


@dataclass(frozen=True)
class Key:
    """A key and the variable that it came from; '' for none."""

    value: str = field(repr=False)
    variable: str

    def hidden_in(self, words: str) -> str:
        """`words` of an error without the key."""
        return words.replace(self.value, HIDDEN) if self.value else words

    def hidden_in_answer(self, words: str) -> str:
        """`words` of a model without the key, should a server send it back; a key that may be a word of a language stays."""
        return self.hidden_in(words) if len(self.value) >= _SURELY_A_KEY else words


def key_for(address: Address, purpose: Purpose) -> Key:
    """What the environment holds for this endpoint.

    Raises:
        SettingError: it holds what cannot be a key.
    """
    variables = (JUDGE_VARIABLE, OWN_VARIABLE) if purpose == "judge" else (OWN_VARIABLE,)
    variable = next((name for name in variables if name in os.environ), COMMON_VARIABLE)
    if variable == COMMON_VARIABLE and not address.encrypted:
        return Key("", "")
    value = os.environ.get(variable, "").strip()
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise SettingError(
            Text(
                en=f"What {variable} holds cannot be a key: it has spaces or characters that no key has.",
                ko=f"{variable}의 값은 키가 될 수 없습니다. 빈칸이나 키에 쓰지 않는 글자가 들어 있습니다.",
            ),
            Text(en="Set it again, without quotes or line breaks.", ko="따옴표나 줄바꿈 없이 다시 설정하세요."),
        )
    return Key(value, variable if value else "")


def withheld(address: Address) -> bool:
    """Whether a key of OpenAI's is there and does not go to this address because it would go unencrypted."""
    return OWN_VARIABLE not in os.environ and COMMON_VARIABLE in os.environ and not address.encrypted
