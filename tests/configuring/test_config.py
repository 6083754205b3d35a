import os
from pathlib import Path

import pytest
from gilscope.configuring.files import merge_files, read_config
from gilscope.configuring.mistakes import Mistakes
from gilscope.configuring.models import Config

ROOT = Path(__file__).parents[2]
DEFAULT = "config/config.yaml"


@pytest.fixture(autouse=True)
def in_the_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def lines_for(tmp_path: Path, text: str) -> list[str]:
    """What is said about a file of this text laid over the default configuration."""
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Mistakes) as mistakes:
        read_config(merge_files([DEFAULT, str(file)]), [DEFAULT, str(file)])
    assert all(line.startswith((f"{file}: ", DEFAULT)) for line in mistakes.value.lines), mistakes.value.lines
    return [line.replace(f"{file}: ", "", 1) for line in mistakes.value.lines]


@pytest.mark.parametrize("preset", [None, *sorted(Path("config/presets").glob("*.yaml"))], ids=str)
def test_what_we_ship_is_right(preset: Path | None) -> None:
    files = [DEFAULT] if preset is None else [DEFAULT, str(preset)]
    config = read_config(merge_files(files), files)
    assert config.folder("here") == ("here" if preset is None else f"here-{preset.stem}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sweep: {workers: [1, 2, 0]}", ["sweep.workers[2] is 0; a worker count is a whole number from 1 to 1024."]),
        ("sweep: {workers: [1, 2.5]}", ["sweep.workers[1] is 2.5; a worker count is a whole number from 1 to 1024."]),
        ("sweep: {workers: autp}", ["sweep.workers is 'autp'; workers are auto or a list of worker counts. Did you mean auto?"]),
        ("mesure: {rounds: 5}", ["mesure is not a key; allowed are preset, machine, machines, budget_minutes, measure, runtimes, environments, sweep, labs, services, limits, parameters, claims, only_existing, bundles, baseline, gate, bundle_limits. Did you mean measure?"]),
        ("measure: {round: 5}", ["measure.round is not a key; allowed are rounds, seconds, min_laps, limit_s. Did you mean rounds?"]),
        ("measure: {rounds: many}", ["measure.rounds is 'many'; the rounds that every block gets are a whole number from 1 to 100."]),
        ("measure: {rounds: true}", ["measure.rounds is True; the rounds that every block gets are a whole number from 1 to 100."]),
        ("measure: {seconds: .nan}", ["measure.seconds is nan; the seconds that a round of one block lasts are 0.1 to 3600."]),
        ("budget_minutes: -1", ["budget_minutes is -1; budget_minutes, what a sweep may take, is a number up to 10000, or 0 for the fixed rounds alone."]),
        ("measure: 5", ["measure is 5; measure is a mapping with rounds, seconds, min_laps, limit_s."]),
        ("machine: My Laptop", ["machine is 'My Laptop'; a machine's label is auto, or made of a-z, 0-9 and -, at most 63 of them."]),
        ("preset: ../elsewhere", ["preset is '../elsewhere'; a preset's name is made of a-z, 0-9 and -, at most 63 of them."]),
        ("sweep: {pools: [hot]}", ["sweep.pools[0] is 'hot'; a pool is cold or warm."]),
        ("sweep: {workloads: [{name: sleep, sizes: [lage]}]}", ["sweep.workloads[0].sizes[0] is 'lage'; a size is small, medium, large or deck. Did you mean large?"]),
        ("sweep: {workloads: [{sizes: [large]}]}", ["sweep.workloads[0].name is missing; a workload's name, or the path of a .py file that holds one."]),
        ("sweep: {workers: [2, 2]}", ["sweep.workers[1] is 2 for the second time; name it once."]),
        ("runtimes: [{python: 3.9}]", ["runtimes[0].python is 3.9; python is current, the path of an interpreter, or a version in quotes such as '3.14t'."]),
        ("runtimes: [{python: '3.9', gil: maybe}]", ["runtimes[0].gil is 'maybe'; gil is true or false where the build leaves a choice, else left out."]),
        ("runtimes: [{python: '3.9'}, {python: '3.9'}]", ["runtimes[1] is '3.9' for the second time; give it a name of its own."]),
        ("runtimes: []", ["runtimes is a list; runtimes are a list of mappings with python."]),
        ("runtimes: ['3.9']", ["runtimes[0] is '3.9'; an entry is a mapping with python."]),
        ("environments: {locks: [no.lock]}", ["environments.locks[0] is 'no.lock'; there is no such file."]),
        ("machines: {old: {partition: legacy}}", ["machines.old.cores is missing; cores, those of one node that a program may use, are 1 to 4096."]),
        ("machines: {old: {cores: 8, partition: 'a; rm -rf'}}", ["machines.old.partition is 'a; rm -rf'; partition is the name of a partition, or several with commas."]),
        ("gate: {metric: verdicts}", ["gate.metric is 'verdicts'; a gate's metric is speedup, seconds or memory_per_worker."]),
        ("bundle_limits: {files: 0}", ["bundle_limits.files is 0; the files that a bundle may hold are 1 to 65000."]),
        ("bundles: 5", ["bundles is 5; bundles are files, or folders with files, to compare: a list, or with commas."]),
        ("measure: {limit_s: 1}", ["measure.limit_s is 1; the seconds after which a value counts as hanging are 5 to 86400."]),
        ("parameters: {sleep: {large: 0}}", ["parameters.sleep.large is 0; a parameter is a number above 0."]),
        ("parameters: {sleep: {large: -1}}", ["parameters.sleep.large is -1; a parameter is a number above 0."]),
        ("parameters: {sleep: {large: .inf}}", ["parameters.sleep.large is inf; a parameter is a number above 0."]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_remedy(tmp_path: Path, text: str, said: list[str]) -> None:
    assert lines_for(tmp_path, text) == said


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("sweep: {strategies: [thraeding]}", "sweep.strategies[0] is 'thraeding'; a strategy is one of ", " Did you mean threading?"),
        ("sweep: {strategies: [ceiling]}", "sweep.strategies[0] is 'ceiling'; a strategy is one of ", "threading-raw."),
        ("sweep: {workloads: [{name: sum_square}]}", "sweep.workloads[0].name is 'sum_square'; a workload is one of ", " Did you mean sum_squares?"),
        ("parameters: {slep: {large: 1}}", "parameters.slep is not a workload; a workload is one of ", " Did you mean sleep?"),
    ],
)  # fmt: skip
def test_an_unknown_name_gets_a_suggestion(tmp_path: Path, text: str, start: str, end: str) -> None:
    (line,) = lines_for(tmp_path, text)
    assert line.startswith(start)
    assert line.endswith(end)


