"""Numbers as people read them, in both languages."""

from __future__ import annotations

import pytest

from sonmat.core.proof import Comparison
from sonmat.core.text import Language, Text, verbatim
from sonmat.steps.report.contents import Measure
from sonmat.steps.report.phrasing import Phrasing

SHARE = Measure(name="accuracy", title=verbatim("accuracy"), percent=True)
PLAIN = Measure(name="nll", title=verbatim("nll"), higher_is_better=False)
ENGLISH, KOREAN = Phrasing("en"), Phrasing("ko")


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (0, "0 ms", "0 ms"),
        (0.000021, "21 µs", "21 µs"),
        (0.0123, "12.3 ms", "12.3 ms"),
        (2.25, "2.25 s", "2.25초"),
        (59.4, "59.4 s", "59.4초"),
        (60, "1 min", "1분"),
        (128.4, "2 min 8 s", "2분 8초"),
        (3599.6, "1 h", "1시간"),
        (7_890, "2 h 12 min", "2시간 12분"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, english: str, korean: str) -> None:
    assert plain(ENGLISH.duration(seconds)) == english
    assert plain(KOREAN.duration(seconds)) == korean


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (812_000_000, "812 MB"), (1_130_000_000, "1.13 GB")]
)
def test_a_size_is_in_decimal_units(size: int, told: str) -> None:
    assert plain(ENGLISH.size(size)) == told


@pytest.mark.parametrize(
    ("value", "told"), [(0, "0"), (-1.5, "\u22121.5"), (1234.5, "1,234"), (0.00012, "1.2e\u221204"), (1.8449, "1.84")]
)
def test_a_plain_number_has_three_digits_and_a_true_minus(value: float, told: str) -> None:
    assert ENGLISH.number(value) == told


@pytest.mark.parametrize("nothing", [0.0, -0.0, 0.0004, -0.0004])
def test_what_rounds_to_no_difference_has_no_sign(nothing: float) -> None:
    assert plain(ENGLISH.difference(nothing, SHARE)) == "0.0 points"


@pytest.mark.parametrize(("language", "share", "difference"), [("en", "94.1 %", "+5.3 points"), ("ko", "94.1%", "+5.3%p")])
def test_a_share_is_per_cent_and_its_difference_points(language: Language, share: str, difference: str) -> None:
    phrasing = Phrasing(language)
    assert plain(phrasing.amount(0.941, SHARE)) == share
    assert plain(phrasing.difference(0.053, SHARE)) == difference
    assert phrasing.amount(1.25, PLAIN) == "1.25"
    assert phrasing.difference(-0.25, PLAIN) == "\u22120.25"


def test_a_p_value_is_the_adjusted_one_where_there_is_one() -> None:
    compared = Comparison(a="a", b="b", metric="accuracy", difference=0.1, low=0.05, high=0.15, p_value=0.004, better="a")
    assert plain(ENGLISH.p_value(compared)) == "p = 0.004"
    assert plain(ENGLISH.p_value(compared.model_copy(update={"adjusted_p_value": 0.024}))) == "p = 0.024"
    assert plain(ENGLISH.p_value(compared.model_copy(update={"p_value": 1e-9}))) == "p < 0.001"
    assert ENGLISH.p_value(compared.model_copy(update={"p_value": None})) == ""
    assert plain(ENGLISH.difference_interval(compared, SHARE)) == "+5.0 … +15.0 points"


@pytest.mark.parametrize(
    ("planned", "actual", "told"), [(100, 135, "+35%"), (100, 60, "\u221240%"), (1, 30, "×30"), (0, 3, "")]
)
def test_an_estimate_is_set_against_what_came_of_it(planned: float, actual: float, told: str) -> None:
    assert KOREAN.change(planned, actual) == told


def test_a_date_and_a_count_of_parameters() -> None:
    assert (ENGLISH.date("2025-10-09"), KOREAN.date("2025-10-09")) == ("9 October 2025", "2025년 10월 9일")
    assert [ENGLISH.parameters(count) for count in (950, 12_700_000, 1_500_000_000)] == ["950", "12.7M", "1.5B"]


def test_a_name_alone_begins_with_a_capital_unless_its_case_means_something() -> None:
    assert ENGLISH.capital(Text(en="full fine-tuning", ko="전체 미세조정")) == "Full fine-tuning"
    assert ENGLISH.capital(verbatim("chrF")) == "chrF"


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")
