"""Whether a picture file can really be decoded.

In: a path. Out: None, or the reason why not. The whole picture is decoded, because a truncated file has a good header.
"""

from __future__ import annotations

import warnings
from pathlib import Path

from sonmat.core.text import Text

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


def is_image_name(name: str) -> bool:
    """Whether a file of this name is taken as a picture."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def image_problem(path: Path) -> Text | None:
    """Why the picture cannot be used, or None if all of it decodes."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # A picture so large that Pillow warns of a decompression bomb is not decoded.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                image.load()
    except FileNotFoundError:
        return Text(en="the file is not there", ko="파일이 없습니다")
    except UnidentifiedImageError:
        return Text(en="is not a picture, or its header is damaged", ko="그림 파일이 아니거나 머리 부분이 손상되었습니다")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return Text(en="has more pixels than can be decoded safely", ko="픽셀이 너무 많아 안전하게 풀 수 없습니다")
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        return Text(en=f"is truncated or damaged ({error})", ko=f"잘렸거나 손상되었습니다({error})")
    return None


def image_size(path: Path) -> tuple[int, int] | None:
    """Width and height in pixels as the header says, without decoding; None where it cannot be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return image.size
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
