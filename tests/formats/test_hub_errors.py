"""Whatever goes wrong at the hub is said in words, for models and data sets alike."""

from __future__ import annotations

import pytest
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from sonmat.core.errors import DataError, ModelError, ResourceError, UserError
from sonmat.core.text import Text
from sonmat.reading.hub_errors import HUB, Wanted, hub_errors

MODEL = Wanted("some/body", "v2", Text(en="model", ko="모델"), f"{HUB}/some/body", ModelError)
DATA = Wanted("some/rows", None, Text(en="data set", ko="데이터 세트"), f"{HUB}/datasets/some/rows", DataError)


def of_the_hub(kind: type[HfHubHTTPError]) -> HfHubHTTPError:
    error = kind.__new__(kind)
    Exception.__init__(error, "refused")
    error.errno = None
    return error


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (of_the_hub(GatedRepoError), "Accept them at https://huggingface.co/"),
        (of_the_hub(RepositoryNotFoundError), "The hub has no"),
        (of_the_hub(RevisionNotFoundError), "The hub has no"),
        (of_the_hub(HfHubHTTPError), "could not be fetched from the hub"),
        (ConnectionError("reset"), "ConnectionError: reset"),
        (ValueError("odd name"), "ValueError: odd name"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
@pytest.mark.parametrize("wanted", [MODEL, DATA], ids=lambda wanted: wanted.noun.en)
def test_an_error_of_the_hub_names_what_was_wanted(wanted: Wanted, raised: Exception, said: str) -> None:
    with pytest.raises(UserError) as caught, hub_errors(wanted):
        raise raised
    assert type(caught.value) is wanted.error
    assert wanted.id in str(caught.value)
    assert said in str(caught.value)


def test_a_full_disk_is_a_lack_of_room_and_other_errors_pass() -> None:
    with pytest.raises(ResourceError, match="disk ran full"), hub_errors(DATA):
        raise OSError(28, "No space left on device")
    with pytest.raises(DataError, match="mine"), hub_errors(MODEL):
        raise DataError(Text(en="mine", ko="mine"))
