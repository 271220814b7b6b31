"""Plan: which base models and methods can run here, what they will cost, and why the others cannot.

In: the split, the recipe, this machine. Out: `plan.json` with candidates (settings and the origin of each, memory, minutes,
the reason) and refused ones with theirs. The floor and the untuned base are always among the candidates where they exist,
because without them nothing is proven. Tokens that the model's longest input would cut are counted here, before any training.
"""

from __future__ import annotations

from collections.abc import Sequence

from sonmat import plugins
from sonmat.core.decision import costs_of
from sonmat.core.errors import ModelError, SettingError, SonmatError
from sonmat.core.probing import Setting
from sonmat.core.protocols import Emit, Kind, Task, Workload
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Device, Example, LoadedSource, ModelFacts, Plan, Refused, Spec, Split
from sonmat.inference.device import detect_device
from sonmat.models import CatalogueEntry, catalogue, default_bases, resolve, spec_for
from sonmat.runs import RunFolder, write_value
from sonmat.steps.plan.choose import Offer, choose
from sonmat.steps.plan.endpoints import with_endpoints
from sonmat.steps.plan.lengths import Lengths, measure_lengths
from sonmat.steps.plan.probing import probing_seconds, said
from sonmat.steps.plan.retrieval import with_retrieval


def plan(folder: RunFolder, recipe: Recipe, emit: Emit, inputs: str) -> Plan:
    """Write and return the plan.

    Raises:
        ModelError: no base model can be had, or none speaks the data's languages without an accepted licence.
        DataError: more than 1 % of the tokens, or a target, would be cut off.
        SettingError: a method, setting or label of the recipe does not exist, or no method learns from rows of this kind.
        ResourceError: no method fits into this machine.
    """
    source = folder.source()
    task, split = _task_of(source), folder.split()
    examples = {example.id: example for example in folder.kept_examples()}
    train = [examples[id] for id in split.train]
    kept = list(examples.values())
    spec = task.specify(kept)
    # Said now, and not after an hour of training.
    costs_of(recipe.cost, spec.labels)
    device = detect_device(measure=True)
    refused: list[Refused] = []
    offers: list[Offer] = []
    main = _main_base(task, recipe, source.languages, emit)
    for base in [main, *_prompt_bases(task, recipe, source.languages, main, refused, emit)]:
        own = spec_for(task, spec, base, recipe.max_tokens)
        lengths = measure_lengths(task, own, base, kept, train, str(folder.path), emit)
        # A prompt for an untuned model may lose its beginning; only training on cut rows must stop.
        if base is main:
            lengths.refuse_cuts(recipe, emit)
        own = own.model_copy(update={"max_new_tokens": lengths.answer_room(own)})
        workload = _workload(base, device, split, train, lengths, own)
        offers.append(Offer(base, own, workload, tuned=base is main))
    chosen = choose(task, offers, recipe, device, refused, fits=len(split.folds) + 1)
    chosen = with_retrieval(chosen, task, folder, recipe, source.languages, offers[0].workload, refused, emit)
    chosen = with_endpoints(chosen, task, spec, recipe, [examples[id] for id in split.test])
    setting = Setting(
        task=task,
        spec=spec,
        languages=source.languages,
        train=train,
        test=[examples[id] for id in split.test],
        seed=recipe.seed,
        recipe=recipe,
        candidates=chosen,
    )
    mean_tokens = {offer.base.checksum: offer.workload.mean_tokens for offer in offers}
    result = Plan(
        task=task.name,
        spec=spec,
        candidates=chosen,
        refused=tuple(refused),
        device=device,
        probe_seconds=probing_seconds(setting, chosen, device, mean_tokens),
        mean_tokens=mean_tokens,
    )
    write_value(folder.file("plan.json"), result, inputs)
    for candidate in result.candidates:
        emit("candidate_planned", candidate.reason, candidate=candidate.id, seconds=candidate.estimate.seconds)
    if result.probe_seconds:
        emit("probes_planned", said(result.probe_seconds), seconds=sum(result.probe_seconds.values()))
    _say_what_is_unused(result, recipe, emit)
    for entry in result.refused:
        emit("candidate_refused", entry.reason, method=entry.method, base=entry.base)
    return result


def _task_of(source: LoadedSource) -> Task:
    """The task that learns from the data; kinds of rows without one go no further than this step."""
    kind = plugins.find_kind(source.task)
    if kind.name in {task.name for task in plugins.every("tasks")}:
        return plugins.find("tasks", kind.name)
    raise SettingError(
        Text(
            en=f"Sonmat reads, audits, splits and converts {kind.title.en}, but no method learns from them yet.",
            ko=f"손맛은 {kind.title.ko} 데이터를 읽고 점검하고 나누고 변환하지만, 이 데이터로 학습하는 방법은 아직 없습니다.",
        ),
        _instead(kind),
    )


