"""Forgetting: what a model could do besides its task before it was tuned, and can no longer do.

A model that writes is asked the general panel, base and tuned the same items, and its next-token probabilities on fixed general
texts are set beside those of its base. An encoder's view of the panel's sentences is set beside that of its base. How much the
base itself moves when the same thing is said in other words is the noise floor. Nothing is trained, and no model judges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sonmat.core.probing import Seen, Setting, Work
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, Predictor, Row, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example, Json, ModelFacts, Source
from sonmat.inference.behind import body_of, neural_behind, untuned
from sonmat.inference.pooled import pooled
from sonmat.inference.predictor import NeuralPredictor, computing
from sonmat.probing.answers import asked, can_be_asked, has_weights_of_another
from sonmat.probing.panel import AREAS, LANGUAGES, GeneralText, Language, items, sentences, texts
from sonmat.probing.panel.asking import OPENINGS, answer_items
from sonmat.probing.panel.measuring import panel_measures, text_measures
from sonmat.probing.panel.views import bare, packed, view_measures

if TYPE_CHECKING:
    from torch import nn

ASKED_TWICE: Final = 3
"""One item of so many is asked again in other words."""
_TOKENS: Final = 1024
"""Room for an item of the panel, whatever the length of the user's rows."""
_SENTENCE_TOKENS: Final = 128


class Forgetting:
    name = "forgetting"
    title = Text(en="Forgetting", ko="망각")
    measures: tuple[str, ...] = (
        "all", "accuracy", *AREAS, "moved", "wording", "kl", "wording_kl",
        "cka", "wording_cka", "neighbours", "wording_neighbours",
    )  # fmt: skip

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        if candidate.base is None or candidate.role == "floor":
            return No(Text(en="there is no base model behind it.", ko="기본 모델을 쓰지 않습니다."))
        if has_weights_of_another(candidate):
            return No(
                Text(
                    en="it asks a model that another arm asks too, and only weights forget.",
                    ko="다른 후보와 같은 모델을 씁니다. 망각은 가중치가 달라질 때만 생깁니다.",
                )
            )
        if setting.task.modality != "text":
            return No(Text(en="the panel is made of texts.", ko="문항이 모두 글입니다."))
        if setting.task.generates:
            return (
                Yes() if can_be_asked(setting.task) else No(Text(en="it takes no questions.", ko="질문을 받지 않습니다."))
            )
        if candidate.role == "base":
            return No(Text(en="it is what the tuned ones are compared with.", ko="미세조정한 모델과 견주는 기준입니다."))
        return Yes()

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        assert candidate.base is not None, "supported arms have a base"
        neural = neural_behind(predictor)
        neural.model.eval()
        if not setting.task.generates:
            yield from _views(neural, candidate, candidate.base)
            return
        room = max(neural.spec.max_tokens, min(_TOKENS, candidate.base.max_positions))
        neural = replace(neural, spec=neural.spec.model_copy(update={"max_tokens": room, "supervise": "last"}))
        known = languages_of(candidate.base)
        chosen = [item for item in items() if item.language in known]
        # The noise floor is the base's; a tuned arm need not be asked twice.
        again = chosen[::ASKED_TWICE] if candidate.role == "base" else ()
        yield from answer_items(neural, setting.task, chosen, again)
        yield from _divergences(neural, candidate, candidate.base)

    def work(self, setting: Setting, candidate: Candidate) -> Work:
        assert candidate.base is not None, "supported arms have a base"
        known = languages_of(candidate.base)
        if not setting.task.generates:
            chosen = [sentence for language in known for sentence in sentences(language).values()]
            # The base's view, that of the arm, and the base's of other words.
            return Work(len(chosen), read_bytes=3.0 * sum(len(sentence.encode()) for sentence in chosen))
        asked_once = [item for item in items() if item.language in known]
        again = asked_once[::ASKED_TWICE] if candidate.role == "base" else []
        compared = [text for text in texts() if text.language in known]
        read = sum(len("".join((item.prompt, *item.choices)).encode()) for item in (*asked_once, *again))
        read += 2 * sum(len((text.prompt + text.text).encode()) for text in compared)
        written = sum(item.most_tokens for item in (*asked_once, *again))
        return Work(len(asked_once) + len(compared), float(read), float(written))

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        if not setting.task.generates:
            return view_measures(self.name, own, setting.seed)
        return [
            *panel_measures(self.name, own, base, setting.seed),
            *text_measures(self.name, own, base, setting.seed),
        ]


def languages_of(base: ModelFacts) -> frozenset[Language]:
    """Languages of the panel that the base speaks: nobody forgets what he never knew. All of them where nothing is known of it."""
    return frozenset(language for language in LANGUAGES if language in base.languages) or frozenset(LANGUAGES)


def _divergences(neural: NeuralPredictor, candidate: Candidate, base: ModelFacts) -> Iterator[Json]:
    """Of every general text its tokens, and summed over them KL(base‖tuned), or of a base KL(plain‖behind another opening)."""
    from sonmat.inference.divergence import divergence, log_probabilities

    reference = untuned(neural.model, base, neural.task.auto_model) if candidate.role == "tuned" else None
    for text in texts():
        if text.language not in languages_of(base):
            continue
        plain = _row(text, neural, "")
        with computing(neural.device):
            own = log_probabilities(neural.model, plain)
            if reference is None:
                other = log_probabilities(neural.model, _row(text, neural, OPENINGS[text.language]))
                moved = {"wording": float(divergence(own, other).sum())}
            else:
                with reference() as before:
                    moved = {"kl": float(divergence(log_probabilities(before, plain), own).sum())}
        yield {"row": text.id, "tokens": len(own), **moved}


def _row(text: GeneralText, neural: NeuralPredictor, opening: str) -> Row:
    input = asked(neural.task, opening + text.prompt)
    example = Example(id=text.id, input=input, target={"text": text.text}, source=Source(file="", row=0))
    return neural.task.encode(example, neural.processor, neural.spec)


def _views(neural: NeuralPredictor, candidate: Candidate, base: ModelFacts) -> Iterator[Json]:
    """Of every sentence the vectors of the base and of the arm, and the base's of the sentence without its last mark."""
    chosen = {id: sentence for language in languages_of(base) for id, sentence in sentences(language).items()}
    plain = list(chosen.values())

    def vectors(model: nn.Module, wanted: Sequence[str]) -> list[str]:
        prefixed = [neural.spec.text_prefix + sentence for sentence in wanted]
        return [packed(row) for row in pooled(body_of(model), neural.processor, prefixed, _SENTENCE_TOKENS, neural.device)]

    own = vectors(neural.model, plain)
    with untuned(neural.model, base, "AutoModel")() as before:
        reference = vectors(before, plain)
        reworded = vectors(before, [bare(sentence) for sentence in plain])
    for place, id in enumerate(chosen):
        yield {"row": id, "base": reference[place], "own": own[place], "reworded": reworded[place]}


plugin = Forgetting()
