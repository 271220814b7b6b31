"""Which names are those of sound files. In: a name. Out: yes or no. Nothing is opened."""

from __future__ import annotations

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aiff")


def is_audio_name(name: str) -> bool:
    """Whether a file of this name is taken as sound."""
    return name.lower().endswith(AUDIO_SUFFIXES)
