"""What can go wrong when something is fetched from the Hugging Face hub, in words; for models and data sets alike.

In: what was wanted, and a block that fetches it. Out: the block's errors as errors of Sonmat.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sonmat.core.errors import ResourceError, UserError
from sonmat.core.text import Text

HUB = "https://huggingface.co"


@dataclass(frozen=True)
class Wanted:
    """A repository of the hub."""

    id: str
    revision: str | None
    noun: Text
    """What it is: a model, a data set."""
    page: str
    """Where people read about it and accept its terms."""
    error: type[UserError]
    """What its errors are."""

    @property
    def whole(self) -> str:
        return f"{self.id}@{self.revision}" if self.revision else self.id


@contextmanager
def hub_errors(wanted: Wanted) -> Iterator[None]:
    """Say what is wrong with the name, the terms, the disk or the connection.

    Raises:
        UserError: of the kind `wanted.error`.
        ResourceError: the disk ran full.
    """
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        yield
    except GatedRepoError as error:
        raise _gated(wanted) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise _unknown(wanted) from error
    except OSError as error:
        raise (_disk_full(wanted) if error.errno == errno.ENOSPC else _failed(wanted, error)) from error
    except (HfHubHTTPError, ValueError) as error:
        raise _failed(wanted, error) from error


def _gated(wanted: Wanted) -> UserError:
    return wanted.error(
        Text(
            en=f"{wanted.id} is only given to people who accepted its terms on the hub.",
            ko=f"{wanted.id}은(는) 허브에서 약관에 동의한 사람만 받을 수 있습니다.",
        ),
        Text(
            en=f"Accept them at {wanted.page}, then sign in: hf auth login.",
            ko=f"{wanted.page} 에서 동의한 뒤 로그인하세요: hf auth login.",
        ),
    )


def _unknown(wanted: Wanted) -> UserError:
    noun = wanted.noun
    return wanted.error(
        Text(en=f"The hub has no {noun.en} {wanted.whole}.", ko=f"허브에 {wanted.whole} {noun.ko}이(가) 없습니다."),
        Text(
            en=f"Check the spelling; a private {noun.en} needs a token: hf auth login.",
            ko="철자를 확인하세요. 비공개라면 토큰이 필요합니다: hf auth login.",
        ),
    )


def _disk_full(wanted: Wanted) -> ResourceError:
    return ResourceError(
        Text(
            en=f"The disk ran full while fetching {wanted.id}.", ko=f"{wanted.id}을(를) 받는 중에 디스크가 가득 찼습니다."
        ),
        Text(en="Free some space or set HF_HOME to another disk.", ko="공간을 비우거나 HF_HOME을 다른 디스크로 정하세요."),
    )


def _failed(wanted: Wanted, error: Exception) -> UserError:
    detail = f"{type(error).__name__}: {error}".splitlines()[0]
    return wanted.error(
        Text(
            en=f"{wanted.whole} could not be fetched from the hub: {detail}.",
            ko=f"허브에서 {wanted.whole}을(를) 받지 못했습니다: {detail}.",
        ),
        Text(en="Try again: what is already fetched is kept.", ko="다시 시도하세요. 이미 받은 것은 그대로 둡니다."),
    )
