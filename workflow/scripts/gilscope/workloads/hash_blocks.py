from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from gilscope.workloads import Site, workload

BLOCKS = 4


def blocks(length: int, tasks: int, site: Site) -> Sequence[bytes]:
    """One block of its own for each task; the same on every machine."""
    dice = random.Random(6)
    return [dice.getrandbits(8 * length).to_bytes(length, "big") for _ in range(tasks)]


def one_block(length: int) -> int:
    return length


@workload(
    kind="cpu",
    library=True,
    sizes={"small": 2_047, "medium": 81_920, "large": 1_100_000, "deck": 16_000_000},
    unit="bytes",
    inputs=blocks,
    memory=one_block,
    seconds=lambda length: BLOCKS * length / 1.8e9,
)
def hash_blocks(block: bytes) -> int:
    """Hashes a block 4 times with SHA-256, each time after the last digest; up to 2047 bytes hashlib keeps the GIL."""
    digest = b""
    for _ in range(BLOCKS):
        chained = hashlib.sha256(digest)
        chained.update(block)
        digest = chained.digest()
    return int.from_bytes(digest, "big")