def _instead(kind: Kind) -> Text:
    if kind.modality != "text":
        return Text(
            en="What audit and split found stays, and `sonmat convert` writes the rows for another program.",
            ko="점검과 분할 결과는 그대로 남습니다. `sonmat convert`로 다른 프로그램이 읽을 파일을 만들 수 있습니다.",
        )
    # Questions with a context are read as chat too; of the other kinds of text, conversion makes chat.
    if kind.name == "question-answering":
        return Text(
            en="Have the same rows read as chat, context and question in one message: --task chat.",
            ko="같은 행을 대화로 읽게 하세요. 지문과 질문이 한 메시지가 됩니다: --task chat.",
        )
    return Text(
        en="Make chat rows of them, which can be learnt from: `sonmat convert FILE OUT.jsonl --to messages`.",
        ko="학습할 수 있는 대화 행으로 바꾸세요: `sonmat convert 파일 결과.jsonl --to messages`.",
    )


def _say_what_is_unused(plan: Plan, recipe: Recipe, emit: Emit) -> None:
    """Settings that were given and can have no effect are said, not ignored."""
    idle = sorted(set(recipe.settings) - {candidate.method for candidate in plan.candidates})
    if idle:
        names = ", ".join(idle)
        emit(
            "unused",
            Text(
                en=f"Settings of {names} have no effect: the plan has no such candidate.",
                ko=f"{names}의 설정은 쓰이지 않습니다. 계획에 그런 후보가 없습니다.",
            ),
        )
    longest = max((candidate.spec.max_tokens for candidate in plan.candidates if candidate.base), default=0)
    if recipe.max_tokens is not None and longest < recipe.max_tokens:
        emit(
            "unused",
            Text(
                en=f"The base takes rows of {longest} tokens at most, not {recipe.max_tokens}.",
                ko=f"이 모델은 한 행에 최대 {longest}토큰까지 받습니다({recipe.max_tokens}은 불가).",
            ),
        )


def _main_base(task: Task, recipe: Recipe, languages: Sequence[str], emit: Emit) -> ModelFacts:
    """The base that is tuned: the recipe's, else the first default that can be had."""
    if recipe.base is not None:
        return resolve(recipe.base, accepted=recipe.accept_licence, emit=emit)
    reasons: list[SonmatError] = []
    for entry in default_bases(task, languages):
        try:
            base = resolve(entry.name, accepted=recipe.accept_licence, emit=emit)
        except ModelError as error:
            reasons.append(error)
            continue
        spoken = ", ".join(languages) or "-"
        emit(
            "base",
            Text(
                en=f"Base model: {entry.name} ({entry.title.en}; the default for {task.title.en} in {spoken}).",
                ko=f"기본 모델: {entry.name}({entry.title.ko}, {task.title.ko}·{spoken}의 기본값).",
            ),
            base=entry.name,
        )
        return base
    if reasons:
        raise reasons[0]
    raise ModelError(
        Text(
            en=f"The catalogue has no base model for {task.title.en}.",
            ko=f"목록에 {task.title.ko}용 기본 모델이 없습니다.",
        ),
        Text(en="Name one with --base (a hub id or a folder).", ko="--base로 모델(허브 id나 폴더)을 지정하세요."),
    )


def _prompt_bases(
    task: Task, recipe: Recipe, languages: Sequence[str], main: ModelFacts, refused: list[Refused], emit: Emit
) -> list[ModelFacts]:
    """A chat model to ask in words, where the tuned base cannot be asked: prompting must be among the arms."""
    wanted = not recipe.method or any(plugins.find("methods", name).role == "base" for name in recipe.method)
    if main.chat or task.generates or task.modality != "text" or not wanted:
        return []
    fitting = [entry for entry in catalogue() if _prompts_in(entry, languages)]
    reasons: list[Refused] = []
    for entry in fitting:
        try:
            return [resolve(entry.name, accepted=recipe.accept_licence, emit=emit)]
        except SonmatError as error:
            reasons.append(Refused(method="zero-shot", base=entry.name, reason=error.whole))
    if not fitting:
        spoken = ", ".join(languages)
        reason = Text(
            en=f"the catalogue has no chat model that speaks {spoken}",
            ko=f"목록에 {spoken} 언어로 대화하는 모델이 없습니다",
        )
        reasons = [Refused(method="zero-shot", base=None, reason=reason)]
    refused.extend(reasons)
    return []


def _prompts_in(entry: CatalogueEntry, languages: Sequence[str]) -> bool:
    return entry.kind == "causal-lm" and entry.chat and set(languages) <= set(entry.languages)


def _workload(
    base: ModelFacts, device: Device, split: Split, train: Sequence[Example], lengths: Lengths, spec: Spec
) -> Workload:
    return Workload(
        base=base,
        device=device,
        # Rows that an epoch sees.
        train_rows=max(1, round(sum(example.weight for example in train))),
        validation_rows=len(split.validation),
        test_rows=len(split.test),
        mean_tokens=lengths.mean_tokens,
        longest_tokens=lengths.longest_tokens,
        mean_target_tokens=lengths.mean_target_tokens,
        classes=len(spec.labels),
        used_ids=lengths.used_ids,
    )
