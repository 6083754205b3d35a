"""Nothing in a bundle tells whose machine it was: every byte of a real one is searched, and texts of all kinds are cleaned."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from apart import apart
from bundled import LIMITS, NOBODY, contents_of, small_results
from clones import clone, command
from gilscope.bundles.packing import CannotPack, pack
from gilscope.bundles.privacy import Private, host_names, private_values, user_names
from gilscope.bundles.reading import read_bundle
from gilscope.bundles.redaction import Redaction

USER, HOST, DOMAIN = "zelda-quux", "wombat42", "burrow.example"
CANARY, PASSWORD, FOLDER = "cnry/7f3a9b21=hush", "opensesame1", "vault of zenobia"
WORKLOAD = """
import getpass, os, socket, threading
from gilscope.workloads import workload

def told(site=None):
    names = (socket.gethostname(), getpass.getuser(), os.environ["CANARY"], __file__, os.path.expanduser("~"), os.getcwd())
    return "cannot open %r for %s at %s; mail %s@mail.example, from 10.20.30.40, with %s" % (
        __file__, names[1], names[0], names[1], ", ".join(names))

@workload(kind="cpu", sizes={"small": 100}, OPTIONS)
def NAME(n):
    if threading.current_thread() is not threading.main_thread():
        raise ValueError(told())
    return sum(range(n))
"""
OWN = {"own_failing": "", "own_missing": "unavailable=told"}
"""Workloads that somebody wrote: one fails in a worker, one says why it cannot run."""
TINY = """
preset: tiny
machine: here
budget_minutes: 0
measure: {{rounds: 3, seconds: 0.1, min_laps: 2}}
sweep:
  claims: false
  workloads:
    - {{name: '{folder}/own_failing.py', sizes: [small], strategies: [threading], workers: [2]}}
    - {{name: '{folder}/own_missing.py', sizes: [small], strategies: [threading], workers: [2]}}
