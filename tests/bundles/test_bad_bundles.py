"""Bundles that others made wrong, damaged or meant badly: each ends in one line, and nothing of it is written or run."""

from __future__ import annotations

import json
import os
import re
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundled import (
    LIMITS,
    contents_of,
    edited,
    first_of_list,
    listed,
    manifest_of,
    packed,
    plain,
    refusal,
    refused,
    repacked,
    resealed,
    small_bundle,
    zipped,
)
from gilscope.bundles.archive import CENTRAL, END, LOCAL, SEAL_LENGTH
from gilscope.bundles.content import Interval
from gilscope.bundles.manifest import MANIFEST, BadBundle, why_unsafe
from gilscope.bundles.reading import read_bundle
from gilscope.configuring.models import BundleLimits

Make = Callable[[Path], bytes]
CSV = "summary.csv"
LAB = "labs/cp311/startup.json"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_bundle(tmp_path_factory.mktemp("good"))


def in_csv(old: str, new: str, count: int = 1) -> Make:
    """A bundle whose table of estimates has something else in place of what matches."""

    def make(good: Path) -> bytes:
        text = contents_of(good)[CSV].decode()
        changed, found = re.subn(old, lambda _: new, text, count=count, flags=re.MULTILINE)
        assert found, old
        return repacked(good, {CSV: changed.encode("utf-8", "surrogatepass")})

    return make


def in_cell(column: str, value: str) -> Make:
    """A bundle with another value in the second row of that column of the estimates."""

    def make(good: Path) -> bytes:
        lines = [line.split(",") for line in contents_of(good)[CSV].decode().splitlines()]
        lines[2][lines[0].index(column)] = value
        return repacked(good, {CSV: "\n".join(map(",".join, lines)).encode()})

    return make


def in_json(name: str, *place: Any, value: Any) -> Make:
    """A bundle with another value at a place in one of its JSON files."""

    def edit(content: Any) -> None:
        for key in place[:-1]:
            content = content[key]
        content[place[-1]] = value

    return lambda good: edited(good, name, edit)


def text(name: str, content: bytes) -> Make:
    return lambda good: repacked(good, {name: content})


def raw(name: str, old: bytes, new: bytes) -> Make:
    """A bundle one of whose files has other bytes in place of those."""

    def make(good: Path) -> bytes:
        content = contents_of(good)[name]
        assert old in content
        return repacked(good, {name: content.replace(old, new, 1)})

    return make


def about(**said: Any) -> Make:
    return lambda good: repacked(good, {}, said)


def with_entry(name: str | zipfile.ZipInfo, content: bytes = b"x", method: int = zipfile.ZIP_DEFLATED) -> Make:
    """A bundle with one more file, which its manifest lists."""

    def make(good: Path) -> bytes:
        files = contents_of(good)
        path = name if isinstance(name, str) else name.filename
        told = {**manifest_of(good), "files": listed({**files, path: content})}
        packing = [(MANIFEST, json.dumps(told).encode()), *files.items()]
        return zipped([*((plain(one), data) for one, data in packing), (name, content)], method)

    return make


def ends_with(*changes: tuple[int, int]) -> Make:
    """A bundle whose last record says something else: (place of a field, its value)."""

    def make(good: Path) -> bytes:
        data = bytearray(good.read_bytes())
        place = len(data) - SEAL_LENGTH - END.size
        fields = list(END.unpack_from(data, place))
        for number, value in changes:
            fields[number] = value
        END.pack_into(data, place, *fields)
        return resealed(bytes(data))

    return make


def lies(field: int, value: int, local: int | None = None, member: int = 1) -> Make:
    """A bundle whose list says something else of a file, and, where ``local`` is a field of it, the file's own head too."""

    def make(good: Path) -> bytes:
        data = bytearray(good.read_bytes())
        place = first_of_list(data)
        for _ in range(member):
            place += CENTRAL.size + CENTRAL.unpack_from(data, place)[10]
        fields = list(CENTRAL.unpack_from(data, place))
        if local is not None:
            head = list(LOCAL.unpack_from(data, fields[16]))
            head[local] = value
            LOCAL.pack_into(data, fields[16], *head)
        fields[field] = value
        CENTRAL.pack_into(data, place, *fields)
        return resealed(bytes(data))

    return make


