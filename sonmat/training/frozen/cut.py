"""Where the frozen part of a model ends, what of its output the rest reads, and how the rest runs without it.

In: a model some of whose parameters train, its blocks from input to output, and a few rows. Out: a `Cut`. It is found by looking, not
by knowing model classes: the last block (or the whole body) whose output no trained parameter has touched; and of that output only
what the losses really depend on, told by putting NaN in the place of everything else. It keeps nothing on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from sonmat.core.protocols import Batch, RowLosses
from sonmat.core.values import Device
from sonmat.inference.predictor import autocast, computing
from sonmat.training.weights import to_training_mode

Losses = Callable[[nn.Module, Batch], RowLosses]
PREFIX = "frozen output "
"""Put before a field's name for its tensor in a batch."""


@dataclass(frozen=True)
class Field:
    """One tensor of the frozen part's output, as it is kept for a row."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    """Of one row, or of one token where `by_token`."""
    by_token: bool
    keeps: Literal["all", "first", "nothing"] = "all"
    """first: the first token's alone, or the first patch's of a picture."""
    channels_last: bool = False

    def numbers(self, tokens: int) -> int:
        """How many numbers are kept for a row of so many tokens."""
        return 0 if self.keeps == "nothing" else torch.Size(self.kept_shape(tokens)).numel()

    def kept_shape(self, tokens: int) -> tuple[int, ...]:
        if self.keeps == "first":
            return self.shape if self.by_token else self.shape[1:]
        return (tokens, *self.shape) if self.by_token else self.shape


@dataclass(frozen=True)
class Cut:
    """The end of the frozen part: behind the last of `modules`, none of which has to run again."""

    name: str
    modules: tuple[nn.Module, ...]
    fields: tuple[Field, ...]
    rebuild: Callable[[dict[str, Tensor]], Any]
    """The output in the form that the last module gives it, from its tensors."""

    def outputs(self, model: nn.Module, losses: Losses, batch: Batch) -> dict[str, Tensor]:
        """What the frozen part makes of a batch; nothing behind it is computed."""
        caught: list[Any] = []

        def stop(module: nn.Module, inputs: Any, output: Any) -> None:
            caught.append(output)
            raise _EndReached

        hook = self.modules[-1].register_forward_hook(stop)
        try:
            losses(model, batch)
        except _EndReached:
            pass
        finally:
            hook.remove()
        return _tensors(caught[0])

    def rows(self, outputs: Mapping[str, Tensor], mask: Tensor | None) -> list[list[Tensor]]:
        """For each row of a batch one tensor a field: of real tokens alone, and of them only what is read."""
        found: list[list[Tensor]] = []
        count = len(next(iter(outputs.values())))
        for index in range(count):
            kept: list[Tensor] = []
            for field in self.fields:
                own = outputs[field.name][index]
                if field.by_token and mask is not None:
                    own = own[mask[index].bool()]
                kept.append(_part_kept(field, own))
            found.append(kept)
        return found

    def joined(self, rows: Sequence[Sequence[Tensor]], mask: Tensor | None) -> Batch:
        """A batch of what `rows` gave: zeros in the place of padding."""
        batch: Batch = {}
        for number, field in enumerate(self.fields):
            if field.keeps == "nothing":
                continue
            parts = [row[number] for row in rows]
            if field.by_token and field.keeps == "all":
                assert mask is not None, "tokens are told from padding by the mask"
                whole = torch.zeros(*mask.shape, *field.shape, dtype=field.dtype)
                whole[mask.bool()] = torch.cat(parts)
            else:
                whole = torch.stack(parts)
            batch[PREFIX + field.name] = whole.contiguous(memory_format=_format(field))
        return batch

    @contextmanager
    def replaced(self, batch: Batch) -> Iterator[Batch]:
        """The model runs on what `joined` gave instead of its frozen part; gives the batch as the task knows it."""
        mask = batch.get("attention_mask")
        given = {name.removeprefix(PREFIX): tensor for name, tensor in batch.items() if name.startswith(PREFIX)}
        rest = {name: tensor for name, tensor in batch.items() if not name.startswith(PREFIX)}
        rows, where = len(next(iter(rest.values()))), next(iter(rest.values())).device
        whole = {field.name: _whole(field, given.get(field.name), rows, mask, where) for field in self.fields}
        output = self.rebuild(whole)
        with ExitStack() as stack:
            for module in self.modules:
                stack.enter_context(_giving(module, output))
            yield rest


def find_cut(
    model: nn.Module, body: nn.Module, blocks: Sequence[nn.Module], losses: Losses, batch: Batch, device: Device
) -> Cut | None:
    """The highest cut below everything that trains; None where there is none that gives the same losses.

    Args:
        body: the pretrained model without the task's output layer.
        batch: a few rows, on the device, of different lengths where the task's rows have any.
    """
    ends = [*blocks, body]
    outputs = _probed(model, ends, losses, batch, device, seed=0)
    frozen = [number for number, output in enumerate(outputs) if output is not None and _is_frozen(output.tensors)]
    if not frozen:
        return None
    at = frozen[-1]
    again = _probed(model, ends, losses, batch, device, seed=1)[at]
    first = outputs[at]
    if first is None or again is None or not _same(first.tensors, again.tensors):
        return None  # chance has a hand in it, such as dropout between frozen layers
    name = next(name for name, module in model.named_modules() if module is ends[at])
    fields = tuple(_field(name, tensor, batch.get("attention_mask")) for name, tensor in first.tensors.items())
    cut = Cut(name, tuple(ends[: at + 1]) if at < len(blocks) else (body,), fields, _rebuilder(first.output))
    return _narrowed(cut, model, losses, batch, device)


class _EndReached(Exception):
    """Leaves a forward pass at the end of the frozen part."""


@dataclass(frozen=True)
class _Given:
    """What a module gave: its form, and its tensors as they were then."""

    output: Any
    tensors: dict[str, Tensor]


def _probed(
    model: nn.Module, modules: Sequence[nn.Module], losses: Losses, batch: Batch, device: Device, seed: int
) -> list[_Given | None]:
    """What each module gives in a training step; None for one that does not run."""
    outputs: list[_Given | None] = [None] * len(modules)

    def keeper(number: int) -> Callable[[nn.Module, Any, Any], None]:
        def keep(module: nn.Module, inputs: Any, output: Any) -> None:
            # Copied, because what comes behind may write into it: MobileNetV2's dropout does.
            outputs[number] = _Given(output, {name: tensor.clone() for name, tensor in _tensors(output).items()})

        return keep

    hooks = [module.register_forward_hook(keeper(number)) for number, module in enumerate(modules)]
    to_training_mode(model)
    try:
        with torch.random.fork_rng(), autocast(device):
            torch.manual_seed(seed)
            losses(model, batch)
    finally:
        for hook in hooks:
            hook.remove()
    return outputs


def _is_frozen(tensors: Mapping[str, Tensor]) -> bool:
    """Whether there are any and none of them depends on a parameter that trains."""
    return bool(tensors) and not any(tensor.requires_grad for tensor in tensors.values())


def _narrowed(cut: Cut, model: nn.Module, losses: Losses, batch: Batch, device: Device) -> Cut | None:
    """`cut` with as little kept as gives the same losses; None if even all of it gives others."""
    mask = batch.get("attention_mask")
    model.eval()
    with computing(device):
        wanted = losses(model, batch).sums
        outputs = cut.outputs(model, losses, batch)
        # Of pictures and sounds nothing but the frozen part may read anything.
        rest = {
            name: torch.full_like(tensor, torch.nan) if tensor.is_floating_point() else tensor
            for name, tensor in batch.items()
        }

        def suffices(candidate: Cut) -> bool:
            joined = candidate.joined([_on_cpu(row) for row in candidate.rows(outputs, mask)], _cpu(mask))
            with candidate.replaced(
                {**rest, **{name: tensor.to(wanted.device) for name, tensor in joined.items()}}
            ) as given:
                return torch.allclose(losses(model, given).sums, wanted, rtol=1e-4, atol=1e-5)

        if not suffices(cut):
            return None
        starts_filled = mask is None or bool(mask[:, 0].all())
        for number, field in enumerate(cut.fields):
            smaller: list[Field] = [replace(field, keeps="nothing")]
            if starts_filled if field.by_token else len(field.shape) > 1:
                smaller.append(replace(field, keeps="first"))
            for choice in smaller:
                candidate = replace(cut, fields=(*cut.fields[:number], choice, *cut.fields[number + 1 :]))
                if suffices(candidate):
                    cut = candidate
                    break
    return cut


def _field(name: str, tensor: Tensor, mask: Tensor | None) -> Field:
    by_token = mask is not None and tensor.ndim > 2 and tensor.shape[:2] == mask.shape
    return Field(
        name=name,
        dtype=tensor.dtype,
        shape=tuple(tensor.shape[2:] if by_token else tensor.shape[1:]),
        by_token=by_token,
        channels_last=tensor.ndim == 4
        and not tensor.is_contiguous()
        and tensor.is_contiguous(memory_format=torch.channels_last),
    )


def _part_kept(field: Field, own: Tensor) -> Tensor:
    if field.keeps == "nothing":
        return own.new_empty(0)
    return own[0] if field.keeps == "first" else own


def _whole(field: Field, given: Tensor | None, rows: int, mask: Tensor | None, where: torch.device) -> Tensor:
    """A field's tensor as the frozen part would give it, NaN where nothing was kept, so that whoever reads it is found out."""
    if given is not None and field.keeps == "all":
        return given
    tokens = (mask.shape[1],) if field.by_token and mask is not None else ()
    nothing = torch.full((), torch.nan, dtype=field.dtype, device=where).expand(rows, *tokens, *field.shape)
    if given is None:
        return nothing
    filled = nothing.clone(memory_format=torch.contiguous_format)
    filled[:, 0] = given
    return filled


