"""Whether a sound file can really be decoded.

In: a path. Out: None, or the reason why not. All of it is decoded, block by block, because a file that was cut off has a good
header. Silence is no fault here.
"""

from __future__ import annotations

import struct
from pathlib import Path

from sonmat.core.text import Text

_FRAMES_AT_ONCE = 1 << 16
_DECODED = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff", ".aif")
"""What libsndfile reads."""


def sound_problem(path: Path) -> Text | None:
    """Why the sound cannot be used, or None if all of it decodes."""
    import soundfile

    if not path.is_file():
        return Text(en="the file is not there", ko="파일이 없습니다")
    if path.suffix.lower() not in _DECODED:
        return Text(
            en=f"is a {path.suffix} file, which is not decoded; convert it to WAV, FLAC, OGG or MP3",
            ko=f"{path.suffix} 파일은 풀 수 없습니다. WAV, FLAC, OGG, MP3로 바꾸세요",
        )
    try:
        with soundfile.SoundFile(path) as sound:
            promised, frames = sound.frames, 0
            for block in sound.blocks(_FRAMES_AT_ONCE, dtype="float32"):
                frames += len(block)
    except OSError as error:
        return _damaged(error.strerror or type(error).__name__)
    except RuntimeError as error:
        # soundfile's own errors; their text repeats the path.
        return _damaged(str(error).rsplit(": ", 1)[-1].rstrip("."))
    if not frames:
        return Text(en="holds no sound at all", ko="소리가 들어 있지 않습니다")
    if frames < promised or _is_cut(path):
        return Text(en="is cut off: it ends before its header says", ko="잘렸습니다. 파일 머리에 적힌 길이보다 짧습니다")
    return None


def _damaged(detail: str) -> Text:
    return Text(en=f"is no sound, or damaged ({detail})", ko=f"소리 파일이 아니거나 손상되었습니다({detail})")


def _is_cut(path: Path) -> bool:
    """Whether a WAV file is shorter than it says; libsndfile takes what is there for all of it."""
    with path.open("rb") as stream:
        head = stream.read(12)
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            return False
        size = path.stat().st_size
        while len(chunk := stream.read(8)) == 8:
            name, length = struct.unpack("<4sI", chunk)
            if name == b"data":
                # Programs that write to a pipe cannot know the length, and put in the largest or none.
                return bool(0 < length < 0x7FFFFFFF and stream.tell() + length > size)
            stream.seek(length + length % 2, 1)
    return True
