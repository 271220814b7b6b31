"""The contracts that plug-ins keep. A plug-in is one file with a plain instance named `plugin` that fits one of these.

A plug-in module must import without torch (heavy imports go inside its functions), may import `core` and the engines, and
never another plug-in. The conformance suites in `sonmat.conformance` hold every plug-in to its contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from sonmat.core.decision import Costs
from sonmat.core.probing import Probe
from sonmat.core.proof import Prediction
from sonmat.core.text import Text
from sonmat.core.values import Columns, Device, Estimate, Example, Guess, Json, ModelFacts, Record, Spec
from sonmat.core.watching import Check

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn
    from transformers import PretrainedConfig

    Batch = dict[str, torch.Tensor]
else:
    Batch = dict


class Emit(Protocol):
    """Reports an event: `emit("progress", done=3, total=10, seconds_left=4.2)`."""

    def __call__(self, kind: str, message: Text | None = None, /, **data: Any) -> None: ...


# ── data ────────────────────────────────────────────────────────────────────────────────────────────────────────────


Holds = Literal["text", "json", "image", "audio", "boxes"]


class Format(Protocol):
    """A container of rows: one file in `formats/`."""

    name: str
    title: Text
    suffixes: tuple[str, ...]
    """File name endings that it is known by, e.g. ('.csv', '.tsv'); shown to the user. Empty for folders."""
    holds: Holds
    """What it can keep. text: named fields of strings; json: named fields of any JSON value; image and audio: an absolute path
    under that name, and `label`; boxes: `image`, and `objects` with a box and a label each."""
    precedence: int
    """Of several formats that match a path, the one with the highest reads it; two of the same precedence never may."""

    def matches(self, path: Path) -> bool:
        """Whether this format reads `path`, told by its name and first bytes."""

    def describe(self, path: Path) -> Text:
        """The format and what was found out about this file (encoding, delimiter, header), said to the user.

        Raises:
            DataError: the container as a whole cannot be read.
        """

    def read(self, path: Path) -> Iterator[Record]:
        """Every row in order, unreadable ones as records with a `problem`.

        Raises:
            DataError: the container as a whole cannot be read.
        """

    def write(self, records: Iterable[Record], path: Path) -> None:
        """Write `records` so that `read` gives the same fields again."""


@dataclass(frozen=True)
class Table:
    """A sample of a source's rows: what shapes look at to recognise it."""

    columns: tuple[str, ...]
    rows: tuple[Json, ...]
    """Up to 1,000 readable rows from all over the source, because files are often sorted by class."""


@dataclass(frozen=True)
class Pair:
    """One row as a task's typed input and target, as JSON objects."""

    input: Json
    target: Json


class Shape(Protocol):
    """A convention for the fields of a row (alpaca, OpenAI messages, text and label, ...): one file in `shapes/`."""

    name: str
    title: Text

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        """How well the table fits; columns that the user named in `wanted` are taken as they are. None: not at all."""

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        """The typed pair, or the reason why this row cannot be used."""

    def write(self, pair: Pair, columns: Columns) -> Json:
        """Fields such that `read` gives the same pair again."""


# ── tasks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Row:
    """One example as a model takes it: plain lists or NumPy arrays by name, before padding and batching."""

    arrays: Mapping[str, Any]
    length: int
    """Cost of the row: its tokens, or 1 where all rows cost the same."""
    cut: int = 0
    """Tokens that were cut off because the row was too long."""
    supervised: int = 1
    """Items that the loss of this row sums over."""


@dataclass(frozen=True)
class RowLosses:
    """Per row of a batch, float32 tensors of shape (rows,): the sum of its losses in nats and how many items it sums.

    Reporting sums and counts instead of a mean is what makes a step exact under any split into batches and processes.
    """

    sums: torch.Tensor
    items: torch.Tensor


@dataclass(frozen=True)
class Answer:
    """What a model said to one input."""

    output: Json
    confidence: float | None = None
    tokens: int = 0


@dataclass(frozen=True)
class Tiny:
    """A random model small enough for a test of milliseconds, and rows to go with it."""

    config: PretrainedConfig
    processor: Any
    examples: tuple[Example, ...]
    spec: Spec


Message = dict[str, str]
"""{"role": "system" | "user" | "assistant", "content": ...}"""


class Kind(Protocol):
    """What the rows of a task are, without any model: enough to read, audit, split and convert them.

    A file in `kinds/` for rows that no task learns from yet; every task is one too.
    """

    name: str
    title: Text
    Input: type[BaseModel]
    Target: type[BaseModel]
    shapes: tuple[str, ...]
    """Names of the shapes whose rows it can take."""
    modality: Literal["text", "image", "audio"]
    """What inputs are; those of pictures and sound keep their path under this name."""


