"""Release: put the candidate that the proof chose into use, once it has answered again exactly as it did in the proof.

In: the proof and the candidates. Out: `release.json`. What was proven is what is served: some test questions are answered by
the model as loaded from its folder, and an answer that differs stops the release.
"""

from __future__ import annotations

from collections.abc import Callable

from sonmat.core.errors import ModelError
from sonmat.core.protocols import Emit, Question
from sonmat.core.text import Text
from sonmat.core.values import Event, Json, Release
from sonmat.inference.device import detect_device
from sonmat.models.saved import load_predictor, open_saved
from sonmat.runs import RunFolder, write_value

TOLERANCE = 0.001
"""Largest change of a score: arithmetic of another machine, not another model."""


def release(
    folder: RunFolder,
    run_job: Callable[[RunFolder, str, Callable[[Event], None]], None],
    emit: Emit,
    tell: Callable[[Event], None],
    inputs: str,
) -> None:
    """Check the chosen candidate in a job of its own and write `release.json`.

    Raises:
        ModelError: it answers differently from the proof.
    """
    candidate = folder.proof().verdict.use
    if next(each for each in folder.plan().candidates if each.id == candidate).elsewhere:
        _release_elsewhere(folder, candidate, emit, inputs)
        return
    run_job(folder, f"replay/{candidate}", tell)
    replayed = len(folder.measured(candidate).golden)
    released = Release(candidate=candidate, folder=f"candidates/{candidate}/model", replayed=replayed)
    write_value(folder.file("release.json"), released, inputs)
    emit(
        "released",
        Text(
            en=f"In use: {candidate}; {replayed} test questions answered again as in the proof.",
            ko=f"사용 모델: {candidate}. 테스트 문항 {replayed}개에 증명 때와 같게 답했습니다.",
        ),
        candidate=candidate,
    )


def _release_elsewhere(folder: RunFolder, candidate: str, emit: Emit, inputs: str) -> None:
    """A model of another machine cannot be held to its answers: whoever owns it may change it any day."""
    released = Release(candidate=candidate, folder=f"candidates/{candidate}/model", replayed=0)
    write_value(folder.file("release.json"), released, inputs)
    emit(
        "released",
        Text(
            en=f"In use: {candidate}, which another machine answers for. It was not asked again: that it stays what was proven "
            "cannot be checked.",
            ko=f"사용 모델: {candidate}. 다른 기계가 답하므로 다시 묻지 않았습니다. 증명한 그대로인지는 확인할 수 없습니다.",
        ),
        candidate=candidate,
    )


def replay_candidate(folder: RunFolder, candidate_id: str, emit: Emit, should_pause: Callable[[], bool]) -> None:
    """The job "replay/CANDIDATE"."""
    wanted = {golden.row for golden in folder.measured(candidate_id).golden}
    examples = {example.id: example for example in folder.kept_examples() if example.id in wanted}
    model_folder = folder.candidate_folder(candidate_id) / "model"
    predictor = load_predictor(open_saved(model_folder, detect_device(), emit, media_root=str(folder.path)))
    for golden in folder.measured(candidate_id).golden:
        before = golden.output
        (prediction,) = predictor.answer([Question(golden.row, examples[golden.row].input)])
        if not _same(before, prediction.output):
            raise ModelError(
                Text(
                    en=f"{candidate_id} answers row {prediction.row} otherwise than in the proof.",
                    ko=f"{candidate_id}이(가) {prediction.row} 행에 증명 때와 다르게 답합니다.",
                ),
                Text(
                    en="The model in the folder is not the one that was proven: fit and prove again.",
                    ko="폴더의 모델이 증명한 모델과 다릅니다. 다시 학습하고 증명하세요.",
                ),
            )


def _same(before: Json, now: Json) -> bool:
    """Equal answers; of classifiers, equal up to rounding, so that two labels of like score may change places."""
    if before.get("scores") == now.get("scores"):
        # Where the scores are the very same, another label comes of another decision.
        return _words(before) == _words(now)
    if before.get("scores") and now.get("scores"):
        if before["scores"].keys() != now["scores"].keys():
            return False
        return all(abs(before["scores"][label] - score) <= TOLERANCE for label, score in now["scores"].items())
    return _words(before) == _words(now)


def _words(output: Json) -> str:
    return str(output.get("label", output.get("text", output)))
