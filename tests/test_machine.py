from pathlib import Path

import pytest
from gilscope.config import LABEL
from gilscope.machine import automatic_label, describe_machine, quota_cores, usable_cores


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


@pytest.mark.parametrize(
    ("files", "paths", "cores"),
    [
        ({"cpu.max": "max 100000"}, {"": "/"}, None),
        ({"cpu.max": "150000 100000"}, {"": "/"}, 1.5),
        ({"a/cpu.max": "400000 100000", "a/b/cpu.max": "max 100000"}, {"": "/a/b"}, 4.0),
        ({"a/cpu.max": "200000 100000", "a/b/cpu.max": "300000 100000"}, {"": "/a/b"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, {"cpu": "/"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, {"cpu": "/"}, None),
        ({"cpu,cpuacct/x/cpu.cfs_quota_us": "300000", "cpu,cpuacct/x/cpu.cfs_period_us": "100000"}, {"cpu": "/x"}, 3.0),
        ({"cpu.max": "nonsense"}, {"": "/"}, None),
        ({}, {}, None),
    ],
)
def test_the_tightest_quota_of_a_cgroup_counts(
    tmp_path: Path, files: dict[str, str], paths: dict[str, str], cores: float | None
) -> None:
    assert quota_cores(tree(tmp_path, files), paths) == cores


@pytest.mark.parametrize(
    ("physical", "affinity", "quota", "usable"),
    [(8, 16, None, 8), (8, 4, None, 4), (8, 16, 2.5, 2), (None, None, None, 1), (4, None, 0.5, 1), (None, 6, None, 6)],
)
def test_usable_cores_are_the_tightest_limit(
    physical: int | None, affinity: int | None, quota: float | None, usable: int
) -> None:
    assert usable_cores(physical, affinity, quota) == usable


@pytest.mark.parametrize(
    "cpu", ["Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz", "AMD Ryzen 9 7950X 16-Core Processor", "", None]
)
def test_a_label_is_a_safe_folder_name_and_always_the_same(cpu: str | None) -> None:
    import re

    label = automatic_label(cpu, "x86_64", 4, 8)
    assert re.fullmatch(LABEL, label)
    assert label == automatic_label(cpu, "x86_64", 4, 8)
    assert label != automatic_label(cpu, "x86_64", 4, 16)


def test_this_machine_can_be_described() -> None:
    machine = describe_machine()
    assert 1 <= machine.usable_cores <= machine.logical_cores
    assert machine.memory_bytes > 2**28
    assert describe_machine("mine").label == "mine"
    assert describe_machine().label == machine.label
