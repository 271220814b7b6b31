"""What `import sonmat` gives: start or open a run, look at its results, load its models.

    run = sonmat.run("faq.jsonl", minutes=20)
    print(run.proof)
    model = run.best.load()
    model.predict("How do I reset my password?")

Everything that the command line can do goes through here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from sonmat.adding import add_arms
from sonmat.answering import Model as Model
from sonmat.blinding import BlindComparison
from sonmat.comparing import compare as compare_runs
from sonmat.converting import Conversion
from sonmat.converting import convert as convert_rows
from sonmat.core.errors import RunError
from sonmat.core.proof import Arm, Prediction, Preference, Proof, RunComparison
from sonmat.core.recipe import Recipe
from sonmat.core.text import Language, Text, reader_language
from sonmat.core.values import Audit, Example, Fitted, LoadedSource, Plan, Split
from sonmat.executors.local import run_locally
from sonmat.exporting import ExportedSplit, export_split
from sonmat.inference.device import detect_device
from sonmat.models.saved import open_saved
from sonmat.pipeline import perform
from sonmat.probing.preference import preferences
from sonmat.recipes import make_recipe
from sonmat.repairing import Repaired, write_repaired
from sonmat.runs import EventLog, RunFolder, list_runs
from sonmat.runs.events import Listener
from sonmat.runs.folder import run_name, runs_root
from sonmat.steps.fit import profile
from sonmat.steps.report import write_data_page, write_pdf


def run(
    data: str | Path | Sequence[str | Path] | None = None,
    *,
    recipe: str | Path | None = None,
    folder: str | Path | None = None,
    task: str | None = None,
    input: str | None = None,
    target: str | None = None,
    map: Mapping[str, str] | None = None,
    template: str | None = None,
    group: str | None = None,
    slices: str | Sequence[str] = (),
    part: str | None = None,
    time: str | None = None,
    shares: Sequence[float] | None = None,
    folds: int | None = None,
    base: str | None = None,
    method: str | Sequence[str] = (),
    minutes: float | None = None,
    seed: int | None = None,
    bad_rows: str | None = None,
    labels: str | None = None,
    normalise: str | None = None,
    duplicates: str | None = None,
    near_duplicates: str | None = None,
    leakage: str | None = None,
    personal_data: str | None = None,
    skip: str | Sequence[str] = (),
    embedder: str | None = None,
    accept_licence: str | Sequence[str] = (),
    allow_truncation: bool | None = None,
    max_tokens: int | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    documents: str | Path | Sequence[str | Path] | None = None,
    arm: str | Sequence[str] = (),
    probes: str | Sequence[str] | None = None,
    guards: Mapping[str, float] | None = None,
    price: float | None = None,
    token_prices: Mapping[str, Mapping[str, float]] | None = None,
    judge: str | None = None,
    cost: Mapping[str, float | Mapping[str, float]] | None = None,
    expect: Mapping[str, Any] | None = None,
    curve: bool | None = None,
    lang: Language | None = None,
    upto: str = "learn",
    listeners: Sequence[Listener] = (),
) -> Run:
    """From files or folders of examples to a proven specialist; a run that was interrupted is continued.

    Args:
        data: file or folder of examples, or several; may stand in the recipe instead.
        recipe: YAML file with the same names as these arguments; what is given here wins over it.
        folder: run directory; `runs/<name of the data>` if left out.
        upto: last step to do, one of `sonmat.pipeline.STEPS`.
        listeners: called with every event as it happens.

    Raises:
        UserError: something about the data, a setting, a model or the machine that the caller can mend.
        Paused: interrupted by Ctrl-C; calling again continues.
    """
    given: dict[str, Any] = {
        "data": _paths(data),
        "task": task,
        "input": input,
        "target": target,
        "map": dict(map) if map else None,
        "template": template,
        "group": group,
        "slices": _names(slices) or None,
        "part": part,
        "time": time,
        "shares": tuple(shares) if shares is not None else None,
        "folds": folds,
        "base": base,
        "method": _names(method) or None,
        "minutes": minutes,
        "seed": seed,
        "bad_rows": bad_rows,
        "labels": labels,
        "normalise": normalise,
        "duplicates": duplicates,
        "near_duplicates": near_duplicates,
        "leakage": leakage,
        "personal_data": personal_data,
        "skip": _names(skip) or None,
        "embedder": embedder,
        "accept_licence": _names(accept_licence) or None,
        "allow_truncation": allow_truncation,
        "max_tokens": max_tokens,
        "settings": {name: dict(values) for name, values in settings.items()} if settings else None,
        "documents": _paths(documents),
        "arm": ((arm,) if isinstance(arm, str) else tuple(arm)) or None,
        "probes": _names(probes) if probes is not None else None,
        "guards": dict(guards) if guards else None,
        "price": price,
        "token_prices": {name: dict(prices) for name, prices in token_prices.items()} if token_prices else None,
        "judge": judge,
        "cost": dict(cost) if cost else None,
        "expect": dict(expect) if expect else None,
        "curve": curve,
        "lang": lang,
    }
    return prepare(given, recipe, folder).perform(upto, listeners)


@dataclass(frozen=True)
class Prepared:
    """A run that was asked for and not begun: its directory and its recipe."""

    folder: RunFolder
    recipe: Recipe

    def perform(self, upto: str = "learn", listeners: Sequence[Listener] = ()) -> Run:
        """Do what is not done yet of the steps up to `upto`; raises what `run` does."""
        perform(self.folder, self.recipe, upto, tuple(listeners))
        return Run(self.folder)

    def add_arms(self, arms: Sequence[str], upto: str = "prove", listeners: Sequence[Listener] = ()) -> Run:
        """Of a run that is planned already: add arms to it. See `Run.add_arms`."""
        add_arms(self.folder, self.recipe, tuple(arms), upto, tuple(listeners))
        return Run(self.folder)


def prepare(given: Mapping[str, Any], recipe: str | Path | None = None, folder: str | Path | None = None) -> Prepared:
    """The run that recipe keys and values, on top of a recipe file, ask for; nothing is read but that file.

    Raises:
        SettingError: the recipe is missing or does not fit.
    """
    made = make_recipe(Path(recipe) if recipe is not None else None, dict(given))
    where = Path(folder) if folder is not None else runs_root() / name_of(made.data)
    # A run is also continued from other working folders.
    paths = {name: tuple(map(_anywhere, getattr(made, name))) for name in ("data", "documents")}
    made = made.model_copy(update=paths)
    return Prepared(RunFolder(where), made)


def name_of(data: Sequence[str]) -> str:
    """What the run of these paths is called: their names, of many only the first three and the number of the others."""
    names = list(dict.fromkeys(run_name(each) for each in data))
    more = [f"{len(names) - 3}-more"] if len(names) > 3 else []
    return "-".join([*names[:3], *more])


def convert(
    data: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    to: str | None = None,
    task: str | None = None,
    input: str | None = None,
    target: str | None = None,
    map: Mapping[str, str] | None = None,
    template: str | None = None,
    keep: str | Sequence[str] = (),
    lossy: bool = False,
    force: bool = False,
    listeners: Sequence[Listener] = (),
) -> Conversion:
    """Write examples in another shape or format; the original is never changed.

    Args:
        out: the new file; its ending says the format.
        to: name of the new shape, e.g. "messages"; the data's own if left out.
        keep: columns to write although the new shape has no place for them; "all" for every one.
        lossy: leave out what the new shape cannot hold, instead of raising.
        force: replace `out` if it is there.

    Raises:
        DataError: the data cannot be read or recognised, or something would be lost; it lists what.
        SettingError: an unknown shape, column or format, rows that cannot become what is asked, or `out` is there already.
    """
    paths = (data,) if isinstance(data, str | Path) else tuple(data)
    given = {"task": task, "input": input, "target": target, "map": dict(map) if map else None, "template": template}
    made = make_recipe(None, {"data": tuple(str(path) for path in paths), **given})
    return convert_rows(made, Path(out), to, _names(keep), lossy, force, EventLog(None, "convert", tuple(listeners)))


def open_run(name: str | Path) -> Run:
    """The run called `name` below the runs folder, or in the directory `name`.

    Raises:
        RunError: there is none.
    """
    for path in (Path(name), runs_root() / name):
        if (path / "recipe.json").is_file():
            return Run(RunFolder(path))
    known = [entry.name for entry in list_runs()]
    raise RunError(
        Text(en=f"There is no run '{name}'.", ko=f"'{name}'(이)라는 실행이 없습니다."),
        Text(
            en=f"Runs here: {', '.join(known)}." if known else "Start one: `sonmat run FILE`.",
            ko=f"있는 실행: {', '.join(known)}." if known else "`sonmat run 파일`로 시작하세요.",
        ),
    )


def compare(older: str | Path, newer: str | Path, *, guards: Mapping[str, float] | None = None) -> RunComparison:
    """The newer run's model beside the older's, on the test items that both answered; `passed` says whether it may replace it.

    Args:
        older, newer: a run, or "RUN:CANDIDATE" for another arm than the one in use.
        guards: bounds that the newer must keep, by measure, on top of those of its own recipe.

    Raises:
        RunError: there is no such run or arm, the tasks differ, or too few test items stand in both.
        SettingError: a guard is on something that the newer run did not measure.
    """
    (old, one), (new, other) = run_and_candidate(older), run_and_candidate(newer)
    return compare_runs(old.folder, new.folder, candidates=(one, other), guards=guards)


def run_and_candidate(named: str | Path) -> tuple[Run, str | None]:
    """The run, and the candidate of "RUN:CANDIDATE".

    Raises:
        RunError: there is no such run.
    """
    run, colon, candidate = str(named).rpartition(":")
    if not colon:
        return open_run(named), None
    try:
        # A folder's name may hold a colon.
        return open_run(named), None
    except RunError:
        return open_run(run), candidate


def load(folder: str | Path) -> Model:
    """The model in a model folder, for example a copy of `runs/faq/candidates/lora-smollm2-135m/model`.

    Raises:
        RunError: `folder` is no model folder of Sonmat.
        ModelError: its base model cannot be had.
    """
    return Model(open_saved(Path(folder), detect_device(), EventLog(None)))


class Run:
    """A run directory and what is in it. Reading a result that is not there yet raises `RunError`."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def recipe(self) -> Recipe:
        return self.folder.recipe()

    @property
    def source(self) -> LoadedSource:
        return self.folder.source()

    @property
    def audit(self) -> Audit:
        return self.folder.audit()

    @property
    def split(self) -> Split:
        return self.folder.split()

    @property
    def plan(self) -> Plan:
        return self.folder.plan()

    @property
    def proof(self) -> Proof:
        return self.folder.proof()

    @property
    def report_path(self) -> Path:
        return self.folder.file("report.html")

    def examples(self) -> Iterator[Example]:
        return self.folder.examples()

    @property
    def candidates(self) -> tuple[FittedCandidate, ...]:
        """Every candidate of the plan, fitted or not."""
        return tuple(FittedCandidate(self.folder, candidate.id) for candidate in self.plan.candidates)

    def candidate(self, id: str) -> FittedCandidate:
        """Raises `RunError` if the plan has no such candidate."""
        for candidate in self.candidates:
            if candidate.id == id:
                return candidate
        known = ", ".join(candidate.id for candidate in self.candidates)
        raise RunError(
            Text(en=f"{self.name} has no candidate '{id}'.", ko=f"{self.name}에 '{id}' 후보가 없습니다."),
            Text(en=f"It has: {known}.", ko=f"있는 후보: {known}."),
        )

    @property
    def best(self) -> FittedCandidate:
        """The candidate that the verdict says to use."""
        return FittedCandidate(self.folder, self.proof.verdict.use)

    def resume(self, upto: str = "learn", listeners: Sequence[Listener] = ()) -> Run:
        """Do what is left of the steps up to `upto` with the run's own recipe."""
        perform(self.folder, self.recipe, upto, tuple(listeners))
        return self

    def add_arms(self, arms: str | Sequence[str], upto: str = "prove", listeners: Sequence[Listener] = ()) -> Run:
        """Plan, fit and prove further arms on the same sealed test set; what is done is not done again.

        Args:
            arms: names of methods, models of other runs as RUN:CANDIDATE, or openai:URL:MODEL.
        Raises:
            SettingError: there is no such method or run, or it cannot be used here; the run stays as it was.
            RunError: a model of another run has another task, or has learnt from rows of this test set.
            Paused: Ctrl-C; calling again continues.
        """
        Prepared(self.folder, self.recipe).add_arms((arms,) if isinstance(arms, str) else arms, upto, listeners)
        return self

    def blind(self, arms: Sequence[str] | None = None, items: int | None = None, who: str = "") -> BlindComparison:
        """Two arms' answers for a person to judge who is not told which is whose: `pairs`, `vote`, `reveal`.

        Args:
            arms: two candidates; the one in use and its untuned base, or the runner-up, if left out.
            items: how many pairs to judge; 50 if left out.
            who: what the person wants to be called, if several judge.
        Raises:
            RunError: the run has no proof or only one arm, or its test rows are not those that were sealed.
            SettingError: `arms` are not two of the run's.
        """
        return BlindComparison(self.folder, arms, items, who)

    @property
    def preferences(self) -> tuple[Preference, ...]:
        """What people's blind votes came to, for every two arms that were revealed."""
        return tuple(preferences(self.folder))

    def profile(self, listeners: Sequence[Listener] = ()) -> dict[str, Path]:
        """Find out on a few steps where the time and memory of each fitted candidate's training go; no model changes.

        Returns:
            By candidate, the page `profile.md`; the trace `profile.json.gz` lies beside it. Only candidates that train have one.
        Raises:
            RunError: nothing is fitted yet.
            Paused: Ctrl-C.
        """
        with self.folder.writing():
            log = self.folder.event_log("fit", tuple(listeners))
            names = profile(self.folder, run_locally, log, log.tell)
        return {name: self.folder.candidate_folder(name) / "profile.md" for name in names}

    def write_data_page(self) -> Path:
        """Write `audit.html`, all that the audit saw as one page, in the language of the recipe or the reader; returns its path."""
        return write_data_page(self.folder, self.recipe.lang or reader_language())

    def write_pdf(self, page: Path | None = None) -> Path:
        """Print the report, or another `page` of this run, as a PDF by a browser that is at hand; returns its path.

        Raises:
            UserError: there is no browser, or it does not print; the page stays as it is.
        """
        return write_pdf(page or self.report_path)

    def write_repaired(self, out: str | Path, force: bool = False) -> Repaired:
        """Write the rows as the audit left them to `out`, in their own shape and columns, and `out`.ledger.jsonl beside it.

        Raises:
            SettingError: `out` is the data itself, or is there already and `force` is not given.
            DataError: a changed row cannot be written in its own columns.
        """
        return write_repaired(self.folder, Path(out), force)

    def export_split(self, folder: str | Path, format: str | None = None, force: bool = False) -> ExportedSplit:
        """Write the parts of the split as files into `folder`, in the rows' own columns, with `split.json` beside them.

        Args:
            format: name of a format, e.g. "parquet"; the data's own if left out.
            force: replace an earlier export.
        Raises:
            SettingError: there is no such format, or `folder` holds something already.
            DataError: the format cannot hold the rows, or the data has changed since the run read it.
        """
        return export_split(self.folder, Path(folder), format, force)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def _repr_html_(self) -> str:
        """A notebook shows the report."""
        if not self.report_path.is_file():
            return f"<code>{escape(repr(self))}</code>"
        report = escape(self.report_path.read_text(encoding="utf-8"), quote=True)
        return f'<iframe srcdoc="{report}" style="width:100%;height:36em;border:0"></iframe>'