def test_every_mistake_gets_its_line(tmp_path: Path) -> None:
    assert len(lines_for(tmp_path, "measure: {rounds: 0, seconds: 0}\nsweep: {workers: [0, -1]}\nmachin: x\n")) == 5


@pytest.mark.parametrize(
    "text", ["measure: {rounds: 5}\nmeasure: {seconds: 1}\n", "measure:\n  rounds: 5\n  rounds: 4\n"]
)
def test_a_key_given_twice_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "twice.yaml").write_text(text)
    with pytest.raises(Mistakes, match=r"twice.yaml: line \d: the key (measure|rounds) is there twice; keep one"):
        read_config({}, [str(tmp_path / "twice.yaml")])


@pytest.mark.parametrize("content", [b"measure: [", b"\xff\xfe", b"a: b: c"])
def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.yaml").write_bytes(content)
    with pytest.raises(Mistakes, match=r"broken\.yaml: "):
        read_config({}, [str(tmp_path / "broken.yaml")])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Mistakes, match=r"no\.yaml: cannot be read: " + os.strerror(2)):
        read_config({}, [str(tmp_path / "no.yaml")])


def test_an_override_is_blamed_on_the_command_line() -> None:
    with pytest.raises(Mistakes, match=r"--config: measure\.rounds is 0;"):
        read_config(merge_files([DEFAULT], ["measure={rounds: 0}"]), [DEFAULT], {"measure": {"rounds": 0}})


def test_what_results_show_of_it_names_neither_addresses_nor_folders_nor_what_comes_after() -> None:
    interpreters = [{"python": "/home/me/bin/python3"}, {"python": "C:\\me\\python.exe"}, {"python": "3.13t"}]
    services = {"postgres": "postgresql://me:secret@host/mine"}
    config = Config.model_validate({"runtimes": interpreters, "services": services, "bundles": "a.zip, b.zip,"})
    assert config.bundles == ["a.zip", "b.zip"]
    shown = config.shared()
    assert shown["services"] == {"postgres": "configured"}
    assert [runtime["python"] for runtime in shown["runtimes"][::2]] == ["python3", "3.13t"]
    assert not {"machines", "only_existing", "bundles", "baseline", "gate", "bundle_limits"} & set(shown)
