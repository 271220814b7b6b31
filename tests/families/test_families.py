"""Every family keeps its contract, and the conformance suite notices one that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sonmat import plugins
from sonmat.conformance.family import check_family
from sonmat.core.protocols import Family

if TYPE_CHECKING:
    from torch import nn

LLAMA = plugins.find("families", "llama")


@pytest.mark.parametrize("family", plugins.every("families"), ids=lambda family: family.name)
def test_every_family_keeps_its_contract(family: Family) -> None:
    check_family(family)


@pytest.mark.parametrize(
    ("name", "config", "family"),
    [
        ("intfloat/multilingual-e5-small", {"model_type": "bert"}, "e5"),
        ("intfloat/e5-base-v2", {"model_type": "bert"}, "e5"),
        ("intfloat/multilingual-e5-large", {"model_type": "xlm-roberta"}, "e5"),
        ("intfloat/multilingual-e5-large-instruct", {"model_type": "xlm-roberta"}, "bert"),
        ("intfloat/e5-mistral-7b-instruct", {"model_type": "mistral"}, "llama"),
        ("some/re5pect", {"model_type": "bert"}, "bert"),
        ("kykim/albert-kor-base", {"model_type": "albert"}, "bert"),
        ("smollm2-135m", {"model_type": "llama"}, "llama"),
        ("gemma3-270m", {"model_type": "gemma3_text"}, "gemma3"),
        ("google/mobilenet_v2_1.0_224", {"model_type": "mobilenet_v2"}, "mobilenet_v2"),
        ("anything", {"model_type": "never-heard-of"}, "generic"),
    ],
)
def test_a_model_goes_to_the_most_specific_family(name: str, config: dict[str, str], family: str) -> None:
    assert plugins.family_of(name, config).name == family


def test_only_e5_texts_take_a_prefix() -> None:
    prefixes = {family.name: family.text_prefix for family in plugins.every("families") if family.text_prefix}
    assert prefixes == {"e5": "query: "}


def test_the_generic_family_finds_the_layers_of_a_model_it_does_not_know() -> None:
    from transformers import AutoModel

    config = LLAMA.tiny()
    assert config is not None
    model = AutoModel.from_config(config)
    assert plugins.find("families", "generic").blocks(model) == LLAMA.blocks(model)


def test_albert_has_the_one_block_that_its_depths_share() -> None:
    from transformers import AlbertConfig, AlbertModel

    config = AlbertConfig(
        vocab_size=32, embedding_size=8, hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=16
    )
    assert len(plugins.find("families", "bert").blocks(AlbertModel(config))) == 1


class Faulty:
    """Llama with one fault planted."""

    def __init__(self, **faults: Any) -> None:
        self.faults = faults

    def __getattr__(self, name: str) -> Any:
        return self.faults[name] if name in self.faults else getattr(LLAMA, name)


def _reversed(model: nn.Module) -> list[nn.Module]:
    return LLAMA.blocks(model)[::-1]


def _none(model: nn.Module) -> list[nn.Module]:
    return []


def _twice(model: nn.Module) -> list[nn.Module]:
    return LLAMA.blocks(model)[:1] * 2


TEMPLATE = LLAMA.chat_template or ""


@pytest.mark.parametrize(
    ("faults", "complaint"),
    [
        ({"blocks": _reversed}, "not in order"),
        ({"blocks": _none}, "no blocks"),
        ({"blocks": _twice}, "twice"),
        ({"lora_targets": ("no_such_projection",)}, "no module is called no_such_projection"),
        ({"chat_template": TEMPLATE.replace(" + eos_token", "")}, "instead of a stop token"),
        (
            {"chat_template": TEMPLATE.replace("{{ 'Assistant: ' }}", "{{ 'Bot: ' }}")},
            "how the answered conversation begins",
        ),
        ({"chat_template": TEMPLATE.replace("'Assistant: ' +", "bos_token + 'Assistant: ' +")}, "begin token"),
        ({"chat_template": "{{ messages[-1]['content'] }}"}, "loses"),
        ({"matches": lambda name, config: False}, "does not match its own tiny config"),
    ],
)
def test_the_conformance_suite_notices_a_planted_fault(faults: dict[str, Any], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_family(Faulty(**faults))
