"""Fit: every planned candidate becomes a model folder.

In: the plan and the split. Out: `candidates/<id>/model/` and `fitted.json` for each, and `fit.json`, written last. Each
candidate trains in a job of its own; one that fails is recorded with its reason, and the others go on. A candidate whose
settings and data are unchanged is never trained twice; a half-trained one continues. In a cross-validation each candidate trains
once more for every fold, in `candidates/<id>@<fold>/`, before it trains on all rows. One that stands on another comes after it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sonmat import plugins
from sonmat.core.decision import COST_METRIC
from sonmat.core.errors import ModelError, Paused, ResourceError, SonmatError, WorkerFailed
from sonmat.core.protocols import Emit, FitJob, Method, SavedModel
from sonmat.core.text import Text, reader_language
from sonmat.core.values import Candidate, Device, Event, Example, Fits, Fitted, Plan
from sonmat.inference.device import detect_device, peak_memory
from sonmat.models.deciding import costs_of_run, decide_again, decide_fitted, is_decided
from sonmat.models.saved import open_saved, present, write_manifest
from sonmat.runs import RunFolder, write_value
from sonmat.runs.files import atomic_write, read_header
from sonmat.runs.fit_keys import candidate_key as candidate_key
from sonmat.runs.fit_keys import choosing_key, make_room
from sonmat.runs.folder import UNFINISHED
from sonmat.runs.folds import candidate_and_fold, fold_name, folds_of, has_answered
from sonmat.runs.parts import candidate_of, read_part
from sonmat.training.checkpoint import gives_second_names
from sonmat.training.disk import most_bytes
from sonmat.training.settings import TUNED, TrainingSettings

CACHE_KEPT_BYTES = 1 << 30
"""Outputs of frozen layers that stay in a finished run."""

RunJob = Callable[[RunFolder, str, Callable[[Event], None]], None]


def fit(folder: RunFolder, run_job: RunJob, emit: Emit, tell: Callable[[Event], None], inputs: str) -> None:
    """Fit every candidate of the plan that is not yet fitted.

    Raises:
        Paused: Ctrl-C.
        SettingError: the recipe's costs do not fit the labels.
        WorkerFailed: no candidate at all could be fitted.
    """
    plan = folder.plan()
    # Wrong costs are said before anything is trained.
    costs_of_run(folder)
    fitted: list[str] = []
    failed: dict[str, Text] = {}
    split = folder.split()
    for number, candidate in enumerate(plan.candidates, start=1):
        folds = folds_of(candidate, split)
        for name in (*(fold_name(candidate.id, fold + 1) for fold in range(folds)), candidate.id):
            decide_again(folder, candidate, name, candidate_key(folder, candidate, name))
            if _is_fitted(folder, candidate, name) and not _is_needed(folder, plan, name):
                continue
            make_room(folder, name, choosing_key(folder, candidate, name))
            emit("candidate", _title(candidate, name, folds), candidate=name, number=number, of=len(plan.candidates))
            try:
                _require_what_it_stands_on(candidate, failed)
                _require_disk(folder, candidate, name)
                run_job(folder, f"fit/{name}", tell)
            except Paused:
                raise
            except SonmatError as error:
                failed[candidate.id] = error.whole
                emit("candidate_failed", error.whole, candidate=candidate.id)
                break
        else:
            fitted.append(candidate.id)
    if not any(candidate.role == "tuned" and candidate.id in fitted for candidate in plan.candidates) and failed:
        reasons = [f"{name}: {reason}" for name, reason in failed.items()]
        raise WorkerFailed(
            Text(en="No candidate could be trained.", ko="학습에 성공한 후보가 없습니다."),
            Text(en="\n".join(reasons), ko="\n".join(reasons)),
        )
    if not failed:
        _clear_large_cache(folder.file("cache") / "frozen")
    write_value(
        folder.file("fit.json"), Fits(fitted=tuple(fitted), failed=failed), f"{UNFINISHED}{inputs}" if failed else inputs
    )


def fit_candidate(folder: RunFolder, name: str, emit: Emit, should_pause: Callable[[], bool]) -> None:
    """The job "fit/CANDIDATE", "fit/CANDIDATE@FOLD" or that of a part of the rows: train it here and now, continuing from its last
    checkpoint. Of what is not tuned, the folds after this one are done as well: starting a process would take longer than they do.

    Raises:
        Paused, TrainingDiverged, ModelError, ResourceError: see `core.protocols.Method.fit`.
    """
    _fit_one(folder, name, emit, should_pause)
    candidate_id, fold = candidate_and_fold(name)
    candidate = next((entry for entry in folder.plan().candidates if entry.id == candidate_id), None)
    if candidate is None or fold is None or candidate.role == "tuned":
        return
    later = [fold_name(candidate_id, each + 1) for each in range(fold, folds_of(candidate, folder.split()))]
    for each in (*later, candidate_id):
        if not _is_fitted(folder, candidate, each):
            make_room(folder, each, choosing_key(folder, candidate, each))
            _fit_one(folder, each, emit, should_pause)


def _fit_one(folder: RunFolder, name: str, emit: Emit, should_pause: Callable[[], bool]) -> None:
    plan = folder.plan()
    candidate_id, fold = candidate_and_fold(name)
    candidate = next(entry for entry in plan.candidates if entry.id == candidate_of(candidate_id))
    split = folder.split()
    where = folder.candidate_folder(name)
    model_folder = where / "model.part"
    shutil.rmtree(model_folder, ignore_errors=True)
    model_folder.mkdir(parents=True)
    start = time.perf_counter()
    method, job = _job_of(folder, name, candidate, emit, should_pause)
    result = method.fit(job)
    write_manifest(model_folder, candidate, plan.task)
    decide_fitted(folder, candidate, name, job, candidate_key(folder, candidate, name), emit)
    shutil.rmtree(where / "model", ignore_errors=True)
    model_folder.rename(where / "model")
    # A candidate's cost is that of all its models.
    before = (
        [folder.fitted(fold_name(name, each + 1)) for each in range(folds_of(candidate, split))] if fold is None else []
    )
    fitted = Fitted(
        candidate=name,
        seconds=sum(each.seconds for each in before) + _earlier_seconds(folder, name) + time.perf_counter() - start,
        peak_bytes=max([peak_memory(), *(each.peak_bytes for each in before)]),
        steps=result.steps,
        best_step=result.best_step,
        selection=dict(result.selection),
        trained_parameters=result.trained_parameters,
        stopped=result.stopped,
        budget=result.budget,
    )
    write_value(where / "fitted.json", fitted, candidate_key(folder, candidate, name))


def profile_candidate(folder: RunFolder, name: str, emit: Emit, should_pause: Callable[[], bool]) -> None:
    """The job "profile/CANDIDATE": write `profile.md` and `profile.json.gz` about a few steps of its training, and nothing else.

    Raises:
        Paused, TrainingDiverged, ModelError, ResourceError: see `core.protocols.Method.fit`.
    """
    from sonmat.training.profile import profile_fit
    from sonmat.training.profile_page import profile_page

    candidate = next(entry for entry in folder.plan().candidates if entry.id == name)
    where = folder.candidate_folder(name)
    method, job = _job_of(folder, name, candidate, emit, should_pause)
    found = profile_fit(method, job, where / "profile.json.gz")
    language = folder.recipe().lang or reader_language()
    atomic_write(where / "profile.md", profile_page(found, name, language))


def profile(folder: RunFolder, run_job: RunJob, emit: Emit, tell: Callable[[Event], None]) -> list[str]:
    """Profile every fitted candidate that trains; returns their names. Their models stay as they are.

    Raises:
        Paused: Ctrl-C.
        SonmatError: what a job raised.
    """
    profiled: list[str] = []
    for candidate in folder.plan().candidates:
        settings = plugins.find("methods", candidate.method).Settings
        if candidate.id not in folder.fits().fitted or not issubclass(settings, TrainingSettings):
            continue
        title = _title(candidate, candidate.id, 0)
        said = Text(en=f"Profiling a few steps: {title.en}", ko=f"몇 단계만 다시 돌려 재는 중: {title.ko}")
        emit("profiling", said, candidate=candidate.id)
        run_job(folder, f"profile/{candidate.id}", tell)
        profiled.append(candidate.id)
    return profiled


def _job_of(
    folder: RunFolder, name: str, candidate: Candidate, emit: Emit, should_pause: Callable[[], bool]
) -> tuple[Method, FitJob]:
    """How `candidate` trains, under the name of its model or of that of a fold."""
    plan, split = folder.plan(), folder.split()
    task, method = plugins.find("tasks", plan.task), plugins.find("methods", candidate.method)
    fold = candidate_and_fold(name)[1]
    learnt, part = split if fold is None else split.folds[fold - 1], read_part(folder, name)
    train = part.train if part is not None else learnt.train
    wanted = {*train, *learnt.validation}
    examples = {example.id: example for example in folder.kept_examples() if example.id in wanted}
    where = folder.candidate_folder(name)
    # Of this machine: the run may have been planned on another.
    device = detect_device() if candidate.base else Device()
    costs = costs_of_run(folder)
    job = FitJob(
        task=task,
        spec=candidate.spec.model_copy(update={"media_root": str(folder.path)}),
        base=present(candidate.base, emit),
        family=plugins.find("families", candidate.base.family) if candidate.base else None,
        settings=method.Settings.model_validate(candidate.settings),
        train=_chosen(examples, train),
        validation=_chosen(examples, learnt.validation),
        selection=plugins.find("metrics", task.selection_metric if costs is None else COST_METRIC),
        folder=where / "model.part",
        work=where / "work",
        seed=part.seed if part is not None else folder.recipe().seed,
        device=device,
        emit=emit,
        should_pause=should_pause,
        cache=folder.file("cache"),
        documents=tuple(map(Path, folder.recipe().documents)) if candidate.documents else (),
        over=_opened(folder, candidate.over, fold, device, emit) if candidate.over is not None else None,
        encoder=present(candidate.encoder, emit),
        costs=costs,
    )
    return method, job


def _opened(folder: RunFolder, over: str, fold: int | None, device: Device, emit: Emit) -> SavedModel:
    """The fitted model that another candidate stands on, of the same fold."""
    name = over if fold is None else fold_name(over, fold)
    return open_saved(folder.candidate_folder(name) / "model", device, emit, media_root=str(folder.path))


def _is_fitted(folder: RunFolder, candidate: Candidate, name: str) -> bool:
    """Whether this very model has been trained. That of a fold is needed no more once it has answered."""
    where = folder.candidate_folder(name)
    header = read_header(where / "fitted.json")
    key = candidate_key(folder, candidate, name)
    if header is None or header.inputs != key or not is_decided(folder, candidate, name, key):
        return False
    return name == candidate.id or (where / "model").exists() or has_answered(folder, name)


def _is_needed(folder: RunFolder, plan: Plan, name: str) -> bool:
    """Whether the model of a fold has gone, and a candidate that stands on it still has to be made."""
    candidate_id, fold = candidate_and_fold(name)
    if fold is None or (folder.candidate_folder(name) / "model").exists():
        return False
    above = [each for each in plan.candidates if each.over == candidate_id]
    return any(not _is_fitted(folder, each, fold_name(each.id, fold)) for each in above)


def _require_what_it_stands_on(candidate: Candidate, failed: Mapping[str, Text]) -> None:
    """Raises:
    ModelError: the candidate whose model this one asks has none.
    """
    if candidate.over is None or candidate.over not in failed:
        return
    reason = failed[candidate.over]
    raise ModelError(
        Text(
            en=f"{candidate.over}, which it stands on, could not be trained: {reason.en}",
            ko=f"바탕이 되는 {candidate.over}을(를) 학습하지 못했습니다. {reason.ko}",
        )
    )


def _require_disk(folder: RunFolder, candidate: Candidate, name: str) -> None:
    """Raises:
    ResourceError: less of the disk is free than checkpoints and models of this fit will take at once.
    """
    estimate = candidate.estimate
    if candidate.role != "tuned" or not estimate.checkpoint_bytes:
        return
    most = most_bytes(
        estimate.checkpoint_bytes,
        estimate.model_bytes,
        replay_tuned=candidate.settings.get("replay") == TUNED,
        second_names=gives_second_names(folder.path),
    )
    # What an interrupted fit has written is taken already, and will be written over.
    free, need = shutil.disk_usage(folder.path).free, most - _bytes_in(folder.candidate_folder(name) / "work")
    if free >= need:
        return
    raise ResourceError(
        Text(
            en=f"{candidate.id} may need {need / 1e9:.1f} GB of disk for checkpoints and its model, and {free / 1e9:.1f} GB "
            f"are free where {folder.path} lies.",
            ko=f"{candidate.id}의 체크포인트와 모델에 디스크 {need / 1e9:.1f} GB가 필요할 수 있는데, {folder.path}이(가) 있는 곳에는 "
            f"{free / 1e9:.1f} GB만 비어 있습니다.",
        ),
        Text(
            en="Free some space, or put the run on another disk with --folder. What was done so far stays.",
            ko="공간을 비우거나 --folder로 다른 디스크를 지정하세요. 지금까지 한 것은 그대로 남습니다.",
        ),
    )


def _clear_large_cache(cache: Path) -> None:
    """Outputs of frozen layers serve the next settings that are tried; but not at the price of a disk."""
    if _bytes_in(cache) > CACHE_KEPT_BYTES:
        shutil.rmtree(cache)


def _bytes_in(folder: Path) -> int:
    """Of all files in `folder`; one with two names counts once."""
    found = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum({(each.st_dev, each.st_ino): each.st_size for each in found}.values())


def _earlier_seconds(folder: RunFolder, name: str) -> float:
    """Seconds of steps that earlier, interrupted processes had done and that were not repeated; of each share of replay, where
    several were trained."""
    events = list(folder.candidate_events(name))
    resumed = {
        event.data.get("replay"): (index, int(event.data["step"]))
        for index, event in enumerate(events)
        if event.kind == "resumed"
    }
    seconds: dict[tuple[float | None, int], float] = {}
    for index, event in enumerate(events):
        share = event.data.get("replay")
        before, last_step = resumed.get(share, (0, 0))
        if event.kind == "step" and index < before and int(event.data["step"]) <= last_step:
            seconds[share, int(event.data["step"])] = float(event.data["seconds"])
    return sum(seconds.values())


def _chosen(examples: dict[str, Example], ids: tuple[str, ...]) -> list[Example]:
    return [examples[id] for id in ids]


def _title(candidate: Candidate, name: str, folds: int) -> Text:
    title = plugins.find("methods", candidate.method).title
    base = f" · {candidate.base.name}" if candidate.base else ""
    base = f" · {candidate.over}" if candidate.over is not None else base
    if not folds:
        return Text(en=f"{title.en}{base}", ko=f"{title.ko}{base}")
    fold = candidate_and_fold(name)[1]
    part = (
        Text(en="all rows", ko="전체 행") if fold is None else Text(en=f"fold {fold} of {folds}", ko=f"폴드 {fold}/{folds}")
    )
    return Text(en=f"{title.en}{base} · {part.en}", ko=f"{title.ko}{base} · {part.ko}")
