from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageFilter

from gilscope.workloads import Site, workload

RADIUS = 4


def pictures(width: int, tasks: int, site: Site) -> Sequence[Any]:
    """tasks pairs of a width and the pixels of a square RGB image of that width; the same on every machine."""
    dice = random.Random(4)
    return [(width, dice.getrandbits(8 * 3 * width**2).to_bytes(3 * width**2, "big")) for _ in range(tasks)]


def two_pictures(width: int) -> int:
    return 2 * 4 * width**2


@workload(
    kind="cpu",
    libraries=("pillow",),
    library=True,
    sizes={"small": 48, "medium": 160, "large": 384, "deck": 800},
    unit="pixels wide",
    inputs=pictures,
    memory=two_pictures,
    seconds=lambda width: width**2 / 28e6,
)
def image_blur(picture: Any) -> int:
    """Blurs an image with Pillow's Gaussian filter, which is written in C; answers with the picture's check sum."""
    width, pixels = picture
    image = Image.frombytes("RGB", (width, width), pixels)
    return zlib.crc32(image.filter(ImageFilter.GaussianBlur(RADIUS)).tobytes())
