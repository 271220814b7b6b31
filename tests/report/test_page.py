"""The page as a whole: self-contained, escaped, in the reader's language, readable, and the same every time."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sonmat.core.proof import Proof
from sonmat.core.text import LANGUAGES, Language, Text
from sonmat.runs import EventLog, RunFolder, write_value
from sonmat.steps.report import item_labels, labels, proof_labels, write_report
from sonmat.steps.report.page import Sentences, first_sentence
from sonmat.steps.report.thumbnails import thumbnail
from tests.report.conftest import MAKERS, Pages
from tests.report.made_rows import HOSTILE
from tests.report.made_run import SECRET_PATH, classification_run
from tests.report.reading import Page

ALL_LABELS = {name: text for name, text in vars(labels).items() if isinstance(text, Text)}
PROOF_LABELS = {name: text for name, text in vars(proof_labels).items() if isinstance(text, Text)}
NO_HANGUL = {"F1", "ITEMS"}


@pytest.mark.parametrize("name", MAKERS)
def test_the_page_loads_nothing_from_elsewhere(pages: Pages, name: str) -> None:
    for language in LANGUAGES:
        assert Page(pages[name, language]).loads() == []


@pytest.mark.parametrize(
    "planted", ['<img src="https://example.org/a.png">', "<link rel=stylesheet>", "<style>@import 'a';</style>"]
)
def test_an_address_from_elsewhere_would_be_noticed(pages: Pages, planted: str) -> None:
    assert Page(pages["support", "en"].replace("</main>", planted + "</main>")).loads() != []


def test_a_script_in_a_row_or_a_label_stays_text(tmp_path: Path) -> None:
    folder = classification_run(tmp_path / "hostile", rows=400)
    spoil_labels_and_verdict(folder)
    page = Page(write_report(folder, "en", EventLog(None)).read_text(encoding="utf-8"))
    assert len(page.tags("script")) == 1
    assert "alert" not in page.scripts[0]
    assert not page.tags("b-is-no-tag")
    assert any("<script>alert('row')</script>" in text for text in page.texts)
    assert any("<b-is-no-tag>" in text for text in page.texts)
    assert not any("49" in text and "refund" in text for text in page.texts), "a template in a row was evaluated"
    assert "\u202e" not in "".join(page.texts)


def spoil_labels_and_verdict(folder: RunFolder) -> None:
    """Markup in a class name and in the verdict, and hostile rows that are answered wrongly with certainty."""
    proof = folder.proof()
    spoilt = [
        arm.model_copy(
            update={
                "per_class": tuple(
                    score.model_copy(update={"label": "<b-is-no-tag>"}) if number == 0 else score
                    for number, score in enumerate(arm.per_class)
                )
            }
        )
        for arm in proof.arms
    ]
    sentence = Text(en="<b-is-no-tag> wins", ko="<b-is-no-tag> 승리")
    verdict = proof.verdict.model_copy(update={"sentence": sentence})
    write_value(folder.file("proof.json"), proof.model_copy(update={"arms": tuple(spoilt), "verdict": verdict}))
    hostile = {example.id for example in folder.examples() if example.input["text"] == HOSTILE}
    path = folder.predictions_file(proof.verdict.use)
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if any(f'"row": "{id}"' in line for id in hostile):
            lines[number] = re.sub(
                r'"label": "\w+"', '"label": "nonsense"', re.sub(r'"confidence": [\d.]+', '"confidence": 1.0', line)
            )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("name", MAKERS)
def test_no_english_label_is_left_in_the_korean_page(pages: Pages, name: str) -> None:
    page = Page(pages[name, "ko"])
    assert english_words(page) == []


def test_an_english_label_in_a_korean_page_would_be_noticed(pages: Pages) -> None:
    spoilt = pages["support", "ko"].replace(labels.ARMS.ko, labels.ARMS.en)
    assert "ARMS" in english_words(Page(spoilt))
    assert len(english_words(Page(pages["support", "en"]))) > 60


def english_words(page: Page) -> list[str]:
    """Names of labels whose English words stand in the page as a text of their own."""
    seen = {" ".join(text.split()) for text in [*page.texts, *page.words_in_attributes]}
    patterns = {
        name: re.compile(re.sub(r"\\{\w+\\}", "(.+)", re.escape(" ".join(text.en.split()))) + r"\Z")
        for name, text in [*PROOF_LABELS.items(), *ALL_LABELS.items()]
        if text.en != text.ko and re.search("[A-Za-z]{2}", re.sub(r"{\w+}", "", text.en))
    }
    return [name for name, pattern in patterns.items() if any(pattern.match(text) for text in seen)]


def test_every_label_is_written_in_korean() -> None:
    for name, text in [*PROOF_LABELS.items(), *ALL_LABELS.items()]:
        if name not in NO_HANGUL and re.search("[A-Za-z]", text.en):
            assert re.search("[가-힣]|%p", text.ko), name
        assert set(re.findall(r"{(\w+)}", text.en)) == set(re.findall(r"{(\w+)}", text.ko)), name


def test_every_label_is_used() -> None:
    folder = resources.files("sonmat.steps.report")
    used = "".join(
        path.read_text(encoding="utf-8")
        for place in (folder, folder / "templates", folder / "templates" / "sections")
        for path in place.iterdir()
        if path.name.endswith((".py", ".j2")) and path.name != "labels.py"
    )
    assert [name for name in ALL_LABELS if not re.search(rf"labels\.{name}\b", used)] == []
    assert [name for name in PROOF_LABELS if not re.search(rf"proof_labels\.{name}\b", used)] == []


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_folder_gives_the_same_bytes_wherever_it_lies(
    runs: dict[str, RunFolder], name: str, tmp_path: Path
) -> None:
    copy = RunFolder(tmp_path / "elsewhere" / name)
    shutil.copytree(runs[name].path, copy.path)
    for folder in (runs[name], copy):
        write_report(folder, "ko", EventLog(None), "fingerprint")
    for file in ("report.html", "report.json", "model_card.md"):
        assert runs[name].file(file).read_bytes() == copy.file(file).read_bytes()


def test_the_report_is_done_with_its_last_file(
    runs: dict[str, RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path / "few")
    shutil.copytree(runs["few"].path, folder.path)
    folder.file("report.json").unlink(missing_ok=True)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sonmat.steps.report.write_value", killed)
    with pytest.raises(KeyboardInterrupt):
        write_report(folder, "en", EventLog(None))
    assert not folder.is_done("report", "fingerprint")
    monkeypatch.undo()
    write_report(folder, "en", EventLog(None), "fingerprint")
    assert folder.is_done("report", "fingerprint")


@pytest.mark.parametrize("name", MAKERS)
def test_no_path_of_the_machine_is_told(runs: dict[str, RunFolder], pages: Pages, name: str) -> None:
    told = "".join(pages[name, language] for language in LANGUAGES)
    told += "".join(runs[name].file(file).read_text(encoding="utf-8") for file in ("report.json", "model_card.md"))
    assert SECRET_PATH not in told
    assert str(runs[name].path.resolve()) not in told


SECTIONS = {
    "support": "verdict arms calibration classes curves items data findings plan settings environment use",
    "mails": "verdict arms calibration classes curves items data findings plan settings environment use",
    "faq": "verdict arms curves items data findings plan settings environment use",
    "shapes": "verdict arms calibration classes curves items data findings plan settings environment use",
    "few": "verdict arms classes items data findings plan settings environment use",
    "proven": "verdict gain arms probes speed curves items data findings plan settings environment use",
    "calibrated": "verdict arms probes calibration classes curves items data findings plan settings environment use",
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_section_is_there_if_the_run_has_something_for_it(pages: Pages, name: str) -> None:
    page = Page(pages[name, "en"])
    wanted = SECTIONS[name].split()
    assert [attributes["id"] for attributes in page.tags("section")] == wanted
    links = [link["href"] for link in page.tags("a") if link.get("class") != "skip"]
    assert [href for href in links if not href.startswith(("#finding-", "#item-", "#measure-", "#broken"))] == [
        f"#{anchor}" for anchor in wanted
    ]
    assert {href.removeprefix("#") for href in links} <= page.ids()
    assert {f"{anchor}-heading" for anchor in wanted} <= page.ids()


@pytest.mark.parametrize("name", MAKERS)
def test_every_plot_is_well_formed_and_named(pages: Pages, name: str) -> None:
    plots = plots_of(pages[name, "ko"])
    assert plots
    for plot in plots:
        root = ElementTree.fromstring(plot)
        assert root.get("role") == "img"
        title = root.find("{http://www.w3.org/2000/svg}title")
        assert title is not None
        assert title.text == root.get("aria-label") != ""


def plots_of(html: str) -> list[str]:
    """Every outermost plot of a page; plots contain smaller ones."""
    found, start, depth = [], 0, 0
    for tag in re.finditer(r"<(/?)svg\b", html):
        if depth == 0:
            start = tag.start()
        depth += -1 if tag[1] else 1
        if depth == 0:
            found.append(html[start : html.index(">", tag.end()) + 1])
    return [plot for plot in found if "xmlns" in plot]


def test_the_policy_of_the_page_allows_its_own_script_alone(pages: Pages) -> None:
    page = Page(pages["support", "en"])
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    (policy,) = [meta["content"] for meta in page.tags("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_pictures_are_inside_and_a_broken_one_is_said(tmp_path: Path) -> None:
    folder = MAKERS["shapes"](tmp_path / "shapes")
    page = Page(write_report(folder, "en", EventLog(None)).read_text(encoding="utf-8"))
    assert len(page.tags("img")) > 5
    assert all(image["src"].startswith("data:image/") and image["alt"] for image in page.tags("img"))
    for picture in folder.file("media").iterdir():
        picture.write_bytes(picture.read_bytes()[:60])
    broken = Page(write_report(folder, "en", EventLog(None)).read_text(encoding="utf-8"))
    assert not broken.tags("img")
    assert labels.NO_PICTURE.en in broken.texts


def test_a_picture_outside_the_run_is_not_shown(tmp_path: Path) -> None:
    folder = MAKERS["shapes"](tmp_path / "shapes")
    shutil.copy(folder.file("media/00000.png"), tmp_path / "secret.png")
    assert thumbnail(folder.path, "media/00000.png") is not None
    assert thumbnail(folder.path, "../secret.png") is None
    assert thumbnail(folder.path, str(tmp_path / "secret.png")) is None


def test_a_larger_test_set_makes_no_larger_page(tmp_path: Path, pages: Pages) -> None:
    folder = classification_run(tmp_path / "large", rows=6000)
    page = write_report(folder, "en", EventLog(None))
    assert page.stat().st_size < 1.5 * len(pages["support", "en"].encode())
    assert re.search(r"\d\d of 1,199 test rows", page.read_text(encoding="utf-8"))


def test_a_long_text_is_folded(pages: Pages) -> None:
    page = Page(pages["faq", "ko"])
    assert labels.MORE.ko in page.texts
    assert page.tags("details")


def test_a_run_without_its_proof_says_what_is_missing(tmp_path: Path) -> None:
    folder = MAKERS["few"](tmp_path / "few")
    folder.file("proof.json").unlink()
    with pytest.raises(Exception, match=r"proof\.json is not there") as caught:
        write_report(folder, "en", EventLog(None))
    assert type(caught.value).__name__ == "RunError"


@pytest.mark.parametrize(("language", "words"), [("en", "94.1 %"), ("ko", "94.1%")])
def test_the_page_speaks_the_language_that_was_asked_for(pages: Pages, language: Language, words: str) -> None:
    page = Page(pages["support", language])
    assert page.tags("html")[0]["lang"] == language
    assert words in page.texts


@pytest.mark.parametrize(
    ("sentence", "first", "rest"),
    [
        ("Use full: accuracy 94.1 % [88.4, 96.6]; 0.01 s.", "Use full: accuracy 94.1 % [88.4, 96.6]; 0.01 s.", ""),
        ("미세조정하지 마세요. 추천: 기본. 점수 91.6%.", "미세조정하지 마세요.", "추천: 기본. 점수 91.6%."),
    ],
)
def test_the_first_sentence_of_the_verdict_is_set_apart(sentence: str, first: str, rest: str) -> None:
    assert first_sentence(sentence) == Sentences(first, rest)


def test_a_single_arm_with_nothing_to_compare_is_reported(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "alone")
    shutil.copytree(runs["faq"].path, folder.path)
    proof = folder.proof()
    alone = Proof(**{**dict(proof), "arms": proof.arms[1:], "comparisons": ()})
    write_value(folder.file("proof.json"), alone)
    page = Page(write_report(folder, "en", EventLog(None)).read_text(encoding="utf-8"))
    assert item_labels.GROUPS["lowest"].en.format(chosen="lora-gemma3-270m") in page.texts
    assert not any(text.startswith("Largest gains") for text in page.texts)


def test_the_figure_of_the_verdict_names_what_it_is_compared_with(tmp_path: Path) -> None:
    folder = MAKERS["mails"](tmp_path / "mails")
    proof = folder.proof()
    # A floor that is recommended is itself without tuning: the base that it is measured against is not "the best without".
    verdict = proof.verdict.model_copy(update={"use": "majority", "fine_tune": False})
    arms = tuple(arm.model_copy(update={"fit_seconds": 5.0}) if arm.role == "floor" else arm for arm in proof.arms)
    write_value(folder.file("proof.json"), proof.model_copy(update={"verdict": verdict, "arms": arms}))
    page = Page(write_report(folder, "en", EventLog(None)).read_text(encoding="utf-8"))
    reference = next(arm.candidate for arm in arms if arm.role == "base")
    assert f"Against {reference}" in page.texts
    assert not any("best without" in text for text in page.texts)
    assert "5 s" in page.texts, "what a floor took to make is told, as it is in the verdict"