@dataclass(frozen=True)
class FittedCandidate:
    """One candidate of a run."""

    folder: RunFolder
    id: str

    @property
    def model_folder(self) -> Path:
        return self.folder.candidate_folder(self.id) / "model"

    @property
    def fitted(self) -> Fitted:
        return self.folder.fitted(self.id)

    @property
    def arm(self) -> Arm:
        """Its figures in the proof; `KeyError` if it has none."""
        for arm in self.folder.proof().arms:
            if arm.candidate == self.id:
                return arm
        raise KeyError(self.id)

    def predictions(self) -> Iterator[Prediction]:
        return self.folder.predictions(self.id)

    def load(self) -> Model:
        """The model, ready to answer."""
        return Model(open_saved(self.model_folder, detect_device(), EventLog(None)))


def _paths(data: str | Path | Sequence[str | Path] | None) -> tuple[str, ...] | None:
    if data is None:
        return None
    return (str(data),) if isinstance(data, str | Path) else tuple(str(each) for each in data)


def _anywhere(data: str) -> str:
    """The path as it is meant from any working folder; names on the hub are no paths."""
    return data if data.startswith("hub:") else str(Path(data).absolute())


def _names(value: str | Sequence[str]) -> tuple[str, ...]:
    """Names given as one string with commas, or as several."""
    parts = value.split(",") if isinstance(value, str) else [part for entry in value for part in entry.split(",")]
    return tuple(part.strip() for part in parts if part.strip())