def twice(good: Path) -> bytes:
    files = [(MANIFEST, json.dumps(manifest_of(good)).encode()), *contents_of(good).items()]
    with pytest.warns(UserWarning, match="Duplicate name"):
        return zipped([*files, ("machine.json", b"{}")])


def unlisted(good: Path) -> bytes:
    return packed({**contents_of(good), "extra.json": b"{}"}, manifest_of(good))


def left_out(good: Path) -> bytes:
    return packed({name: data for name, data in contents_of(good).items() if name != LAB}, manifest_of(good))


def otherwise(**entry: Any) -> Make:
    def make(good: Path) -> bytes:
        manifest = manifest_of(good)
        manifest["files"]["verdicts.json"].update(entry)
        return packed(contents_of(good), manifest)

    return make


def packed_again(good: Path) -> bytes:
    return zipped([(MANIFEST, b"{}")])[:-SEAL_LENGTH] + b" " * SEAL_LENGTH


def repeated_rows(good: Path) -> bytes:
    lines = contents_of(good)[CSV].splitlines()
    return repacked(good, {CSV: b"\n".join([*lines, lines[3]])})


def bomb(good: Path) -> bytes:
    return repacked(good, {"raw.json": bytes(30 * 2**20)})


LINK = plain("link.json", mode=0o120777)
FOLDER = plain("folder.json", mode=0o040755)
DEVICE = plain("device.json", mode=0o020666)
DEEP = b"[" * 200_000 + b"]" * 200_000
CONTAINERS: dict[str, tuple[Make, str]] = {
    "empty": (lambda good: b"", "is empty; ask for it again"),
    "truncated": (lambda good: good.read_bytes()[:-5000], "has been cut off since it was made; ask for it again"),
    "truncated by a byte": (lambda good: good.read_bytes()[:-1], "has been changed, cut off or packed again"),
    "no zip": (lambda good: b"<html>not found</html>" * 99, "is not a zip file"),
    "an empty zip": (lambda good: b"PK\x05\x06" + bytes(18), "has no seal"),
    "packed again": (packed_again, "has no seal: it has been changed, cut off or packed again since it was made"),
    "a changed byte": (
        lambda good: good.read_bytes().replace(b"gilscope", b"gilscopf", 1)[:2000] + good.read_bytes()[2001:],
        "has been changed or cut off since it was made",
    ),
    "a newer seal": (
        lambda good: good.read_bytes()[:-SEAL_LENGTH] + b"gilscope bundle 2 blake3:" + b"0" * 64,
        r"was made by a newer gilscope \(manifest 2, this one reads 1\); update gilscope",
    ),
    "a newer manifest": (about(manifest=2), "was made by a newer gilscope .* update gilscope"),
    "a far newer manifest": (about(manifest=10**4000), "was made by a newer gilscope .* update gilscope"),
    "a wrong manifest": (about(manifest=0), "its manifest's version is 0, and there is only 1"),
    "true as a manifest": (about(manifest=True), "its manifest's version is True"),
    "another format": (about(format="wheel"), "is not that of a gilscope bundle"),
    "a list as manifest": (lambda good: packed({}, []), "is not that of a gilscope bundle"),
    "a manifest that is no JSON": (lambda good: packed({}, b"{,}"), "manifest.json in it is not JSON"),
    "a manifest elsewhere": (lambda good: zipped([("a.json", b"{}")]), "its first file is 'a.json', not manifest.json"),
    "no manifest's files": (about(files=[]), "manifest.json in it, files: Input should be a valid dictionary"),
    "a wrong SHA-256": (otherwise(sha256="0" * 64), "verdicts.json in it has another SHA-256 than its manifest"),
    "no SHA-256": (otherwise(sha256="../x"), r"manifest.json in it, files.verdicts.json.sha256: String should match"),
    "a wrong size": (otherwise(bytes=7), r"verdicts.json in it has \d+ bytes, and its manifest.json says 7"),
    "a file not listed": (unlisted, "extra.json in it is not in its manifest.json"),
    "a listed file not there": (left_out, "labs/cp311/startup.json is in its manifest.json, but not in it"),
    "a name twice": (twice, "machine.json is twice in it"),
    "a name twice on some systems": (with_entry("Machine.JSON"), "Machine.JSON is twice in it"),
    "an absolute path": (with_entry("/etc/passwd"), "the name of '/etc/passwd' in it is an absolute path; do not use"),
    "a path upwards": (with_entry("../../x.json"), r"'\.\./\.\./x.json' in it leads out of the bundle"),
    "a path upwards within": (with_entry("raw/../../x.json"), "leads out of the bundle"),
    "a path upwards with backslashes": (with_entry("..\\..\\x.json"), "has backslashes in it"),
    "a drive": (with_entry("C:/x.json"), "begins with a drive's letter"),
    "a control character": (with_entry("a\nb.json"), r"'a\\\\x0ab.json' in it has control characters in it"),
    "a hidden file": (with_entry(".ssh/config"), "is not a plain relative path"),
    "letters beyond ASCII": (with_entry("raw/ü.json"), "is not a plain relative path"),
    "a very long path": (with_entry("a/" * 150 + "x.json"), "is not a plain relative path"),
    "a folder": (with_entry("raw/"), "is a folder"),
    "a link": (with_entry(LINK, b"/etc/passwd"), "link.json in it is a link; do not use it, nor unpack it"),
    "a folder's mode": (with_entry(FOLDER), "folder.json in it is a folder"),
    "a device": (with_entry(DEVICE), "device.json in it is not a plain file"),
    "stored": (with_entry(plain("a.json", zipfile.ZIP_STORED), b"x"), "a.json in it is packed by method 0"),
    "bzip2": (with_entry(plain("a.json", zipfile.ZIP_BZIP2), b"x"), "a.json in it is packed by method 12"),
    "encrypted": (lies(3, 1, local=2), "is encrypted"),
    "a lower declared size": (
        lies(9, 5, local=8, member=0),
        "unpacks to more than the 5 bytes it declares; do not use it",
    ),
    "a higher declared size": (lies(9, 10**6, local=8, member=0), "is not what was packed"),
    "another CRC-32": (lies(7, 1, local=6), "is not what was packed"),
    "two heads that differ": (lies(7, 1), "is announced otherwise than in the list of files"),
    "a packed size into the next file": (lies(8, 10**5, local=7), "it is not recorded|does not begin where"),
    "overlapping files": (lies(16, 0, member=3), "does not begin where the file before it ends; do not use it"),
    "an extra field": (lies(11, 4), "is not recorded as gilscope does"),
    "another date": (lies(6, 34, local=5), "is not recorded as gilscope does"),
    "data in front": (
        lambda good: resealed(b"PK\x03\x04#!/bin/sh\n" + good.read_bytes()),
        "its end does not say where",
    ),
    "data between": (
        lambda good: resealed(
            (data := good.read_bytes())[: (at := first_of_list(data))]
            + b"hidden"
            + data[at : -SEAL_LENGTH - END.size]
            + END.pack(*END.unpack_from(data, len(data) - SEAL_LENGTH - END.size)[:6], at + 6, SEAL_LENGTH)
            + bytes(SEAL_LENGTH)
        ),
        "there are bytes in it that belong to no file",
    ),
    "a million files": (ends_with((3, 0xFFFF), (4, 0xFFFF)), "is a zip64, for more or larger files than a bundle has"),
    "as many as zip can": (
        ends_with((3, 65534), (4, 65534)),
        "holds 65534 files, more than the 20000 that bundle_limits",
    ),
    "more than there are": (ends_with((3, 50), (4, 50)), "its list of files is broken"),
    "fewer than there are": (ends_with((3, 7), (4, 7)), "belong to no file|longer than the files"),
    "none": (ends_with((3, 0), (4, 0)), "holds no files"),
    "another disk": (ends_with((1, 1)), "its end does not say where its files are"),
    "no last record": (ends_with((0, b"PK\x05\x07")), "does not end like a zip file"),  # type: ignore[arg-type]
    "no seal's length": (ends_with((7, 0)), "its end does not say where its files are"),
}
LAST = (-1, "cases", 0)
CONTENTS: dict[str, tuple[Make, str]] = {
    "no machine": (text("machine.json", b"[]"), "machine.json in it: Input should be"),
    "no verdicts": (lambda good: repacked(good, {"verdicts.json": None}), "there is no verdicts.json in it"),
    "no runtimes": (lambda good: repacked(good, {"runtimes/cp311.json": None}), "there are no facts about a runtime"),
    "no JSON": (text("verdicts.json", b"[{]"), "verdicts.json in it is not JSON"),
    "no text": (text("verdicts.json", b'["\xff"]'), "verdicts.json in it is not JSON"),
    "NaN": (raw("verdicts.json", b'"estimate": 0.9', b'"estimate": NaN, "x": 0.9'), "is not JSON: NaN is no number"),
    "infinity": (raw("verdicts.json", b'"estimate": 0.9', b'"estimate": -Infinity, "x": 0'), "-Infinity is no number"),
    "infinity in figures": (raw("machine.json", b'"load": 0.31', b'"load": 1e999'), "load: Input should be a finite"),
    "4301 digits": (
        raw("machine.json", b"8321499136", b"1" * 4301),
        "machine.json in it is not JSON: Exceeds the limit",
    ),
    "4000 digits": (raw("machine.json", b"8321499136", b"1" * 4000), "machine.json in it, memory_bytes: "),
    "deep": (text("config.json", DEEP), "config.json in it is nested too deep"),
    "rather deep": (text("config.json", b'{"a":' * 50 + b"1" + b"}" * 50), "config.json in it, preset: Field required"),
    "deep beside": (in_json("config.json", "x", value=json.loads("[" * 40 + "]" * 40)), "nested more than 12 deep"),
    "huge": (
        text("verdicts.json", b" " * (9 * 2**20)),
        "verdicts.json in it has 9 MiB, more than the 8 that are read",
    ),
    "a key twice": (text("machine.json", b'{"label": "a", "label": "b"}'), "is not JSON: a key is there twice"),
    "a surrogate": (raw("config.json", b'"auto"', b'"\\ud800"'), r"control character U\+D800"),
    "turned text": (in_json("verdicts.json", 0, "says", value="abc\u202egpj.exe"), r"control character U\+202E"),
    "a terminal's escape": (in_json("verdicts.json", 0, "reason", value="\x1b[2J"), r"control character U\+001B"),
    "too long a text": (
        in_json("verdicts.json", 0, "reason", value="x" * 9000),
        "reason: String should have at most 8000",
    ),
    "a label with HTML": (about(label="<b>x</b>"), "manifest.json in it, label: String should match"),
    "a label with a formula": (about(label="=1+1"), "manifest.json in it, label: String should match"),
    "another machine's label": (
        in_json("machine.json", "label", value="other-2c"),
        "summary.csv in it is about example-2c",
    ),
    "a version with HTML": (
        about(gilscope="<script>"),
        "manifest.json in it, gilscope: it looks like HTML or a formula",
    ),
    "measured backwards": (about(measured_from=2e9, measured_to=1e9), "measured up to a time before it began"),
    "a CPU with HTML": (
        in_json("machine.json", "cpu", value="<img src=x>"),
        "machine.json in it, cpu: it looks like HTML",
    ),
    "a CPU with a formula": (
        in_json("machine.json", "cpu", value="=cmd|'/c calc'!A0"),
        "cpu: it looks like HTML or a for",
    ),
    "an OS with a formula": (in_json("machine.json", "os", value="@SUM(A1)"), "os: it looks like HTML or a formula"),
    "a CPU of many": (in_json("machine.json", "cpu", value="x" * 201), "cpu: String should have at most 200"),
    "no cores": (
        in_json("machine.json", "usable_cores", value=0),
        "usable_cores: Input should be greater than or equal to 1",
    ),
    "a million cores": (
        in_json("machine.json", "usable_cores", value=10**6),
        "usable_cores: Input should be less than",
    ),
    "cores in words": (
        in_json("machine.json", "usable_cores", value="2"),
        "usable_cores: Input should be a valid integer",
    ),
    "a runtime with HTML": (in_json("runtimes/cp311.json", "version", value="<b>"), "version: it looks like HTML"),
    "another runtime's facts": (
        in_json("runtimes/cp311.json", "runtime", value="cp312"),
        "cp311.json in it is about cp312",
    ),
    "a lock in words": (in_json("runtimes/cp311.json", "gil", value="yes"), "gil: Input should be a valid boolean"),
    "no preset": (in_json("config.json", "preset", value="../x"), "preset: String should match pattern"),
    "a million rounds": (
        in_json("config.json", "measure", "rounds", value=10**6),
        "measure.rounds: Input should be less",
    ),
    "a huge number": (in_json("config.json", "limits", value={"a": 1e30}), "it holds a number beyond 1e18"),
    "a claim with HTML": (in_json("verdicts.json", 0, "claim", value="<script>"), "claim: String should match pattern"),
    "a claim twice": (
        lambda good: edited(good, "verdicts.json", lambda rows: rows.append(rows[0])),
        "verdicts.json in it has a claim twice",
    ),
    "another verdict": (in_json("verdicts.json", 0, "verdict", value="proven"), "verdict: Input should be 'confirmed'"),
    "a verdict on nobody": (in_json("verdicts.json", 0, "runtime", value="cp399"), "about the runtime cp399, of which"),
    "a case out of order": (in_json("verdicts.json", 0, "cases", 0, "low", value=99.0), "are not in order"),
    "a q above 1": (
        in_json("verdicts.json", 0, "cases", 0, "q_holds", value=1.5),
        "q_holds: Input should be less than",
    ),
    "a case's cell elsewhere": (
        in_json("verdicts.json", 0, "cases", 0, "cells", value=["../x"]),
        "cells.0: String should",
    ),
    "two thresholds": (
        in_json("verdicts.json", 0, "cases", 0, "threshold", value={"above": 1, "below": 2}),
        "threshold: Dictionary should have at most 1 item",
    ),
    "half a range": (in_json("verdicts.json", 0, "cases", 0, "threshold", value={"within": 1}), "within takes two"),
    "a negative break-even": (
        in_json("break_even.json", 0, "smallest", value=-1.0),
        "smallest: Input should be greater",
    ),
    "a break-even twice": (
        lambda good: edited(good, "break_even.json", lambda rows: rows.append(rows[0])),
        "break_even.json in it has a row twice",
    ),
    "a workload of a break-even": (
        in_json("break_even.json", 0, "workload", value="=1+1"),
        "workload: String should match",
    ),
    "no counts": (
        in_json("scaling.json", 0, "counts", value=[0]),
        "counts.0: Input should be greater than or equal to 1",
    ),
    "a lab with HTML": (
        in_json(LAB, "observations", 0, "case", value="<b>"),
        "observations.0.case: String should match",
    ),
    "a unit with a formula": (
        in_json(LAB, "observations", 0, "unit", value="+1"),
        "observations.0.unit: String should match",
    ),
    "a negative time": (
        in_json(LAB, "observations", 0, "value", value=-1.0),
        "observations.0.value: Input should be greater",
    ),
    "true for a number": (
        in_json(LAB, "observations", 0, "value", value=True),
        "observations.0.value: Input should be a valid",
    ),
    "another lab": (in_json(LAB, "lab", value="race"), "labs/cp311/startup.json in it is about cp311/race"),
    "a trial twice": (
        lambda good: edited(good, LAB, lambda lab: lab["observations"].append(lab["observations"][0])),
        "labs/cp311/startup.json in it has a trial twice",
    ),
    "no table": (text(CSV, b""), "summary.csv in it is empty"),
    "a huge table": (text(CSV, b"a" * (33 * 2**20)), "summary.csv in it has 33 MiB, more than the 32 that are read"),
    "a wide table": (text(CSV, b"," * 5000), "summary.csv in it is not a table in CSV: line 1"),
    "a row over two lines": (in_cell("flags", '"a\nb"'), "summary.csv in it is not a table in CSV"),
    "a quoted quote": (in_cell("flags", 'a"b,"'), "summary.csv in it is not a table in CSV"),
    "many keys": (
        text("machine.json", b'{"%s}' % b",".join(b'"%d":1' % n for n in range(80_000))),
        "machine.json in it is not JSON",
    ),
    "many wrong rows": (
        text("verdicts.json", b"[0" + b",0" * 900_000 + b"]"),
        "verdicts.json in it, 0: Input should be",
    ),
    "a table of bytes": (text(CSV, b"\xff\xfe\x00"), "summary.csv in it"),
    "a ragged table": (in_csv(r"\Z", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20"), "is not a table in CSV"),
    "an open quote": (in_csv(r"\Z", '"'), "is not a table in CSV"),
    "a short row": (in_csv(r"\Z", "example-2c,cp311"), "summary.csv in it is not a table in CSV: line 560"),
    "a column too few": (in_csv("noise_floor", "noise"), "summary.csv in it has no column noise_floor"),
    "a column twice": (in_csv("^machine,", "machine,machine,", 1), "summary.csv in it is not a table|two columns"),
    "two columns of a name": (
        lambda good: repacked(good, {CSV: contents_of(good)[CSV].replace(b"\n", b",x\n").replace(b",x", b",flags", 1)}),
        "summary.csv in it has two columns of one name",
    ),
    "a workload with HTML": (in_cell("workload", "<script>"), "has a workload that is none: '<script>'"),
    "a workload with a formula": (in_cell("workload", "=1+1"), "has a workload that is none: '=1"),
    "a strategy upwards": (in_cell("strategy", "../threading"), "has a strategy that is none"),
    "a metric with a formula": (in_cell("metric", "@SUM(1)"), "has a metric that is none"),
    "a unit with HTML": (in_cell("unit", "<b>s</b>"), "has a unit that is none"),
    "a flag with HTML": (in_cell("flags", "<b>busy</b>"), "has a flags that is none"),
    "another size": (in_cell("size", "gigantic"), "has a size that is none: 'gigantic'"),
    "another pool": (in_cell("pool", "lukewarm"), "has a pool that is none"),
    "another kind": (in_cell("kind", "gpu"), "has a kind that is none"),
    "NaN in the table": (in_cell("estimate", "nan"), "has the estimate 'nan', which is no number"),
    "infinity in the table": (in_cell("high", "inf"), "has the high 'inf', which is no number"),
    "infinity by an exponent": (in_cell("high", "1e999"), r"has a high beyond 1e\+18"),
    "a number with underscores": (in_cell("low", "1_0"), "has the low '1_0', which is no number"),
    "digits of others": (in_cell("workers", "٣"), "which is not a whole number from 1 to 1024"),
    "no estimate": (in_cell("estimate", ""), "has an absurd estimate"),
    "a negative estimate": (in_cell("estimate", "-1"), "has an absurd estimate"),
    "an absurd estimate": (in_cell("estimate", "1e15"), "has an absurd estimate|above its interval"),
    "an estimate below": (
        in_csv(r"speedup,[\d.]+,", "speedup,0.0001,"),
        "has an estimate below its interval: speedup of",
    ),
    "a bound of 0": (
        in_csv(r"(?<=,seconds,)[\d.e-]+,[\d.e-]+,", "0.01,0,"),
        "has a bound that is not above 0: seconds",
    ),
    "a negative parameter": (in_cell("parameter", "-5"), "has a parameter that is not above 0"),
    "a negative floor": (in_cell("noise_floor", "-1"), "has a noise floor that is none"),
    "no rounds": (in_cell("rounds", "0"), "has the rounds '0', which is not a whole number from 1 to 100"),
    "a thousand rounds": (
        in_cell("rounds", "1000"),
        "has the rounds '1000', which is not a whole number from 1 to 100",
    ),
    "half a worker": (in_cell("workers", "0.5"), "has the workers '0.5', which is not a whole number from 1 to 1024"),
    "a million workers": (in_cell("workers", "1000000"), "has the workers '1000000', which is not a whole number"),
    "two values of a cell": (repeated_rows, "summary.csv in it has two values of .* for cp311/"),
    "a runtime without facts": (in_csv(",cp311,", ",cp399,"), "is about the runtime cp399, of which it has no facts"),
    "a stranger's machine": (
        in_csv("^example-2c", "other-8c"),
        "summary.csv in it is about other-8c, not about example-2c",
    ),
}
BAD = {**CONTAINERS, **CONTENTS}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_bundle_ends_in_one_line(good: Path, tmp_path: Path, kind: str) -> None:
    make, expected = BAD[kind]
    said = refused(tmp_path, make(good))
    assert re.search(expected, said), said
    assert [file.name for file in tmp_path.iterdir()] == ["bad.zip"]


@pytest.mark.parametrize(
    ("make", "limits", "expected"),
    [
        (
            bomb,
            {"unpacked_mib": 20},
            "would be 30 MiB unpacked, more than the 20 that bundle_limits.unpacked_mib allows",
        ),
        (bomb, {"file_mib": 0.01}, "has more than the 0.01 MiB that bundle_limits.file_mib allows; raise that if you"),
        (lambda good: good.read_bytes(), {"files": 20}, "holds 40 files, more than the 20 that bundle_limits.files"),
        (
            lambda good: good.read_bytes(),
            {"rows": 500},
            "summary.csv in it has more rows than the 500 that bundle_limits.r",
        ),
        (
            lambda good: good.read_bytes(),
            {"rows": 5},
            "summary.csv in it has more rows than the 5 that bundle_limits.rows",
        ),
        (
            lambda good: edited(good, "verdicts.json", lambda rows: rows * 100),
            {"rows": 590},
            "verdicts.json in it has 600 rows, more than the 590 that bundle_limits.rows allows",
        ),
        (
            lambda good: edited(good, LAB, lambda lab: lab.update(observations=[{}] * 700)),
            {"rows": 600},
            "startup.json in it has more rows than the 600 that bundle_limits.rows allows",
        ),
    ],
)
def test_what_a_bundle_may_hold_is_limited(
    good: Path, tmp_path: Path, make: Make, limits: dict[str, Any], expected: str
) -> None:
    assert expected in refused(tmp_path, make(good), BundleLimits(**limits))


def test_as_many_files_as_the_limit_says_are_read(good: Path) -> None:
    """Beside the manifest."""
    held = len(contents_of(good))
    assert read_bundle(good, LIMITS.model_copy(update={"files": held})).label
    with pytest.raises(BadBundle, match=rf"more than the {held - 1} that bundle_limits\.files allows"):
        read_bundle(good, LIMITS.model_copy(update={"files": held - 1}))


@pytest.mark.parametrize(
    ("low", "estimate", "high", "said"),
    [
        (1.0, 1.1, 1.2, True),
        (None, 1.1, None, True),
        (1.1 + 1e-9, 1.1, 1.1, True),
        (1.2, 1.1, 1.3, False),
        (1, 3, 2, False),
    ],
)
def test_an_estimate_lies_within_its_bounds(low: float | None, estimate: float, high: float | None, said: bool) -> None:
    bounds = {"low": low, "estimate": estimate, "high": high}
    if said:
        assert Interval.model_validate(bounds).estimate == estimate
    else:
        with pytest.raises(ValueError, match="not in order"):
            Interval.model_validate(bounds)


@pytest.mark.parametrize("path", ["..", "a/..", "../a", "a/../b"])
def test_a_name_that_leads_out_is_told_from_others(path: str) -> None:
    assert why_unsafe(path) == "leads out of the bundle"
    assert why_unsafe("a/b..c") is None


def test_a_bomb_within_the_limits_takes_little_memory(good: Path, tmp_path: Path) -> None:
    file = tmp_path / "large.zip"
    file.write_bytes(repacked(good, {"raw.json": bytes(50 * 2**20)}))
    tracemalloc.start()
    try:
        assert read_bundle(file, LIMITS).label == "example-2c"
        assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    finally:
        tracemalloc.stop()


def test_a_zip64_record_before_the_end_is_not_followed(good: Path, tmp_path: Path) -> None:
    data = good.read_bytes()
    end = len(data) - SEAL_LENGTH - END.size
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, 0, 1)
    assert "is a zip64" in refused(tmp_path, resealed(data[:end] + locator + data[end:]))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda path: None, "is not there; make one with: snakemake bundle --cores 1"),
        (lambda path: path.mkdir(), "is a folder; name the .zip file in it."),
        (os.mkfifo, "is not a plain file; name a .zip file."),
        (lambda path: path.symlink_to(path), "cannot be read: Too many levels of symbolic links."),
    ],
    ids=["nothing", "folder", "pipe", "circle"],
)
def test_what_is_no_file_is_refused(tmp_path: Path, make: Callable[[Path], None], expected: str) -> None:
    path = tmp_path / "bad.zip"
    make(path)
    assert refusal(path) == expected


@pytest.mark.parametrize("name", ["a\nb.zip", "<b>.zip", "a\x1b[2J.zip", "\udcff.zip", "a\0b.zip", "x" * 300 + ".zip"])
def test_a_message_is_one_line_whatever_the_file_is_called(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadBundle) as caught:
        read_bundle(tmp_path / name, LIMITS)
    assert str(caught.value).isprintable()
    assert str(caught.value).isascii()


def test_html_may_stand_only_where_it_is_shown_as_text(good: Path, tmp_path: Path) -> None:
    """An error message that names a class is no attack: it stays as it was written."""
    file = tmp_path / "html.zip"
    file.write_bytes(in_json("verdicts.json", 0, "reason", value="<class 'OSError'> & co")(good))
    assert read_bundle(file, LIMITS).verdicts[0]["reason"] == "<class 'OSError'> & co"
