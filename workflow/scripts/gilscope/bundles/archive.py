"""A bundle as a zip file: one way to write it, so that what was written otherwise is told from it.

The zip's comment is a seal, the SHA-256 of every byte before it, so that a change anywhere is noticed, in the zip's own
records too. Of all that zip allows only what ``pack`` writes is read: plain files one after the other, deflated, at a
fixed date. So no entry can lie over another, lead elsewhere, or be what it does not say.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gilscope.bundles.manifest import MANIFEST, Flaw, newer, why_unsafe
from gilscope.configuring.models import BundleLimits

DATE = (1980, 1, 1, 0, 0, 0)
DOS_DATE = 33
MODE = 0o100644
SEALED = b"gilscope bundle 1 sha256:"
SEAL = re.compile(rb"gilscope bundle 1 sha256:[0-9a-f]{64}")
SEAL_LENGTH = len(SEALED) + 64
LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
UNIX = 3
DEFLATE_2_0 = 20
AGAIN = "ask for it again."
REMAKE = "ask whoever made it for one made with: snakemake bundle --cores 1"
TRUST = "raise that if you trust whoever made it."
MIB = 2**20
PIECE = 2**18
ZIP64 = b"PK\x06\x07"


def zipped(contents: Mapping[str, bytes]) -> bytes:
    """The bytes of a sealed zip with these files in this order: the same ones for the same contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9, allowZip64=False) as file:
        for name, content in contents.items():
            info = zipfile.ZipInfo(name, DATE)
            info.create_system, info.external_attr = UNIX, MODE << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content, compresslevel=9)
        file.comment = bytes(SEAL_LENGTH)
    return sealed(buffer.getvalue()[:-SEAL_LENGTH])


def sealed(data: bytes) -> bytes:
    """The bytes before a seal, with it."""
    return data + SEALED + hashlib.sha256(data).hexdigest().encode()


@dataclass(frozen=True)
class Member:
    """A file in a bundle. size: its bytes; packed: how many they take there, from ``start``; crc: their CRC-32."""

    name: str
    start: int
    packed: int
    size: int
    crc: int

    def unpacked(self, data: bytes) -> Iterator[bytes]:
        """Its content in pieces, never more of it than was declared. Raises Flaw. data: the whole bundle."""
        unpacker, length, crc = zlib.decompressobj(-zlib.MAX_WBITS), 0, 0
        for piece in self.pieces(unpacker, data):
            length, crc = length + len(piece), zlib.crc32(piece, crc)
            if length > self.size:
                raise Flaw(f"{self.name} in it unpacks to more than the {self.size} bytes it declares; do not use it.")
            yield piece
        if not unpacker.eof or unpacker.unused_data or length != self.size or crc != self.crc:
            raise Flaw(f"{self.name} in it is not what was packed; {AGAIN}")

    def pieces(self, unpacker: Any, data: bytes) -> Iterator[bytes]:
        end = self.start + self.packed
        for begin in range(self.start, end, PIECE):
            packed = data[begin : min(begin + PIECE, end)]
            piece = b"."
            while packed or piece:
                try:
                    piece = unpacker.decompress(packed, PIECE)
                except zlib.error as error:
                    raise Flaw(f"{self.name} in it cannot be unpacked; {AGAIN}") from error
                packed = unpacker.unconsumed_tail
                yield piece


def check_seal(data: bytes) -> None:
    """Raises Flaw unless every byte is as it was written."""
    if not data:
        raise Flaw(f"is empty; {AGAIN}")
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise Flaw("is not a zip file, so no bundle; make one with: snakemake bundle --cores 1")
    seal = data[-SEAL_LENGTH:]
    if not SEAL.fullmatch(seal):
        other = re.search(rb"gilscope bundle (\d{1,9}) [ -~]{0,300}\Z", data[-400:])
        if other and int(other[1]) > 1:
            raise Flaw(newer(other[1].decode()))
        if data.rfind(b"PK\x05\x06") < 0:
            raise Flaw(f"has been cut off since it was made; {AGAIN}")
        raise Flaw(f"has no seal: it has been changed, cut off or packed again since it was made; {AGAIN}")
    if seal[len(SEALED) :] != hashlib.sha256(memoryview(data)[:-SEAL_LENGTH]).hexdigest().encode():
        raise Flaw(f"has been changed or cut off since it was made; {AGAIN}")


