from __future__ import annotations

import random
import zlib
from collections.abc import Sequence

from gilscope.workloads import Site, workload

LEVEL = 6
WORDS = 2_000


def texts(length: int, tasks: int, site: Site) -> Sequence[bytes]:
    """A text of made-up words for each task, which shrinks to some 40 %; the same on every machine."""
    dice = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(dice.choices(letters, k=dice.randint(2, 9))) for _ in range(WORDS)]
    return [" ".join(dice.choices(words, k=length // 3)).encode()[:length] for _ in range(tasks)]


def text_and_less(length: int) -> int:
    return 2 * length


@workload(
    kind="cpu",
    library=True,
    sizes={"small": 8_000, "medium": 30_000, "large": 150_000, "deck": 3_000_000},
    unit="bytes",
    inputs=texts,
    memory=text_and_less,
    seconds=lambda length: length / 60e6,
)
def compress(text: bytes) -> tuple[int, int]:
    """Compresses a text with zlib, which lets go of the GIL; answers with the result's length and check sum."""
    packed = zlib.compress(text, LEVEL)
    return len(packed), zlib.crc32(packed)
