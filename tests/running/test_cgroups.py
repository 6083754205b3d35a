"""Which cgroups a process is in, also where a namespace or a container shows only a part of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gilscope.running.cgroups import own_cgroups

VERSION_2 = "29 22 0:26 {root} {folder} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
VERSION_1 = "30 22 0:27 {root} {folder} rw,nosuid shared:9 - cgroup cgroup rw,{controllers}"


def found(tmp_path: Path, membership: str, *mounts: str) -> list[str]:
    """The folders, relative to the temporary one."""
    (tmp_path / "cgroup").write_text(membership + "\n")
    (tmp_path / "mountinfo").write_text("\n".join(["1 1 8:1 / / rw - ext4 /dev/vda rw", *mounts, "nonsense"]) + "\n")
    folders = own_cgroups(str(tmp_path / "cgroup"), str(tmp_path / "mountinfo"))
    return [os.path.relpath(folder, tmp_path) for folder in folders]


def version_2(root: str, tmp_path: Path, name: str = "fs") -> str:
    return VERSION_2.format(root=root, folder=str(tmp_path / name).replace(" ", r"\040"))


def version_1(root: str, folder: Path, controllers: str) -> str:
    return VERSION_1.format(root=root, folder=folder, controllers=controllers)


def test_a_cgroup_and_those_above_it(tmp_path: Path) -> None:
    assert found(tmp_path, "0::/a/b", version_2("/", tmp_path)) == ["fs/a/b", "fs/a", "fs"]
    assert found(tmp_path, "0::/", version_2("/", tmp_path)) == ["fs"]
    assert found(tmp_path, "0::/a", version_2("/", tmp_path, "a fs")) == ["a fs/a", "a fs"]


def test_of_version_1_the_hierarchy_that_has_the_cpu(tmp_path: Path) -> None:
    mounts = [version_1("/", tmp_path / "memory", "memory"), version_1("/", tmp_path / "cpu,cpuacct", "cpu,cpuacct")]
    assert found(tmp_path, "5:memory:/y\n4:cpu,cpuacct:/x", *mounts) == ["cpu,cpuacct/x", "cpu,cpuacct"]
    both = found(tmp_path, "4:cpu,cpuacct:/x\n0::/z", *mounts, version_2("/", tmp_path, "unified"))
    assert both == ["cpu,cpuacct/x", "cpu,cpuacct", "unified/z", "unified"]


def test_a_container_that_shows_its_own_part_alone(tmp_path: Path) -> None:
    mount = version_1("/docker/abc", tmp_path / "cpu", "cpu")
    assert found(tmp_path, "4:cpu:/docker/abc/mine", mount) == ["cpu/mine", "cpu"]
    assert found(tmp_path, "4:cpu:/docker/abc", mount) == ["cpu"]
    assert found(tmp_path, "4:cpu:/elsewhere", mount) == ["cpu"], "what is shown is as near as one gets"


def test_a_namespace_below_an_older_mount_hides_names_and_not_the_cgroup(tmp_path: Path) -> None:
    """The mount's root is told relative to the namespace's: two levels above it."""
    own = tmp_path / "fs/user.slice/session.scope/leaf"
    for folder in (own, tmp_path / "fs/user.slice/other.scope/leaf"):
        folder.mkdir(parents=True)
        (folder / "cgroup.procs").write_text("1\n")
    (own / "cgroup.procs").write_text(f"1\n{os.getpid()}\n")
    mount = version_2("/../..", tmp_path)
    names = ["user.slice/session.scope/leaf", "user.slice/session.scope", "user.slice", "."]
    assert found(tmp_path, "0::/leaf", mount) == [os.path.normpath(f"fs/{name}") for name in names]
    (own / "cgroup.procs").write_text("1\n")
    assert found(tmp_path, "0::/leaf", mount) == ["fs"], "nobody lists this process"


def test_without_cgroups_there_are_none(tmp_path: Path) -> None:
    assert found(tmp_path, "nonsense", version_2("/", tmp_path)) == []
    assert found(tmp_path, "0::/a") == []
    assert own_cgroups(str(tmp_path / "missing"), str(tmp_path / "missing")) == []


@pytest.mark.skipif(not shutil.which("unshare") or not Path("/proc/self/cgroup").exists(), reason="no namespaces here")
def test_a_real_namespace_finds_the_same_cgroups(root: Path) -> None:
    script = "from gilscope.running.cgroups import own_cgroups; print(own_cgroups())"
    environment = {**os.environ, "PYTHONPATH": str(root / "workflow/scripts")}
    outside, inside = (
        subprocess.run(
            [*before, sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        for before in ([], ["unshare", "-C"])
    )
    if inside.returncode and "unshare" in inside.stderr:
        pytest.skip(inside.stderr.strip())
    assert outside.stdout == inside.stdout != ""