def members(data: bytes, limits: BundleLimits) -> list[Member]:
    """The files in a sealed bundle, in order. Raises Flaw for anything that ``zipped`` does not write."""
    check_seal(data)
    count, at = read_end(data, limits)
    found: list[Member] = []
    begin, first = 0, at
    for number in range(count):
        member, length = read_member(data, at, begin)
        if number == 0 and member.name != MANIFEST:
            raise Flaw(f"its first file is {shown(member.name)}, not {MANIFEST}; {REMAKE}")
        found.append(member)
        at, begin = at + length, member.start + member.packed
    if begin != first:
        raise Flaw(f"there are bytes in it that belong to no file; {REMAKE}")
    if at != len(data) - END.size - SEAL_LENGTH:
        raise Flaw(f"its list of files is longer than the files it counts; {REMAKE}")
    check_names(found)
    unpacked = sum(member.size for member in found)
    if unpacked > limits.unpacked_mib * MIB:
        raise Flaw(
            f"would be {unpacked / MIB:.0f} MiB unpacked, more than the {limits.unpacked_mib:g} that "
            f"bundle_limits.unpacked_mib allows; {TRUST}"
        )
    return found


def read_end(data: bytes, limits: BundleLimits) -> tuple[int, int]:
    """How many files there are, and where the list of them begins."""
    place = len(data) - END.size - SEAL_LENGTH
    if place < 0 or data[place : place + 4] != b"PK\x05\x06":
        raise Flaw(f"does not end like a zip file; {REMAKE}")
    _, disk, disk_of_list, on_disk, count, size, start, comment = END.unpack_from(data, place)
    if 0xFFFF in (on_disk, count) or 0xFFFFFFFF in (size, start) or data.startswith(ZIP64, max(0, place - 20)):
        raise Flaw("is a zip64, for more or larger files than a bundle has; do not use it.")
    if count > limits.files + 1:
        raise Flaw(f"holds {count} files, more than the {limits.files} that bundle_limits.files allows; {TRUST}")
    if (disk, disk_of_list, on_disk, comment) != (0, 0, count, SEAL_LENGTH) or start + size != place:
        raise Flaw(f"its end does not say where its files are; {REMAKE}")
    if count == 0:
        raise Flaw(f"holds no files; {REMAKE}")
    return count, start


def read_member(data: bytes, at: int, begin: int) -> tuple[Member, int]:
    """The file whose record in the list is at ``at`` and whose data begin at ``begin``, and the record's length."""
    end = len(data) - END.size - SEAL_LENGTH
    if at + CENTRAL.size > end or data[at : at + 4] != b"PK\x01\x02":
        raise Flaw(f"its list of files is broken; {REMAKE}")
    fields = CENTRAL.unpack_from(data, at)
    flags, method, crc, packed, size, length = fields[3], fields[4], *fields[7:10], fields[10]
    name = data[at + CENTRAL.size : at + CENTRAL.size + length].decode("latin-1")
    if unsafe := why_unsafe(name):
        raise Flaw(f"the name of {shown(name)} in it {unsafe}; do not use it, nor unpack it.")
    if flags & 1:
        raise Flaw(f"{name} in it is encrypted; {REMAKE}")
    if method != zipfile.ZIP_DEFLATED:
        raise Flaw(f"{name} in it is packed by method {method}, not by deflating; {REMAKE}")
    if (mode := fields[15] >> 16) != MODE or fields[15] & 0xFFFF:
        kind = {0o120000: "a link", 0o040000: "a folder"}.get(mode & 0o170000, "not a plain file")
        raise Flaw(f"{name} in it is {kind if fields[15] else 'not a plain file'}; do not use it, nor unpack it.")
    if fields[16] != begin:
        raise Flaw(f"{name} in it does not begin where the file before it ends; do not use it.")
    member = Member(name, begin + LOCAL.size + length, packed, size, crc)
    if data[at : at + CENTRAL.size] != central_record(member, begin) or member.start + packed > end:
        raise Flaw(f"{name} in it is not recorded as gilscope does; {REMAKE}")
    if data[begin : member.start] != local_record(member):
        raise Flaw(f"{name} in it is announced otherwise than in the list of files; do not use it.")
    return member, CENTRAL.size + length


def central_record(member: Member, begin: int) -> bytes:
    made_by = UNIX << 8 | DEFLATE_2_0
    head = (b"PK\x01\x02", made_by, DEFLATE_2_0, 0, zipfile.ZIP_DEFLATED, 0, DOS_DATE)
    sizes = (member.crc, member.packed, member.size, len(member.name))
    return CENTRAL.pack(*head, *sizes, 0, 0, 0, 0, MODE << 16, begin)


def local_record(member: Member) -> bytes:
    head = (b"PK\x03\x04", DEFLATE_2_0, 0, zipfile.ZIP_DEFLATED, 0, DOS_DATE)
    sizes = (member.crc, member.packed, member.size, len(member.name))
    return LOCAL.pack(*head, *sizes, 0) + member.name.encode()


def check_names(found: list[Member]) -> None:
    seen: set[str] = set()
    for member in found:
        if member.name.lower() in seen:
            raise Flaw(f"{member.name} is twice in it; do not use it.")
        seen.add(member.name.lower())


def shown(text: str) -> str:
    """A name that may hold anything, on one line and not too long."""
    plain = text.encode("ascii", "backslashreplace").decode()
    plain = "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in plain)
    return repr(plain if len(plain) <= 60 else f"{plain[:57]}...")