labs: {{names: false}}
services: {{postgres: 'postgresql://{user}:{password}@db.{domain}/results'}}
"""


def on_host(name: str) -> list[str]:
    """The beginning of a command that runs on a host of this name; nothing where hosts cannot be named."""
    command = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name]
    tried = shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried and tried.returncode == 0 else []


@pytest.fixture(scope="module")
def shared(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A real run by somebody with a name, its bundle, and what that must not tell."""
    folder = tmp_path_factory.mktemp("privacy")
    home, own = folder / "home" / USER, folder / "home" / USER / FOLDER
    own.mkdir(parents=True)
    for name, options in OWN.items():
        (own / f"{name}.py").write_text(WORKLOAD.replace("NAME", name).replace("OPTIONS", options))
    cloned = clone(root, folder / "clone-of-zenobia")
    (cloned / "tiny.yaml").write_text(TINY.format(folder=own, user=USER, password=PASSWORD, domain=DOMAIN))
    named = on_host(f"{HOST}.{DOMAIN}")
    names = {"USER": USER, "LOGNAME": USER, "USERNAME": USER, "HOME": str(home), "CANARY": CANARY}
    done = subprocess.run(
        [*named, *command("results/here-tiny/verdicts.json", "results/here-tiny.zip")],
        cwd=cloned,
        env={**os.environ, **names, **apart(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    secrets = [USER, str(home), FOLDER, CANARY, str(folder), cloned.name, "10.20.30.40", "mail.example"]
    secrets += [HOST, DOMAIN] if named else [f" {socket.gethostname()};"]
    return {"results": cloned / "results/here-tiny", "bundle": cloned / "results/here-tiny.zip", "secrets": secrets}


def test_no_byte_of_a_real_bundle_tells_whose_machine_it_was(shared: dict[str, Any]) -> None:
    written = b"".join(file.read_bytes() for file in shared["results"].rglob("raw/*/*/*/*.facts.json"))
    assert all(secret.encode() in written for secret in shared["secrets"])
    for name, content in everything_in(shared["bundle"]).items():
        for secret in (*shared["secrets"], PASSWORD, str(os.environ.get("PATH"))):
            assert secret.encode() not in content, (name, secret)


def test_what_a_report_is_made_from_tells_it_neither(shared: dict[str, Any]) -> None:
    """Gaps and verdicts hold the reasons; the report shows them."""
    for name in ("gaps.json", "verdicts.json", "machine.json", "runtimes/cp311.json"):
        content = (shared["results"] / name).read_bytes()
        assert [secret for secret in shared["secrets"] if secret.encode() in content] == [], name


def test_what_a_real_bundle_says_instead_can_still_be_understood(shared: dict[str, Any]) -> None:
    files = contents_of(shared["bundle"])
    failed, missing = (gap["reason"] for gap in json.loads(files["gaps.json"]))
    assert failed.startswith(
        "ValueError: cannot open '~/own_failing.py' for <user> at <host>; mail <address>, from <address>"
    )
    assert missing.startswith("cannot open '~/own_missing.py' for <user> at <host>;")
    assert missing.endswith("with <host>, <user>, <private>, ~/own_missing.py, ~, <path>")
    config = json.loads(files["config.json"])
    assert [grid["name"] for grid in config["sweep"]["workloads"]] == ["~/own_failing.py", "~/own_missing.py"]
    bundle = read_bundle(shared["bundle"], LIMITS)
    assert set(bundle.estimates["workload"]) == {"own_failing"}
    assert set(bundle.estimates["strategy"]) == {"sequential", "asyncio", "ceiling"}


def everything_in(bundle: Path) -> dict[str, bytes]:
    """File → its bytes, and what its texts are once they have been read; and the whole file as it is."""
    found = {"": bundle.read_bytes(), **contents_of(bundle)}
    with zipfile.ZipFile(bundle) as file:
        found["manifest.json"] = file.read("manifest.json")
    for name, content in list(found.items()):
        if name.endswith(".json"):
            found[f"{name}, read"] = json.dumps(json.loads(content), ensure_ascii=False).encode()
        elif name.endswith(".parquet"):
            table = pd.read_parquet(io.BytesIO(content))
            found[f"{name}, read"] = table.to_csv().encode()
    words = b" ".join(content for name, content in found.items() if name.endswith((".json, read", ".parquet, read")))
    found["words"] = words
    return found


def cleaned(text: str, **private: Any) -> str:
    return Redaction(Private(**{name: frozenset(things) for name, things in private.items()})).text(text)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("No such file: '/home/jo/My Work/a b.txt'", "No such file: '~'"),
        ("No such file: /home/jo/notes/own.py, line 3", "No such file: ~/own.py, line 3"),
        ("cannot read /Users/jo/x", "cannot read ~"),
        ("cannot read C:\\Users\\Jo Do\\x.txt", "cannot read ~"),
        ("cannot read 'C:\\\\Users\\\\Jo Do\\\\x.txt'", "cannot read '~'"),
        ("cannot read D:/team/secret/x.txt", "cannot read <path>"),
        ("cannot read \\\\server\\share\\x.txt", "cannot read <path>"),
        ("see file:///home/jo/x.html", "see <path>"),
        ("see file:///data/jo/x.html", "see <path>"),
        ("cannot read /mnt/team/x.csv: gone", "cannot read <path>: gone"),
        ("/proc/self/cgroup and /dev/shm are there", "/proc/self/cgroup and /dev/shm are there"),
        ("/usr/lib/../../home/jo", "<path>"),
        ("mail jo.do+x@mail.example now", "mail <address> now"),
        ("jo@laptop said", "<address> said"),
        ("http://jo:pw@db.example:5432/x", "http://<user>@db.example:5432/x"),
        ("refused by 192.168.7.21:5432", "refused by <address>:5432"),
        ("refused by 127.0.0.1:5432", "refused by 127.0.0.1:5432"),
        ("refused by fe80::1ff:fe23:4567:890a%eth0", "refused by <address>"),
        ("refused by [2001:db8::7]:80", "refused by [<address>]:80"),
        ("refused by ::1", "refused by ::1"),
        ("at 12:34:56, std::vector, a::b", "at 12:34:56, std::vector, a::b"),
        ("card 00:1b:44:11:3a:b7 is off", "card <address> is off"),
        ("Linux-5.15.153.1-microsoft-standard-WSL2 and 1.2.3", "Linux-5.15.153.1-microsoft-standard-WSL2 and 1.2.3"),
        (
            "cp311/sum_squares/large/threading-2: 1/2 and 3 rows/s",
            "cp311/sum_squares/large/threading-2: 1/2 and 3 rows/s",
        ),
        (
            "needs x; run it with --configfile config/presets/runtimes.yaml",
            "needs x; run it with --configfile config/presets/runtimes.yaml",
        ),
        ("Intel(R) Xeon(R) CPU @ 2.80GHz", "Intel(R) Xeon(R) CPU @ 2.80GHz"),
    ],
)
def test_paths_and_addresses_are_taken_out_on_any_machine(text: str, clean: str) -> None:
    assert cleaned(text) == clean


@pytest.mark.parametrize(
    ("text", "clean", "private"),
    [
        ("jane has no rights", "<user> has no rights", {"users": ["jane"]}),
        ("Jane's, jane_2, (jane)", "<user>'s, <user>_2, (<user>)", {"users": ["jane"]}),
        ("janet waits", "janet waits", {"users": ["jane"]}),
        ("xmartinez2 waits", "x<user>2 waits", {"users": ["martinez"]}),
        ("at box-7.lab.example and BOX-7", "at <host> and <host>", {"hosts": ["box-7", "box-7.lab.example"]}),
        (
            "max() arg is empty, root, will wait",
            "max() arg is empty, root, will wait",
            {"users": ["max", "root", "will"]},
        ),
        ("no role for user max", "no role for user <user>", {"users": ["max"]}),
        ('no such user "root"', 'no such user "<user>"', {"users": ["root"]}),
        ("sleep, the whole block; host sleep", "sleep, the whole block; host <host>", {"hosts": ["sleep"]}),
        ("/srv/jane/x.py is gone", "<path>/x.py is gone", {"users": ["jane"]}),
        ("in /srv/clone/sub/own.py", "in ~/own.py", {"homes": ["/srv/clone"]}),
        ("in /srv/clone2", "in <path>", {"homes": ["/srv/clone"]}),
        ("in '/srv/my clone/a b'", "in '<path>'", {"paths": ["/srv/my clone"]}),
        ("token abc-123-xyz given", "token <private> given", {"values": ["abc-123-xyz"]}),
        ("token abc-123-xyzz given", "token abc-123-xyzz given", {"values": ["abc-123-xyz"]}),
        ("token /srv/a=b given", "token <private> given", {"values": ["/srv/a=b"], "homes": ["/srv"]}),
        ("from 127.0.1.1 and box", "from <address> and box", {"addresses": ["127.0.1.1"]}),
    ],
)
def test_what_is_known_to_be_private_is_taken_out(text: str, clean: str, private: dict[str, Any]) -> None:
    assert cleaned(text, **private) == clean


@pytest.mark.parametrize(
    ("content", "clean"),
    [
        ({"name": "/home/jane/own.py"}, {"name": "~/own.py"}),
        ({"name": "../jane/own.py"}, {"name": "../<user>/own.py"}),
        ({"name": "~/own.py", "runtime": "/opt/jane/python"}, {"name": "~/own.py", "runtime": "<path>"}),
        ({"block": {"folder": "../jane", "external": ""}}, {"block": {"folder": "<path>", "external": ""}}),
        ({"folder": ""}, {"folder": ""}),
        ({"missing": {"/home/jane/lib.so": "jane"}}, {"missing": {"~": "<user>"}}),
        ({"workload": "jane", "cells": ["jane-2"], "reason": "jane"}, {"workload": "jane", "cells": ["jane-2"], "reason": "<user>"}),
        ({"says": "jane sees /home/jane/x"}, {"says": "jane sees ~"}),
        ({"load": 1.5, "turbo": None, "smt": True}, {"load": 1.5, "turbo": None, "smt": True}),
    ],
)  # fmt: skip
def test_of_names_only_paths_are_taken_out_of_other_texts_all(content: Any, clean: Any) -> None:
    assert Redaction(Private(users=frozenset({"jane"}))).document(content) == clean


NAMES = ["sleep", "max", "root", "dial", "debian", "amd", "cp311", "threading", "large", "share", "Process", "example"]


def test_names_of_results_stay_whatever_user_and_host_are_called(tmp_path: Path) -> None:
    """All that a comparison reads, of a user and a host with every name that stands in it."""
    everybody = Private(users=frozenset(NAMES), hosts=frozenset(NAMES))
    results = small_results(tmp_path / "some-2c")
    pack(results, tmp_path / "a.zip", private=NOBODY)
    pack(results, tmp_path / "b.zip", private=everybody)
    one, other = contents_of(tmp_path / "a.zip"), contents_of(tmp_path / "b.zip")
    assert {name for name in one if one[name] != other[name]} <= {"verdicts.json", "decisions.json"}
    rows, cleaned_rows = (json.loads(files["verdicts.json"]) for files in (one, other))
    kept = [[row[key] for key in row if key not in ("reason", "cases")] for row in rows]
    assert [[row[key] for key in row if key not in ("reason", "cases")] for row in cleaned_rows] == kept


def test_of_two_private_things_the_longer_is_taken_out_first() -> None:
    private = Private.here({"USER": "jane", "A": "secret-1/x", "B": "secret-1", "C": "x-secret-1/x"})
    text = "jane: secret-1, secret-1/x, x-secret-1/x"
    assert Redaction(private).text(text) == "<user>: <private>, <private>, <private>"


@pytest.mark.parametrize(
    ("where", "place", "value", "word"),
    [
        ("machine.json", ("label",), "jane", "machine: label"),
        ("machine.json", ("label",), "janes-laptop-2c", "machine: label"),
        ("config.json", ("preset",), "for-jane", "preset"),
        ("config.json", ("runtimes",), [{"name": "jane"}], "name for the runtime"),
    ],
)
def test_results_named_after_their_owner_are_refused(
    tmp_path: Path, where: str, place: tuple[str], value: Any, word: str
) -> None:
    results = small_results(tmp_path / "some-2c")
    for name, changes in (("config.json", {"machine": "chosen"}), (where, {place[0]: value})):
        content = json.loads((results / name).read_text())
        (results / name).write_text(json.dumps({**content, **changes}))
    private = Private(users=frozenset({"Jane"}), hosts=frozenset({"janes-laptop"}))
    with pytest.raises(CannotPack, match=f"is named after this machine or its user.* choose another {word}.$"):
        pack(results, tmp_path / "some-2c.zip", private=private)
    assert not (tmp_path / "some-2c.zip").exists()


def test_an_automatic_label_is_nobodys(tmp_path: Path) -> None:
    results = small_results(tmp_path / "amd-epyc-2c", "amd-epyc-2c")
    pack(results, tmp_path / "x.zip", private=Private(hosts=frozenset({"epyc", "amd-epyc-2c"})))


def test_something_private_in_a_table_is_refused(tmp_path: Path) -> None:
    results = small_results(tmp_path / "some-2c")
    table = pd.read_parquet(results / "traces.parquet").assign(memory_kind="/home/jane/x")
    table.to_parquet(results / "traces.parquet")
    with pytest.raises(CannotPack, match=r"traces.parquet: its column memory_kind holds a path.*measure it again\.$"):
        pack(results, tmp_path / "x.zip", private=NOBODY)


def test_what_is_private_here_is_found() -> None:
    """By the names that this system itself has, not by those that a test makes up."""
    found = Private.here()
    assert socket.gethostname().partition(".")[0] in found.hosts or socket.gethostname() == "localhost"
    assert str(Path.home()) in found.homes
    assert str(Path(sys.prefix)) in found.paths
    assert not {"127.0.0.1", "::1"} & found.addresses
    assert user_names({"USER": "jane", "SUDO_USER": "joan"}) >= {"jane", "joan"}
    assert host_names() == {name for name in host_names() if name.lower() not in ("localhost", "local")}


def test_of_the_environment_only_what_tells_something_is_private() -> None:
    environment = {
        "A": "short",
        "B": "noninteractive-7f3a",
        "C": "C.UTF-8",
        "D": "3.11.7",
        "E": "threading",
        "F": "process",
    }
    environment |= {"G": "one\nsecret-line-2", "GILSCOPE_SERVICE_POSTGRES": "postgresql://jo:pw12@dbhost7:5432/results"}
    assert private_values(environment) == {
        "noninteractive-7f3a",
        "one\nsecret-line-2",
        "secret-line-2",
        "postgresql://jo:pw12@dbhost7:5432/results",
        "pw12",
        "dbhost7",
    }
