"""Every check fires on its planted fault and is silent on clean data; the ledger accounts for every row."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sonmat import plugins
from sonmat.checking.row_faults import Fault, Faults, RowFaults
from sonmat.conformance import findings_of
from sonmat.core.errors import DataError, PluginError
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Audit, Finding, Repair
from sonmat.core.watching import Check, Rows, Surroundings, Watch
from sonmat.pipeline import fingerprints_of
from sonmat.reading.images import image_problem
from sonmat.reading.sameness import evened, label_key, same_hash
from tests.data.made import SLOW, Job, job, picture_job, pictures, table
from tests.whole.small_world import make_base


def findings(made: Job, check: str) -> list[Finding]:
    """What a check found, whether or not the audit stopped."""
    made.recipe = made.recipe.model_copy(update={"skip": tuple(name for name in SLOW if name != check)})
    with contextlib.suppress(DataError):
        made.audit()
    return [finding for finding in made.folder.audit().findings if finding.check == check]


def stopped(made: Job) -> DataError:
    with pytest.raises(DataError) as caught:
        made.audit()
    assert caught.value.exit_code == 1
    return caught.value


def accounted(made: Job, result: Audit) -> None:
    lines = list(made.folder.ledger())
    source = made.folder.source()
    assert result.rows_in == source.rows_in == len(lines) == result.kept + result.changed + result.dropped
    assert len({line.id for line in lines}) == len(lines)
    assert len(list(made.folder.kept_examples())) == result.kept + result.changed
    assert all(line.reason is not None for line in lines if line.action != "kept")


def test_clean_data_has_no_finding_and_every_row_is_kept(tmp_path: Path) -> None:
    made = job(tmp_path, "t.csv", table(240))
    result = made.audit()
    assert {(finding.check, finding.severity) for finding in result.findings} <= {("diversity", "note"), ("enough", "note")}
    assert (result.rows_in, result.kept) == (240, 240)
    accounted(made, result)
    assert made.folder.is_done("audit", "audit-inputs")


def test_clean_pictures_have_no_finding_but_their_number(tmp_path: Path) -> None:
    result = picture_job(tmp_path, pictures(tmp_path)).audit()
    assert [finding.check for finding in result.findings] == ["row_count"]


def test_an_empty_text_stops_the_run_and_names_the_row(tmp_path: Path) -> None:
    error = stopped(job(tmp_path, "t.csv", table(40) + "   ,배송\n\u200b,환불\n"))
    assert "nothing but white space in 2 of 42 rows" in error.what.en
    assert "row 42, row 43" in error.what.en
    assert "42행, 43행" in error.what.ko
    assert "--bad-rows drop" in error.what.en


def test_empty_texts_are_dropped_when_told_and_stand_in_the_ledger(tmp_path: Path) -> None:
    made = job(tmp_path, "t.csv", table(40) + "   ,배송\n,환불\nragged\n", bad_rows="drop")
    result = made.audit()
    accounted(made, result)
    assert (result.rows_in, result.dropped) == (43, 3)
    assert [line.source.row for line in made.folder.ledger() if line.action == "dropped"] == [42, 43, 44]
    assert {finding.severity for finding in result.findings if finding.check == "empty"} == {"note"}


def test_labels_that_differ_in_case_space_or_width_stop_the_run(tmp_path: Path) -> None:
    content = table(60, labels=("Refund", "refund", "Refund ", "Ｒｅｆｕｎｄ", "delivery", "payment"))
    error = stopped(job(tmp_path, "t.csv", content))
    assert "case, spaces or full-width forms: 1" in error.what.en
    assert "'Refund ' (10)" in error.what.en
    assert "--labels merge" in error.what.en
    assert "--labels merge" in error.what.ko
    assert "대소문자, 띄어쓰기, 전각" in error.what.ko


def test_labels_are_merged_into_the_commonest_when_told(tmp_path: Path) -> None:
    labels = ("Refund", "Refund", "refund", "delivery")
    made = job(tmp_path, "t.csv", table(60, labels), labels="merge")
    result = made.audit()
    accounted(made, result)
    assert result.changed == 15
    assert {example.target["label"] for example in made.folder.kept_examples()} == {"Refund", "delivery"}
    assert {example.target["label"] for example in made.folder.examples()} == set(labels)


def test_labels_are_kept_apart_when_told(tmp_path: Path) -> None:
    made = job(tmp_path, "t.csv", table(60, ("Refund", "refund", "delivery")), labels="keep")
    result = made.audit()
    assert result.changed == 0
    assert [finding.severity for finding in result.findings if finding.check == "label_variants"] == ["note"]


def test_one_class_that_only_merging_shows_stops_the_run(tmp_path: Path) -> None:
    error = stopped(job(tmp_path, "t.csv", table(60, ("yes", "Yes")), labels="merge"))
    assert "All 60 rows have the label" in error.what.en


def test_one_class_stops_the_run(tmp_path: Path) -> None:
    error = stopped(job(tmp_path, "t.csv", table(60, ("배송",))))
    assert "All 60 rows have the label '배송'" in error.what.en
    assert "60행 모두 라벨이 '배송'" in error.what.ko


def test_five_rows_stop_the_run(tmp_path: Path) -> None:
    error = stopped(job(tmp_path, "t.csv", table(5)))
    assert "5 rows: at least 20 are needed to train, validate and test" in error.what.en
    assert "5행뿐입니다" in error.what.ko


def test_a_class_of_one_row_is_warned_of(tmp_path: Path) -> None:
    found = findings(job(tmp_path, "t.csv", table(60) + "딱 하나,희귀\n"), "class_sizes")
    assert [(finding.severity, finding.evidence, len(finding.rows)) for finding in found] == [("warning", ("'희귀'",), 1)]


def test_a_class_too_small_for_every_part_is_warned_of(tmp_path: Path) -> None:
    found = findings(job(tmp_path, "t.csv", table(60) + "하나,희귀\n둘,희귀\n"), "class_sizes")
    assert [(finding.evidence, len(finding.rows)) for finding in found] == [(("'희귀' (2)",), 2)]


def test_few_rows_are_warned_of(tmp_path: Path) -> None:
    assert [finding.severity for finding in findings(job(tmp_path, "t.csv", table(60)), "row_count")] == ["warning"]


def test_repeated_rows_are_reported_and_kept(tmp_path: Path) -> None:
    made = job(tmp_path, "t.csv", table(60) + " 0번째   문의입니다,배송\n0번째 문의입니다,배송\n")
    (found,) = findings(made, "duplicates")
    assert "3.2%" in found.what.en
    assert found.severity == "note"
    assert [len(cluster) for cluster in found.clusters] == [3]
    assert len(list(made.folder.kept_examples())) == 62


def test_many_repeated_rows_are_warned_of(tmp_path: Path) -> None:
    (found,) = findings(job(tmp_path, "t.csv", table(60) + table(30)[len("문장,의도\n") :]), "duplicates")
    assert found.severity == "warning"


def test_one_input_with_two_labels_is_warned_of(tmp_path: Path) -> None:
    (found,) = findings(job(tmp_path, "t.csv", table(60) + "0번째 문의입니다,환불\n"), "conflicts")
    assert found.severity == "warning"
    assert found.evidence == ("'배송' (1) / '환불' (1)",)
    assert [len(cluster) for cluster in found.clusters] == [2]


def test_one_question_with_two_answers_is_only_noted(tmp_path: Path) -> None:
    content = "질문,답변\n" + "".join(f"질문 {n // 2},{n}번째 답변은 다음과 같습니다\n" for n in range(60))
    (found,) = findings(job(tmp_path, "t.csv", content), "conflicts")
    assert found.severity == "note"


def test_unequal_classes_are_warned_of(tmp_path: Path) -> None:
    content = "text,label\n" + "".join(f"text {n},{'rare' if n % 20 == 0 else 'common'}\n" for n in range(200))
    (found,) = findings(job(tmp_path, "t.csv", content), "imbalance")
    assert "19 times" in found.what.en
    assert "95%" in found.what.ko


def spoil(path: Path, how: str) -> None:
    content = path.read_bytes()
    spoilt = {"truncated": content[: len(content) // 2], "no picture": b"hello", "empty": b"", "header": content[:20]}
    path.write_bytes(spoilt[how])


@pytest.mark.parametrize("how", ["truncated", "no picture", "empty", "header"])
def test_a_broken_picture_stops_the_run(how: str, tmp_path: Path) -> None:
    folder = pictures(tmp_path)
    spoil(folder / "dog" / "3.png", how)
    error = stopped(picture_job(tmp_path, folder))
    assert "Pictures that cannot be used: 1. dog/3.png" in error.what.en
    assert "그림 1개를 쓸 수 없습니다. dog/3.png" in error.what.ko


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp"])
def test_a_truncated_picture_of_every_kind_is_found_by_decoding(suffix: str, tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / f"picture{suffix}"
    Image.effect_noise((64, 64), 50).convert("RGB").save(path)
    assert image_problem(path) is None
    path.write_bytes(path.read_bytes()[:-200])
    assert image_problem(path) is not None


def test_broken_pictures_are_dropped_when_told(tmp_path: Path) -> None:
    folder = pictures(tmp_path)
    spoil(folder / "dog" / "3.png", "truncated")
    made = picture_job(tmp_path, folder, bad_rows="drop")
    result = made.audit()
    accounted(made, result)
    assert result.dropped == 1
    assert "dog/3.png" not in {example.source.file for example in made.folder.kept_examples()}


def test_a_stopped_audit_can_be_read_and_does_not_count_as_done(tmp_path: Path) -> None:
    made = job(tmp_path, "t.csv", table(5))
    stopped(made)
    assert made.folder.audit().blockers
    assert len(list(made.folder.ledger())) == 5
    assert not made.folder.is_done("audit", "audit-inputs")


def test_every_finding_is_an_event(tmp_path: Path) -> None:
    made = job(tmp_path, "t.csv", table(60) + "0번째 문의입니다,환불\n")
    result = made.audit()
    told = [data["check"] for kind, _, data in made.told.events if kind == "finding"]
    assert told == [finding.check for finding in result.findings]


def test_no_finding_carries_repairs_into_the_file(tmp_path: Path) -> None:
    made = job(tmp_path, "t.csv", table(60, ("Refund", "refund", "delivery")))
    stopped(made)
    assert all(finding.repairs == () for finding in made.folder.audit().findings)


class NeverSatisfied:
    name = "never_satisfied"
    title = verbatim("never satisfied")

    def watch(self, data: Surroundings) -> Watch:
        return RowFaults(self._faults, self._finding)

    def _faults(self, rows: Rows) -> Iterator[Fault]:
        first = rows.examples[0]
        yield Fault(0, repair=Repair(row=first.id, target=first.target))

    def _finding(self, found: Faults) -> Finding:
        text = Text(en="again", ko="다시")
        return Finding(
            check=self.name, severity="blocker", what=text, fix=text, decided_by="labels", repairs=tuple(found.repairs)
        )


def test_a_check_that_asks_for_repairs_without_end_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plugins._all
    check: Check = NeverSatisfied()
    monkeypatch.setattr(plugins, "_all", lambda room: {**found(room), **({check.name: check} if room == "checks" else {})})
    with pytest.raises(PluginError, match="never_satisfied"):
        job(tmp_path, "t.csv", table(60), labels="merge", skip=SLOW).audit()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["", " ", "one", "two", "three ", "넷"]), st.sampled_from(["a", "A", "b ", "b", "c", ""])
        ),
        min_size=1,
        max_size=60,
    )
)
def test_rows_in_are_always_kept_changed_or_dropped(
    rows: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = table(60) + "".join(f'"{text}","{label}"\n' for text, label in rows)
    made = job(tmp_path_factory.mktemp("any"), "t.csv", content, bad_rows="drop", labels="merge", skip=SLOW)
    result = made.audit()
    accounted(made, result)
    assert result.rows_in == 60 + len(rows)
    assert all(evened(example.input["text"]) for example in made.folder.kept_examples())


def test_sameness_evens_out_unicode_and_space_and_nothing_else() -> None:
    assert same_hash({"text": "Ａ  b\u200b\n"}) == same_hash({"text": "A b"})
    assert same_hash({"text": "한"}) == same_hash({"text": "\u1112\u1161\u11ab"})
    assert same_hash({"text": "a b"}) != same_hash({"text": "A b"})
    assert same_hash({"text": "1"}) != same_hash({"text": 1})
    assert label_key("Book_Flight ") == label_key("book flight")
    assert label_key("-1") != label_key("1")


def test_checks_are_silent_on_no_rows_at_all() -> None:
    kind = plugins.find_kind("text-classification")
    spoken = {check.name for check in plugins.every("checks") if findings_of(check, [], kind)}
    assert spoken == {"row_count"}


def test_rows_are_counted_in_the_tokens_of_the_base_that_the_recipe_names(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    long = "why would it rain " * 8
    made = job(tmp_path, "t.csv", table(60) + f"{long},배송\n", base=str(base), max_tokens=16)
    (found,) = findings(made, "token_lengths")
    (cut,) = (example for example in made.folder.examples() if example.input["text"] == long)
    assert found.rows == (cut.id,)
    assert "1 of 61 rows are too long for the base" in found.what.en
    assert not findings(job(tmp_path, "t.csv", table(60)), "token_lengths")


def test_counting_tokens_makes_the_audit_anew_and_nothing_behind_it() -> None:
    plain, counted = (fingerprints_of(Recipe(data="d", base=base), "data", "") for base in (None, "smollm2-135m"))
    assert plain["audit"] != counted["audit"]
    assert plain["split"] == counted["split"]
