"""Tokenizers small enough for a test of milliseconds, made from words and needing no download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""The ChatML template: roles between <|im_start|> and <|im_end|>."""


def word_tokenizer(texts: Sequence[str], chat: bool = False) -> Any:
    """A tokenizer that knows the words of `texts`; with `chat`, ChatML's turn tokens and template too."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    turns = ["<|im_start|>", "<|im_end|>"] if chat else []
    special = ["<pad>", "<unk>", *turns]
    words = sorted({word for text in texts for word in text.split()} | ({"system", "user", "assistant"} if chat else set()))
    vocabulary = {word: index for index, word in enumerate([*special, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="<|im_end|>" if chat else None,
        additional_special_tokens=turns[:1],
        chat_template=CHATML if chat else None,
    )
