"""Sound as vectors without any model: how loud each band of pitch is, on average and how much that changes.

In: paths of sound files. Out: one vector of length 1 each, of up to 120 dimensions. It tells apart voices, rooms, music and
noise, not words; a file that cannot be decoded has a vector that is like no other's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.progress import Progress
from sonmat.core.protocols import Emit
from sonmat.core.text import Text
from sonmat.embedding.directions import unit_rows

_SECONDS = 30
"""Of each file, from its beginning."""
_WINDOW_SECONDS = 0.032
_STEP_SECONDS = 0.016
_BANDS = 40
_LOWEST_HERTZ = 60.0
_HIGHEST_HERTZ = 8_000.0
"""The bands are the same for every rate; those above half a file's rate stay silent."""
_SILENCE = 1e-8


def sound_features(paths: Sequence[Path], emit: Emit) -> NDArray[np.float32]:
    """One vector of length 1 for each file, float32 of shape (rows, 120)."""
    progress = Progress(emit, Text(en="Listening to the sound", ko="소리를 들어 보는 중"), len(paths))
    numbers = np.zeros((len(paths), 3 * _BANDS), dtype=np.float64)
    heard = np.zeros(len(paths), dtype=bool)
    for row, path in enumerate(paths):
        described = _described(path)
        if described is not None:
            numbers[row], heard[row] = described, True
        progress.step()
    if heard.any():
        spread = numbers[heard].std(axis=0)
        numbers[heard] = (numbers[heard] - numbers[heard].mean(axis=0)) / np.where(spread > 1e-6, spread, 1)
    return unit_rows(numbers.astype(np.float32))


def _described(path: Path) -> NDArray[np.float64] | None:
    """Mean, deviation and mean change of the logarithm of each band's power; None if the file cannot be decoded."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            wave = file.read(frames=rate * _SECONDS, dtype="float32", always_2d=True).mean(axis=1)
    except (OSError, RuntimeError, ValueError):
        return None  # soundfile's own errors are RuntimeErrors
    size, step = int(rate * _WINDOW_SECONDS), max(int(rate * _STEP_SECONDS), 1)
    if size < 2:
        return None
    wave = np.pad(wave, (0, max(size - len(wave), 0)))
    windows = np.lib.stride_tricks.sliding_window_view(wave, size)[::step] * np.hanning(size)
    power = np.abs(np.fft.rfft(windows, axis=1)) ** 2 / size
    bands = np.log(power @ _filters(rate, size) + _SILENCE)
    change = np.abs(np.diff(bands, axis=0)).mean(axis=0) if len(bands) > 1 else np.zeros(_BANDS)
    return np.concatenate([bands.mean(axis=0), bands.std(axis=0), change])


@cache
def _filters(rate: int, size: int) -> NDArray[np.float64]:
    """Triangles evenly spaced on the mel scale (O'Shaughnessy 1987), shape (frequencies, 40)."""
    lowest, highest = _mel(np.array([_LOWEST_HERTZ, _HIGHEST_HERTZ])).tolist()
    edges = np.linspace(lowest, highest, _BANDS + 2)
    at = _mel(np.fft.rfftfreq(size, 1 / rate).astype(np.float64))[:, None]
    rising = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    return np.asarray(np.maximum(np.minimum(rising, falling), 0), dtype=np.float64)


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(2595 * np.log10(1 + hertz / 700))
