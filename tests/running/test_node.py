"""Which node measured, on three systems: Linux as it is, macOS and Windows with fakes."""

from __future__ import annotations

import hashlib
import re
import socket
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from gilscope.running import node as nodes

MAC = "564D1A2B-0C3D-4E5F-8091-A2B3C4D5E6F7"
LINUX = "0123456789abcdef0123456789abcdef"
BOOT = "9b2f0f5e-5ac1-4a1f-9c43-1f1ec8d6a3f1"
IOREG = f'+-o Mac <class IOPlatformExpertDevice>\n    {{\n      "IOPlatformUUID" = "{MAC}"\n    }}\n'
DIGEST = re.compile(r"[0-9a-f]{12}")

System = Callable[..., None]


class FakeRegistry(types.ModuleType):
    """winreg as far as it is used: keys, their values, and OSError for those that are not there."""

    HKEY_LOCAL_MACHINE, KEY_READ, KEY_WOW64_64KEY = 1, 2, 4

    def __init__(self, values: dict[tuple[str, str], object]):
        super().__init__("winreg")
        self.values = values

    def OpenKey(self, root: int, key: str, reserved: int, access: int) -> FakeRegistry:  # noqa: N802
        assert (root, reserved, access) == (1, 0, 6)
        if key not in {known for known, _ in self.values}:
            raise FileNotFoundError(key)
        self.opened = key
        return self

    def QueryValueEx(self, opened: FakeRegistry, name: str) -> tuple[object, int]:  # noqa: N802
        if (opened.opened, name) not in self.values:
            raise FileNotFoundError(name)
        return self.values[opened.opened, name], 1

    def __enter__(self) -> FakeRegistry:
        return self

    def __exit__(self, *ending: object) -> None:
        pass


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """A Linux with these files, each None where it is missing."""

    def make(machine: str | None = None, dbus: str | None = None, boot: str | None = None, cpu: str | None = None):
        for name, text in {"machine": machine, "dbus": dbus, "boot": boot, "cpu": cpu}.items():
            (tmp_path / name).unlink(missing_ok=True)
            if text is not None:
                (tmp_path / name).write_text(text)
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(nodes, "MACHINE_IDS", (str(tmp_path / "machine"), str(tmp_path / "dbus")))
        monkeypatch.setattr(nodes, "BOOT_ID", str(tmp_path / "boot"))
        monkeypatch.setattr(nodes, "CPUINFO", str(tmp_path / "cpu"))

    return make


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """A macOS whose programs print these texts, and that has none of Linux's files."""

    def make(**answers: str):
        for program, answer in answers.items():
            (tmp_path / f"{program}.txt").write_text(answer)
            script = f'#!/bin/sh\n[ -n "$2" ] || exit 64\nexec /bin/cat {tmp_path}/{program}.txt\n'
            (tmp_path / program).write_text(script)
            (tmp_path / program).chmod(0o755)
        monkeypatch.setattr(sys, "platform", "darwin")
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(nodes, "BOOT_ID", str(tmp_path / "boot"))

    return make


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    def make(values: dict[tuple[str, str], object]):
        monkeypatch.setattr(sys, "platform", "win32")
        monkeypatch.setitem(sys.modules, "winreg", FakeRegistry(values))
        monkeypatch.setattr(nodes, "BOOT_ID", str(tmp_path / "boot"))

    return make


def test_a_node_is_told_by_what_the_system_gave_itself(linux: System) -> None:
    linux(machine=f"{LINUX}\n", boot=BOOT)
    first = nodes.node()
    assert first is not None
    assert DIGEST.fullmatch(first)
    linux(dbus=LINUX, boot=BOOT.replace("9", "8"))
    assert nodes.node() == first, "neither the file nor the boot matters where there is an identity"
    linux(machine=LINUX.replace("0", "f"), boot=BOOT)
    assert nodes.node() not in (first, None)


@pytest.mark.parametrize("unset", [None, "", "uninitialized\n", "0" * 32, "../../etc"])
def test_without_an_identity_a_node_is_told_by_its_boot(linux: System, unset: str | None) -> None:
    linux(machine=unset, boot=f"{BOOT}\n")
    first = nodes.node()
    assert first is not None
    assert DIGEST.fullmatch(first)
    linux(machine=unset, boot=BOOT.replace("9", "8"))
    assert nodes.node() not in (first, None)
    linux(machine=unset)
    assert nodes.node() is None


def test_a_node_names_neither_the_host_nor_its_identity(linux: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host's name is no part of it, so nothing can be tried; nor is it a plain hash of what others can read."""
    linux(machine=LINUX)
    said = nodes.node()
    monkeypatch.setattr(socket, "gethostname", lambda: "another-host")
    assert nodes.node() == said
    plain = [hashlib.new(name, text.encode()).hexdigest() for name in ("md5", "sha1", "sha256") for text in (LINUX,)]
    assert said is not None
    assert said not in LINUX
    assert not [digest for digest in plain if said in digest]


def test_nodes_of_macos_and_windows(mac: System, windows: System) -> None:
    mac(ioreg=IOREG)
    first = nodes.node()
    assert first is not None
    assert DIGEST.fullmatch(first)
    mac(ioreg=IOREG.replace("564D", "564E"))
    assert nodes.node() not in (first, None)
    windows({(nodes.CRYPTOGRAPHY, "MachineGuid"): MAC.lower()})
    assert nodes.node() == first, "the same number, however it is written"


def test_the_cpu_is_named_by_its_system(linux: System, mac: System, windows: System) -> None:
    linux(cpu="processor\t: 0\nmodel name\t: AMD EPYC 7B13 \nprocessor\t: 1\nmodel name\t: another\n")
    assert nodes.cpu_model() == "AMD EPYC 7B13"
    mac(sysctl="Apple M2 Pro\n")
    assert nodes.cpu_model() == "Apple M2 Pro"
    windows({(nodes.PROCESSOR, "ProcessorNameString"): "Snapdragon(R) X Elite  "})
    assert nodes.cpu_model() == "Snapdragon(R) X Elite"


GRAVITON = "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n"


def test_an_arm_cpu_without_a_name_is_told_by_its_numbers(linux: System) -> None:
    linux(cpu=GRAVITON * 4)
    assert nodes.cpu_model() == "ARM implementer 0x41 part 0xd0c variant 0x3"
    linux(cpu=GRAVITON + GRAVITON.replace("0xd0c", "0xd40"))
    both = "ARM implementer 0x41 part 0xd0c variant 0x3 + implementer 0x41 part 0xd40 variant 0x3"
    assert nodes.cpu_model() == both, "small cores and large ones"


@pytest.mark.parametrize("values", [{}, {(nodes.PROCESSOR, "Other"): "x", (nodes.CRYPTOGRAPHY, "MachineGuid"): 7}])
def test_what_a_system_does_not_say_is_unknown(
    linux: System, mac: System, windows: System, values: dict[tuple[str, str], object]
) -> None:
    linux(cpu="processor : 0\nCPU implementer : 0x41\nmodel name :\n")
    assert (nodes.node(), nodes.cpu_model()) == (None, None)
    windows(values)
    assert (nodes.node(), nodes.cpu_model()) == (None, None)
    mac()
    assert (nodes.node(), nodes.cpu_model()) == (None, None)
    mac(ioreg="", sysctl="")
    assert (nodes.node(), nodes.cpu_model()) == (None, None)


def test_without_a_registry_nothing_is_registered() -> None:
    assert nodes.registered(nodes.PROCESSOR, "ProcessorNameString") is None