class Task(Kind, Protocol):
    """A kind of problem: one file in `tasks/`."""

    route: str
    """Where it is served, e.g. '/v1/predict'."""
    Output: type[BaseModel]
    auto_model: str
    """Name of the Transformers class that builds the model, e.g. 'AutoModelForSequenceClassification'."""
    auto_processor: str
    """'AutoTokenizer', 'AutoImageProcessor', ..."""
    generates: bool
    """Whether answers are written token by token by the model. If that is an AutoModelForCausalLM, predictors write behind the
    `input_ids` of `encode_input` and read the words with `parse`, which must give what `decode` gives."""
    metrics: tuple[str, ...]
    """The first is the headline."""
    selection_metric: str
    """The metric that validation chooses the best checkpoint by."""

    def specify(self, examples: Sequence[Example]) -> Spec:
        """What the examples say about the task: labels and the like."""

    def configure(self, spec: Spec) -> Json:
        """Keyword arguments for `from_pretrained`, e.g. the number of labels and their names."""

    def encode(self, example: Example, processor: Any, spec: Spec) -> Row:
        """A row with its target, for losses.

        Raises:
            DataError: the row would train on nothing, or its target would be cut off whole.
        """

    def encode_input(self, input: Json, processor: Any, spec: Spec) -> Row:
        """A row without target, for answers; token for token the beginning of what `encode` gives, where nothing is cut."""

    def collate(self, rows: Sequence[Row], processor: Any) -> Batch:
        """One padded batch of tensors."""

    def losses(self, model: nn.Module, batch: Batch) -> RowLosses: ...

    def decode(self, model: nn.Module, batch: Batch, processor: Any, spec: Spec) -> list[Answer]:
        """One answer a row of a batch made of `encode_input` rows."""

    def ask(self, input: Json, shots: Sequence[Example], spec: Spec) -> list[Message] | None:
        """The input as a prompt for a chat model; None where prompting makes no sense."""

    def parse(self, text: str, spec: Spec) -> Json:
        """A chat model's words as this task's output."""

    def tiny(self) -> Tiny: ...


# ── models and methods ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Fusions:
    """Which parts of a family's models may be computed in the fused forms of `training.fused`; none, where nothing is known."""

    shared_inputs: tuple[tuple[str, ...], ...] = ()
    """Names of sibling linear layers that are given the same input, e.g. ('q_proj', 'k_proj', 'v_proj')."""
    norm: Literal["plain", "plus_one"] | None = None
    """Its RMSNorm: weight · x, or (1 + weight) · x as in Gemma."""
    gated: bool = False
    """Feed-forward blocks are down_proj(act(gate_proj(x)) · up_proj(x))."""
    attention: bool = False
    """Attention goes through Transformers' attention interface, without soft caps or sinks."""
    encoder: bool = False
    """Layers are BERT's, ALBERT's or DistilBERT's, which `training.fused.encoder` knows."""


class Family(Protocol):
    """Quirks of a model family: one file in `families/`. The first that matches, most specific first, is taken."""

    name: str
    precedence: int
    """Higher is asked first; the generic family has 0."""
    text_prefix: str
    """What pretraining put before every text to classify, '' for nothing."""
    chat_template: str | None
    """Jinja template for base models without their own."""
    lora_targets: tuple[str, ...] | Literal["all-linear"]
    fusions: Fusions

    def matches(self, name: str, config: Json) -> bool:
        """Whether a model called `name` with this config.json belongs here."""

    def blocks(self, model: nn.Module) -> list[nn.Module]:
        """The repeated layers from input to output; freezing counts them from the end."""

    def tiny(self) -> PretrainedConfig | None:
        """A random tiny config of the family; None for the generic one."""


@dataclass(frozen=True)
class Yes:
    """A method can be used."""


@dataclass(frozen=True)
class No:
    """A method cannot be used; the reason is shown to the user."""

    reason: Text


@dataclass(frozen=True)
class Workload:
    """The size of a job: what estimates are computed from. Token counts are of the chosen base."""

    base: ModelFacts | None
    device: Device
    train_rows: int
    validation_rows: int
    test_rows: int
    mean_tokens: float
    longest_tokens: int
    mean_target_tokens: float
    classes: int = 0
    used_ids: int = 0
    """Different tokens that the training rows hold; 0 where nobody has counted."""