@contextmanager
def _giving(module: nn.Module, output: Any) -> Iterator[None]:
    """`module` gives `output`, whatever it is called with."""
    own = vars(module).get("forward")
    module.forward = lambda *_, **__: output
    try:
        yield
    finally:
        if own is None:
            del module.forward
        else:
            module.forward = own


def _tensors(output: Any) -> dict[str, Tensor]:
    """The tensors of a module's output by name or position; what is not a tensor is left out."""
    if isinstance(output, Tensor):
        return {"output": output}
    named: Any = output.items() if isinstance(output, Mapping) else enumerate(output)
    return {str(name): value for name, value in named if isinstance(value, Tensor)}


def _rebuilder(output: Any) -> Callable[[dict[str, Tensor]], Any]:
    if isinstance(output, Tensor):
        return lambda tensors: tensors["output"]
    if isinstance(output, Mapping):
        kind: Any = type(output)
        return lambda tensors: kind(**tensors)
    length = len(output)
    return lambda tensors: tuple(tensors.get(str(place)) for place in range(length))


def _same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def _format(field: Field) -> torch.memory_format:
    return torch.channels_last if field.channels_last and field.keeps == "all" else torch.contiguous_format


def _cpu(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else mask.cpu()


def _on_cpu(row: Sequence[Tensor]) -> list[Tensor]:
    return [tensor.cpu() for tensor in row]
