"""Replay: the base's own answers to general prompts, mixed into the training rows, so that tuning does not drive them out.

In: a job, and its base before any weight is trained. Out: the job with further rows. The base answers greedily, once; the answers are
kept beside the run and found again by all that they depend on, so a resumed fit and every fold see the same rows (self-synthesized
rehearsal, Huang et al. 2024; experience replay, Rolnick et al. 2019). No item of the proof's panel is among the prompts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sonmat.core.errors import ModelError, Paused, SettingError
from sonmat.core.protocols import FitJob, Task
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Example, ModelFacts, Source
from sonmat.inference.device import torch_device
from sonmat.inference.generation import Generated, generate_each
from sonmat.inference.predictor import computing
from sonmat.inference.token_costs import WRITTEN_COST
from sonmat.runs.files import atomic_write, sha256_of
from sonmat.training.estimates import operations_per_token, useful_rate
from sonmat.training.general_texts import Prompt, prompts
from sonmat.training.settings import Replay

if TYPE_CHECKING:
    from torch import nn

MOST_NEW_TOKENS: Final = 256
"""An answer that has not ended by then is left out: to learn its last token would be to learn to stop in mid-sentence."""
FEWEST_ANSWERS: Final = 8


def check_replay(task: Task, replay: Replay) -> None:
    """Raises:
    SettingError: there is to be replay, and models of the task write no answers.
    """
    if replay and (not task.generates or "messages" not in task.Input.model_fields):
        raise _only_where_answers_are_written()


def with_written_answers(estimate: Estimate, replay: Replay, base: ModelFacts, device: Device) -> Estimate:
    """The estimate of all fits, with the time in which the base answers the general prompts: once, whatever the folds and shares.

    At most so long: answers that end sooner are not waited for.
    """
    if replay == 0:
        return estimate
    asked = len(_asked_of(base))
    tokens = asked * MOST_NEW_TOKENS * WRITTEN_COST
    seconds = operations_per_token(base) * tokens / useful_rate(device)
    basis = Text(
        en=f"{estimate.basis.en}; before it the base writes {asked} answers to be replayed, for {seconds:.0f} s at most",
        ko=f"{estimate.basis.ko}. 그 전에 기본 모델이 되새길 답 {asked}개를 쓰는 시간은 최대 {seconds:.0f}초",
    )
    return estimate.model_copy(update={"seconds": round(estimate.seconds + seconds, 1), "basis": basis})


def with_replay(job: FitJob, share: float, model: nn.Module, processor: Any) -> FitJob:
    """`job` with replayed rows, weighted so that they are `share` of the rows of an epoch; the job itself for a share of 0.

    Raises:
        ModelError: the base ends too few answers by itself.
        Paused: asked to; the answers will be written from the beginning.
    """
    if share == 0:
        return job
    answers = _base_answers(job, model, processor)
    own = sum(example.weight for example in job.train)
    weight = own * share / (1 - share) / len(answers)
    job.emit("replay", _mixed_in(len(answers), share), rows=len(answers), share=share)
    return replace(job, train=(*job.train, *(_example(*answer, weight) for answer in answers)))


def _base_answers(job: FitJob, model: nn.Module, processor: Any) -> list[tuple[Prompt, str]]:
    assert job.base is not None, "what trains has a base"
    wanted = _asked_of(job.base)
    file = _kept_in(job, model, processor, wanted)
    if file.is_file():
        texts = json.loads(file.read_text(encoding="utf-8"))
    else:
        texts = _written(job, model, processor, wanted)
        atomic_write(file, json.dumps(texts, ensure_ascii=False, indent=1))
    answers = [(prompt, texts[prompt.id]) for prompt in wanted if texts.get(prompt.id)]
    if len(answers) < min(FEWEST_ANSWERS, len(wanted)):
        raise _never_ends(len(answers), len(wanted))
    return answers


def _asked_of(base: ModelFacts) -> list[Prompt]:
    """In the languages that it speaks; all, where it speaks none of them or nobody knows."""
    spoken = [prompt for prompt in prompts() if not base.languages or prompt.language in base.languages]
    return spoken or list(prompts())


def _written(job: FitJob, model: nn.Module, processor: Any, wanted: Sequence[Prompt]) -> dict[str, str]:
    """The answers that ended by themselves, by the id of their prompt."""
    model.to(torch_device(job.device)).eval()
    rows = [job.task.encode_input(_input(prompt), processor, job.spec).arrays["input_ids"] for prompt in wanted]
    room = max(1, min(MOST_NEW_TOKENS, job.spec.max_tokens - max(map(len, rows))))
    found: dict[str, str] = {}
    start = last = time.perf_counter()
    generated = generate_each(model, processor, rows, room, computing=lambda: computing(job.device))
    for done, (index, answer) in enumerate(generated, start=1):
        if job.should_pause():
            raise Paused(
                Text(
                    en=f"Paused after {done} of {len(rows)} answers of the base.",
                    ko=f"기본 모델의 답 {len(rows)}개 가운데 {done}개를 쓰고 멈췄습니다.",
                )
            )
        if _ended(answer, room):
            found[wanted[index].id] = answer.text
        now = time.perf_counter()
        if now - last > 1:
            last = now
            job.emit(
                "progress",
                _writing(),
                done=done,
                total=len(rows),
                seconds_left=round((now - start) / done * (len(rows) - done), 1),
            )
    return found


def _ended(answer: Generated, room: int) -> bool:
    return bool(answer.text) and answer.tokens < room


def _kept_in(job: FitJob, model: Any, processor: Any, wanted: Sequence[Prompt]) -> Path:
    """A file whose name tells all that the answers depend on."""
    assert job.base is not None, "what trains has a base"
    key = sha256_of(
        job.base.checksum,
        [[prompt.id, prompt.prompt] for prompt in wanted],
        str(processor.chat_template),
        [MOST_NEW_TOKENS, job.spec.max_tokens],
        [str(next(model.parameters()).dtype), job.device.kind, job.device.bf16],
    )
    return (job.cache or job.work / "cache") / "replay" / f"{key[:32]}.json"


def _input(prompt: Prompt) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": prompt.prompt}]}


def _example(prompt: Prompt, text: str, weight: float) -> Example:
    source = Source(file="replay", row=0)
    return Example(id=prompt.id, input=_input(prompt), target={"text": text}, source=source, weight=weight)


def _only_where_answers_are_written() -> SettingError:
    return SettingError(
        Text(
            en="replay mixes in answers that the base wrote, and this task's models write none.",
            ko="replay는 기본 모델이 쓴 답을 섞는 설정인데, 이 과제의 모델은 답을 쓰지 않습니다.",
        ),
        Text(
            en="Leave replay out; interpolate and a lower learning_rate preserve encoders too.",
            ko="replay를 빼세요. 인코더의 지식은 interpolate나 더 낮은 learning_rate로 지킬 수 있습니다.",
        ),
    )


def _never_ends(found: int, of: int) -> ModelError:
    return ModelError(
        Text(
            en=f"The base ended only {found} of {of} answers to general prompts by itself; there is too little to replay.",
            ko=f"기본 모델이 일반 질문 {of}개 가운데 {found}개에만 끝까지 답해서 되새길 답이 부족합니다.",
        ),
        Text(
            en="Choose a base that was tuned for chat, or leave replay out and add general data of your own as a source.",
            ko="대화용으로 학습된 기본 모델을 고르거나, replay를 빼고 일반 데이터를 소스로 더하세요.",
        ),
    )


def _mixed_in(rows: int, share: float) -> Text:
    return Text(
        en=f"{rows} answers that the base wrote itself are mixed in: {share:.0%} of the rows of an epoch.",
        ko=f"기본 모델이 직접 쓴 답 {rows}개를 섞습니다. 에폭마다 행의 {share:.0%}입니다.",
    )


def _writing() -> Text:
    return Text(en="the base answers general prompts", ko="기본 모델이 일반 질문에 답하는 중")
