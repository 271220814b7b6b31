"""Holds a model family to its contract: `check_family(family)` passes silently or says which promise is broken.

In: a `Family` plug-in. Out: nothing, or an AssertionError. Uses a random tiny model and a tiny tokenizer made on the spot;
downloads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonmat import plugins
from sonmat.core.protocols import Family, Message

if TYPE_CHECKING:
    from torch import nn

_TURNS: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "How are you?"},
    {"role": "assistant", "content": "Well."},
    {"role": "user", "content": "And now?"},
    {"role": "assistant", "content": "Still well."},
]
_STOP_TOKENS = ("</s>", "<end_of_turn>", "<|im_end|>")
"""What may stand behind an answer: the tokenizer's end of text or a family's own end of a turn."""


def check_family(family: Family) -> None:
    """Assert that `family` keeps its contract.

    Raises:
        AssertionError: the message names the family and the broken promise.
    """
    lacking = plugins.missing_members(family, "families")
    assert not lacking, f"{family.name}: lacks {', '.join(lacking)}"
    _check_tiny_model(family)
    if family.chat_template is not None:
        _check_template(family)


def _check_tiny_model(family: Family) -> None:
    from transformers import AutoModel

    config = family.tiny()
    if config is None:
        return
    assert family.matches(f"tiny-{family.name}", config.to_dict()), f"{family.name}: does not match its own tiny config"
    model = AutoModel.from_config(config)
    blocks = family.blocks(model)
    assert blocks, f"{family.name}: has no blocks"
    assert all(any(True for _ in block.parameters()) for block in blocks), f"{family.name}: a block has no weights"
    places = _places(model, blocks)
    assert None not in places, f"{family.name}: a block is no module of the model"
    assert places == sorted(place for place in places if place is not None), f"{family.name}: blocks are not in order"
    assert len(set(places)) == len(places), f"{family.name}: a block is listed twice"
    targets = family.lora_targets
    if targets != "all-linear":
        names = [name for name, _ in model.named_modules()]
        missing = [target for target in targets if not any(f".{name}".endswith(f".{target}") for name in names)]
        assert not missing, f"{family.name}: no module is called {', '.join(missing)}"


def _places(model: nn.Module, blocks: list[nn.Module]) -> list[int | None]:
    """Where each block stands in the model's own order of modules; None for a module of something else."""
    order = {id(module): place for place, module in enumerate(model.modules())}
    return [order.get(id(block)) for block in blocks]


def _check_template(family: Family) -> None:
    tokenizer = _tiny_tokenizer()
    tokenizer.chat_template = family.chat_template
    whole = tokenizer.apply_chat_template(_TURNS, tokenize=False)
    for turn in _TURNS:
        assert turn["content"] in whole, f"{family.name}: the template loses '{turn['content']}'"
    assert whole.count(tokenizer.bos_token) <= 1, f"{family.name}: the template repeats the begin token"
    for end, turn in enumerate(_TURNS):
        if turn["role"] != "assistant":
            continue
        asked = tokenizer.apply_chat_template(_TURNS[:end], tokenize=False, add_generation_prompt=True)
        answered = tokenizer.apply_chat_template(_TURNS[: end + 1], tokenize=False)
        assert answered.startswith(asked), f"{family.name}: the prompt is not how the answered conversation begins"
        assert whole.startswith(answered), f"{family.name}: a later turn changes how an earlier one is rendered"
        closing = answered[len(asked) :].removeprefix(turn["content"]).strip()
        assert closing in _STOP_TOKENS, f"{family.name}: an answer ends with '{closing}' instead of a stop token"


def _tiny_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<s>", "</s>", "<unk>", "<start_of_turn>", "<end_of_turn>", "<|im_start|>", "<|im_end|>"]
    model = models.WordLevel({token: number for number, token in enumerate(special)}, unk_token="<unk>")
    backend = Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