@dataclass(frozen=True)
class FitJob:
    """All that a method needs to fit one candidate."""

    task: Task
    spec: Spec
    base: ModelFacts | None
    family: Family | None
    settings: BaseModel
    train: Sequence[Example]
    validation: Sequence[Example]
    selection: Metric
    folder: Path
    """Empty folder that the finished model goes into."""
    work: Path
    """Folder for checkpoints; survives a kill."""
    seed: int
    device: Device
    emit: Emit
    should_pause: Callable[[], bool]
    cache: Path | None = None
    """Folder of what other fits of the same base and rows may use again; `work` if left out."""
    documents: tuple[Path, ...] = ()
    """Files and folders that answers may be looked up in."""
    over: SavedModel | None = None
    """The fitted model of the candidate that this one asks (`Candidate.over`)."""
    encoder: ModelFacts | None = None
    """What texts are compared by (`Candidate.encoder`)."""
    costs: Costs | None = None
    """Of errors, where the user has set them: `selection` is then their mean, which `inference.validating` makes ready."""


@dataclass(frozen=True)
class FitResult:
    steps: int = 0
    best_step: int = 0
    selection: Mapping[str, float] = field(default_factory=dict)
    trained_parameters: int = 0
    stopped: Text | None = None
    budget: Text | None = None
    """What was tried on the validation rows; see `Fitted.budget`."""


@dataclass(frozen=True)
class SavedModel:
    """A fitted candidate on disk, with everything that loading it takes."""

    folder: Path
    method: str
    task: Task
    spec: Spec
    base: ModelFacts | None
    family: Family | None
    settings: BaseModel
    device: Device
    encoder: ModelFacts | None = None
    """What it compares texts by, beside its base."""
    over: SavedModel | None = None
    """The model that this one asks: a copy in the folder `OVER` below its own."""
    load: Callable[[SavedModel], Predictor] | None = None
    """Its method's `load`, for whoever asks it without knowing the method."""
    kept: Path | None = None
    """Folder of answers that were paid for elsewhere, which are not asked for again; None keeps none."""


OVER = "over"
"""Folder of the model that another one asks, within that one's own."""


@dataclass(frozen=True)
class Question:
    """One input to answer; with a `reference`, its likelihood is reported where the predictor has one."""

    row: str
    input: Json
    reference: Json | None = None
    write: bool = True
    """False where only the reference's likelihood is wanted: the output is then empty."""
    max_new_tokens: int | None = None
    """Longest answer to this question; the spec's if left out."""


class Predictor(Protocol):
    """The one callable that `prove` measures and `serve` serves: prompt, RAG, full fine-tune and majority class alike."""

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        """One prediction a question, in any order, each as soon as it is known."""


class Method(Protocol):
    """A way to make a predictor: one file in `methods/`."""

    name: str
    title: Text
    role: Literal["floor", "base", "tuned"]
    needs_base: bool
    learns: bool
    """Whether its answers depend on the training rows."""
    Settings: type[BaseModel]

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No: ...

    def propose(self, task: Task, workload: Workload) -> Json:
        """Settings that depend on the base and the data; the rest keep their defaults."""

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate: ...

    def fit(self, job: FitJob) -> FitResult:
        """Write a model into `job.folder`.

        Raises:
            Paused: `job.should_pause` said so; the next fit with the same `job.work` continues exactly.
            TrainingDiverged: no usable model came of it.
        """

    def load(self, saved: SavedModel) -> Predictor: ...


# ── measures ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Judged:
    """One test item with its answer."""

    input: Json
    target: Json
    output: Json
    confidence: float | None = None
    reference_nll: float | None = None
    costs: Costs | None = None
    """Of errors, where the user has set them; the same for all items."""


@runtime_checkable
class Metric(Protocol):
    """A measure that is a function of a sum over items: one file in `metrics/`.

    Because every metric is `value(sum of statistics)`, resampling items is a matrix product, arms are compared on the
    same resamples, and predictions may stream.
    """

    name: str
    title: Text
    higher_is_better: bool
    percent: bool
    """Whether the value is a share that people read as per cent."""
    right_or_wrong: bool
    """Whether an item's value is 0 or 1, so that McNemar's test applies."""

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Shape (items, k). A row of NaN where the item has no value (for example no likelihood).

        Columns may depend on the inputs and targets of `items` (one per class), never on the outputs: rows of two arms on the
        same items can be exchanged, and rows of different calls are not added up.
        """

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """From sums of statistics, shape (..., k), the metric, shape (...)."""


ROOMS: dict[str, type] = {
    "formats": Format,
    "shapes": Shape,
    "checks": Check,
    "kinds": Kind,
    "tasks": Task,
    "families": Family,
    "methods": Method,
    "metrics": Metric,
    "probes": Probe,
}
"""Plug-in rooms and the contract of each."""

PluginRoom = Literal["formats", "shapes", "checks", "kinds", "tasks", "families", "methods", "metrics", "probes"]
