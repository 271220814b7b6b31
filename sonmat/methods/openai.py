"""A model that another machine answers for, named by its address (`--arm openai:URL:MODEL`): what tuning one's own competes with.

In: an address. Out: a predictor that sends every question there, in the words that an untuned base is asked in. Nothing is trained and
nothing of a model lies on this machine. A plan never chooses it by itself: naming the address is the user's word that rows may leave.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.protocols import FitJob, FitResult, No, Predictor, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Json, ModelFacts

SECONDS_AN_ANSWER = 2.0


class OpenAISettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field("", description="Where it is asked; said by --arm openai:URL:MODEL.")
    model: str = Field("", description="What it is called there; said by --arm.")
    max_new_tokens: int | None = Field(
        None,
        ge=1,
        description="Longest answer in tokens, hidden reasoning included; if left out, 16 or more for a label, and the plan's limit "
        "for chat.",
    )
    at_once: int = Field(4, ge=1, le=64, description="Questions that are under way at the same time.")
    timeout: float = Field(
        120.0, gt=0, description="Seconds after which a request without an answer is given up and made again."
    )
    attempts: int = Field(
        6, ge=1, le=20, description="How often a question is asked while the endpoint is busy or breaks off."
    )


class OpenAI:
    name = "openai"
    title = Text(en="model asked elsewhere", ko="외부 모델")
    role: Literal["floor", "base", "tuned"] = "base"
    needs_base = False
    learns = False
    Settings: type[BaseModel] = OpenAISettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        return No(
            Text(
                en="it needs an address: --arm openai:URL:MODEL",
                ko="주소가 필요합니다: --arm openai:URL:모델",
            )
        )

    def propose(self, task: Task, workload: Workload) -> Json:
        return {}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        assert isinstance(settings, OpenAISettings)
        seconds = round(workload.test_rows * SECONDS_AN_ANSWER / settings.at_once, 1)
        basis = Text(
            en=f"{SECONDS_AN_ANSWER:g} seconds an answer assumed, {settings.at_once} at once",
            ko=f"답 하나에 {SECONDS_AN_ANSWER:g}초, 한 번에 {settings.at_once}개로 어림",
        )
        return Estimate(peak_bytes=200 << 20, seconds=seconds, basis=basis)

    def fit(self, job: FitJob) -> FitResult:
        return FitResult()

    def load(self, saved: SavedModel) -> Predictor:
        from sonmat.inference.endpoint.address import Address
        from sonmat.inference.endpoint.client import Pace, open_client
        from sonmat.prompting.endpoint import EndpointPredictor

        settings = saved.settings
        assert isinstance(settings, OpenAISettings)
        pace = Pace(at_once=settings.at_once, attempts=settings.attempts, timeout_seconds=settings.timeout)
        client = open_client(Address(url=settings.url, model=settings.model), saved.kept, pace)
        return EndpointPredictor(client, saved.task, saved.spec, settings.max_new_tokens)


plugin = OpenAI()
