"""What a recording sounds like, in 1,024 bits: the same after a change of volume, sampling rate or file format, another for
another recording.

In: the file of a recording. Out: whether each of 16 frequency bands (150 to 3,400 Hz) is louder than the next and than itself a
moment before, at 32 moments spread over the recording (after Haitsma and Kalker, A Highly Robust Audio Fingerprinting System,
2002), and its length without the silence at both ends; or nothing where there is no sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.buckets import first_of, second_of
from sonmat.checking.hamming import near_prints

BITS = 1024
MOST_BITS = 205
"""A fifth. Two unrelated recordings differ in about half."""
_MOMENTS, _BANDS = 32, 16
_LOWEST_HERTZ, _HIGHEST_HERTZ = 150.0, 3400.0
_SECONDS_READ = 60
_FRAME_SECONDS, _HOP_SECONDS = 0.064, 0.008
_SILENCE = 1e-4
"""Power of a frame below the loudest one's, -40 dB."""
_NOTHING = 1e-10
_LENGTHS_APART = 0.05


@dataclass(frozen=True)
class SoundPrint:
    bits: NDArray[np.uint64]
    """Shape (16,)."""
    seconds: float


def sound_print(path: Path) -> SoundPrint | None:
    """The print of the first minute of a recording; None if it is silent or cannot be decoded, which another check reports."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as opened:
            rate = opened.samplerate
            samples = opened.read(int(_SECONDS_READ * rate), dtype="float32", always_2d=True).mean(axis=1)
    except (OSError, RuntimeError, ValueError):
        return None
    bands = _band_powers(np.asarray(samples, np.float64), rate)
    power = bands.sum(axis=1)
    if not len(power) or power.max() < _NOTHING:
        return None
    loud = np.flatnonzero(power > _SILENCE * power.max())
    bands = bands[loud[0] : loud[-1] + 1]
    if len(bands) < 2:
        return None
    level = np.log(_at_moments(bands, _MOMENTS + 1) + _NOTHING * bands.max())
    next_band = np.diff(level, axis=1)
    bits = np.concatenate((np.diff(next_band, axis=0).ravel() > 0, np.diff(level[:, :_BANDS], axis=0).ravel() > 0))
    return SoundPrint(np.packbits(bits).view(np.uint64), len(bands) * _HOP_SECONDS)


def alike_sounds(bits: NDArray[np.uint64], seconds: NDArray[np.float64]) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Pairs of prints (`first << 32 | second`) that sound the same, and the share of equal bits, up to 1."""
    codes = near_prints(bits, MOST_BITS)
    first, second = first_of(codes), second_of(codes)
    shorter, longer = np.minimum(seconds[first], seconds[second]), np.maximum(seconds[first], seconds[second])
    alike = shorter >= (1 - _LENGTHS_APART) * longer
    differing = np.bitwise_count(bits[first[alike]] ^ bits[second[alike]]).sum(axis=1, dtype=np.int64)
    return codes[alike], 1 - differing / BITS


def _band_powers(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Power in each of 17 bands, evenly spaced in logarithm, frame by frame, shape (frames, 17)."""
    frame, hop = int(_FRAME_SECONDS * rate), max(int(_HOP_SECONDS * rate), 1)
    if len(samples) < frame or frame < 2:
        return np.empty((0, _BANDS + 1))
    frames = np.lib.stride_tricks.sliding_window_view(samples, frame)[::hop]
    edges = np.geomspace(_LOWEST_HERTZ, _HIGHEST_HERTZ, _BANDS + 2)
    bins = np.searchsorted(np.fft.rfftfreq(frame, 1 / rate), edges)
    powers = np.empty((len(frames), _BANDS + 1))
    window = np.hanning(frame)
    for start in range(0, len(frames), 512):
        spectrum = np.abs(np.fft.rfft(frames[start : start + 512] * window, axis=1)) ** 2 / frame**2
        summed = np.concatenate((np.zeros((len(spectrum), 1)), np.cumsum(spectrum, axis=1)), axis=1)
        powers[start : start + 512] = summed[:, np.maximum(bins[1:], bins[:-1] + 1)] - summed[:, bins[:-1]]
    return powers


def _at_moments(bands: NDArray[np.float64], moments: int) -> NDArray[np.float64]:
    """The mean power in so many equal stretches, frames at their edges shared."""
    summed = np.concatenate((np.zeros((1, bands.shape[1])), np.cumsum(bands, axis=0)))
    edges = np.linspace(0, len(bands), moments + 1)
    places = np.arange(len(summed))
    at_edges = np.stack([np.interp(edges, places, column) for column in summed.T], axis=1)
    return np.asarray(np.diff(at_edges, axis=0) / (len(bands) / moments))
