"""Small pictures as data URIs, so that the page needs no other file.

In: the path of a picture inside a run folder. Out: a `data:` URI, or None for a picture that is missing, broken or elsewhere.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Final

LONGEST_SIDE: Final = 224


def thumbnail(folder: Path, name: str) -> str | None:
    """The picture `name` of the run `folder`, at most `LONGEST_SIDE` pixels wide and high."""
    from PIL import Image, ImageOps

    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        return None
    try:
        with Image.open(path) as picture:
            upright = ImageOps.exif_transpose(picture)
            small = upright.convert("RGBA" if "A" in upright.getbands() else "RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    stream = io.BytesIO()
    if small.mode == "RGBA":
        small.save(stream, "PNG", optimize=True)
        kind = "png"
    else:
        small.save(stream, "JPEG", quality=82)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"
