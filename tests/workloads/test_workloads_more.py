"""What single workloads answer and need: known answers, a real PostgreSQL, a real window, and nothing left behind."""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from apart import apart
from gilscope.measuring.job import Job, prepared
from gilscope.measuring.services import NotApplicable
from gilscope.running.cells import Block
from gilscope.strategies import load_strategies
from gilscope.workloads import Site, db_query, load_workload
from gilscope.workloads import hash_blocks as hashing
from gilscope.workloads._external import variable
from gilscope.workloads._postgres import PostgresError, connect, no_database, without_address
from gilscope.workloads.compress import LEVEL
from servers import PASSWORD

STRATEGIES = load_strategies()
ROWS = 1_000
SPREAD = ["sequential", "threading", "multiprocessing", "multiprocessing-spawn", "ceiling", "asyncio", "hybrid"]
LEAVES_SOMETHING = """
from pathlib import Path
from gilscope.workloads import workload

MARK = Path(__file__).with_suffix(".mark")

def inputs(parameter, tasks, site):
    MARK.touch()
    raise OSError("no more room")

def finish(site):
    MARK.unlink()

@workload(kind="cpu", sizes={"small": 1}, inputs=inputs, finish=finish)
def leaves_something(item):
    "Nothing."
"""


def block(name: str, parameter: Any, cells: tuple[str, ...] = (), folder: str = "") -> Block:
    external = (load_workload(name).external or "") if not folder else ""
    return Block("here", name, "small", parameter, 4, cells, 0.1, 2, folder=folder, external=external)


def answers(job: Job, strategy: str) -> list[Any]:
    with STRATEGIES[strategy].open(STRATEGIES[strategy].fixed_workers or 2) as spread:
        return list(spread(job.workload.function, job.items))


def aggregate(place: int) -> tuple[int, int, int]:
    """What a query about the rows that are elsewhere than at this place has to answer."""
    amounts = [row * 7919 % 1009 for row in range(ROWS) if row % db_query.PLACES != place]
    return len(amounts), sum(amounts), max(amounts)


def test_loops_add_up_to_what_is_worked_out_by_hand() -> None:
    assert [load_workload("sum_squares").function(steps) for steps in (0, 1, 5)] == [0, 0, 30]
    assert load_workload("count_loop").function(7) == 7
    assert load_workload("sqrt_sin").function(3) == pytest.approx(math.sin(1) + math.sqrt(2) * math.sin(2))


def test_hashes_are_those_of_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    """FIPS 180-2's example; a chain of two is the hash of digest and block together."""
    example = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    monkeypatch.setattr(hashing, "BLOCKS", 1)
    assert hashing.hash_blocks(b"abc") == int(example, 16)
    monkeypatch.setattr(hashing, "BLOCKS", 2)
    twice = hashlib.sha256(bytes.fromhex(example) + b"abc").hexdigest()
    assert hashing.hash_blocks(b"abc") == int(twice, 16)


def test_hashes_lie_on_both_sides_of_what_lets_go_of_the_lock() -> None:
    sizes = load_workload("hash_blocks").sizes
    assert sizes["small"] < 2048
    assert sizes["large"] > 2**20


def test_what_was_compressed_comes_back(tmp_path: Path) -> None:
    facts = load_workload("compress")
    (text,) = facts.inputs(100_000, 1, Site(str(tmp_path)))
    packed = zlib.compress(text, LEVEL)
    assert facts.function(text) == (len(packed), zlib.crc32(packed))
    assert zlib.decompress(packed) == text
    assert 0.2 < len(packed) / len(text) < 0.8


def test_a_blur_spreads_what_differs_and_keeps_what_does_not() -> None:
    blur = load_workload("image_blur").function
    plain = bytes([200, 100, 50]) * 32**2
    spotted = bytes([255]) + plain[1:]
    assert blur((32, plain)) == zlib.crc32(plain)
    assert blur((32, spotted)) not in (zlib.crc32(plain), zlib.crc32(spotted))


def test_the_model_learns_what_its_labels_were_made_from(tmp_path: Path) -> None:
    facts = load_workload("fit_model")
    for features, labels, steps in facts.inputs(300, 3, Site(str(tmp_path))):
        weights = facts.function((features, labels, steps))
        guessed = features @ weights > 0
        assert (guessed == labels).mean() > 0.75
        assert weights[0] > 0 > weights[1]


def test_the_pipeline_computes_what_the_table_says() -> None:
    """Groups, sum, sum of squares, maximum: of 5, 6, 2 and of 7, 9, 3."""
    summarise = sys.modules[load_workload("pipeline").function.__module__].summarise
    assert summarise(b"group,A,B\r\n1,5,7\r\n2,6,9\r\n1,2,3\r\n") == (2, 13, 65, 9)


def test_sqlite_answers_as_counted_by_hand(tmp_path: Path) -> None:
    with prepared(block("db_query", ROWS), str(tmp_path)) as job:
        assert answers(job, "threading") == [aggregate(place) for place in range(4)]
        job.workload.fresh()
    assert not list(tmp_path.iterdir())


def test_a_connection_belongs_to_its_thread_and_ends_with_it(tmp_path: Path) -> None:
    facts = load_workload("db_query")
    items = facts.inputs(ROWS, 2, Site(str(tmp_path)))
    seen: list[Any] = []

    def work() -> None:
        for item in items:
            facts.function(item)
            seen.append(db_query.own_connection(item[0], db_query.open_file))

    for _ in range(2):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    work()
    assert [len({id(connection) for connection in seen[part]}) for part in (slice(6), slice(2))] == [3, 1]
    facts.fresh()
    for connection in seen:
        with pytest.raises(Exception, match="closed"):
            connection.execute("SELECT 1")


def test_what_inputs_leave_is_removed_even_when_they_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "leaves_something.py").write_text(LEAVES_SOMETHING)
    with (
        pytest.raises(OSError, match="no more room"),
        prepared(block("leaves_something", 1, folder=str(tmp_path)), "."),
    ):
        pass
    assert not list(tmp_path.glob("*.mark"))


@pytest.fixture
def configured(postgres: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A PostgreSQL that the configuration names; afterwards it holds no table, and serves nobody any more."""
    monkeypatch.setenv(variable("postgres"), postgres)
    yield postgres
    load_workload("db_query_postgres").fresh()
    assert tables(postgres) == []


def tables(dsn: str) -> list[str]:
    with closing(connect(dsn)) as connection:
        return [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]


def backend(dsn: str) -> int:
    """The server's process that serves this worker."""
    return db_query.own_connection(dsn, connect).execute("SELECT pg_backend_pid() FROM pg_sleep(0.05)").fetchone()[0]


@pytest.mark.parametrize("strategy", SPREAD)
def test_postgres_answers_as_counted_by_hand(configured: str, tmp_path: Path, strategy: str) -> None:
    with prepared(block("db_query_postgres", ROWS), str(tmp_path)) as job:
        assert len(tables(configured)) == 1
        assert answers(job, strategy) == [aggregate(place) for place in range(4)]


@pytest.mark.parametrize("strategy", ["threading", "multiprocessing"])
def test_each_worker_has_one_connection_to_postgres(configured: str, strategy: str) -> None:
    with STRATEGIES[strategy].open(2) as spread:
        first, second = (set(spread(backend, [configured] * 6)) for _ in range(2))
    assert len(first) == 2
    assert second == first


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_forked_worker_leaves_its_parents_connection_alone(configured: str) -> None:
    before = backend(configured)
    with STRATEGIES["multiprocessing-fork"].open(2) as spread:
        assert before not in set(spread(backend, [configured] * 4))
    assert backend(configured) == before


def test_no_more_coroutines_connect_than_are_in_flight(configured: str, tmp_path: Path) -> None:
    with prepared(block("db_query_postgres", ROWS), str(tmp_path)) as job, STRATEGIES["asyncio"].open(2) as spread:
        list(spread(job.workload.function, list(job.items) * 4))
        with closing(connect(configured)) as connection:
            pattern = f"SELECT count(*), sum%{job.items[0][1]}%"
            served = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"
            assert 1 <= connection.execute(served, (pattern,)).fetchone()[0] <= 2


def test_without_a_dsn_postgres_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(variable("postgres"), raising=False)
    expected = r"needs a PostgreSQL; set services.postgres to its DSN, see config/README.md"
    with pytest.raises(NotApplicable, match=expected), prepared(block("db_query_postgres", ROWS), str(tmp_path)):
        pass


SECRETS = ("tell-Nobody", "Wrong", "somebody", "nowhere", "hidden")
WRONG = {
    "password": ("postgresql://gilscope:Wrong-One@/postgres?host={folder}", "password authentication failed"),
    "user": ("postgresql://somebody:tell-Nobody@/postgres?host={folder}", "authentication failed"),
    "database": ("postgresql://gilscope:tell-Nobody@/nowhere?host={folder}", "does not exist"),
    "server": ("host={folder}/nowhere user=gilscope password=tell-Nobody", "No such file or directory"),
    "encoding": ("postgresql://gilscope:tell-Nobody:Wr@ong%@hidden/nowhere", "the DSN cannot be understood"),
    "words": ("my database is hidden, password tell-Nobody", "the DSN cannot be understood"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_dsn_is_a_reason_that_does_not_show_it(postgres: str, what: str) -> None:
    pattern, complaint = WRONG[what]
    folder = postgres.rpartition("=")[2]
    reason = no_database(pattern.format(folder=folder))
    assert reason
    assert complaint in reason
    assert reason.endswith("see services.postgres in config/README.md")
    assert not [secret for secret in (*SECRETS, folder) if secret in reason]


def test_messages_keep_what_does_not_tell_the_address() -> None:
    pytest.importorskip("psycopg")
    dsn = "postgresql://me:pass@db.example/sales"
    said = f'server at "ss@db", port 5432 failed:\n  me has no pass for {dsn}, or for someone on db.example'
    assert without_address(said, dsn) == 'server at "…", port 5432 failed: … has no … for …, or for someone on …'


def test_a_lost_connection_is_an_error_that_does_not_show_the_dsn(configured: str, tmp_path: Path) -> None:
    with prepared(block("db_query_postgres", ROWS), str(tmp_path)) as job:
        job.workload.function(job.items[0])
        with closing(connect(configured)) as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", (backend(configured),))
        with pytest.raises(PostgresError, match="terminat") as caught:
            job.workload.function(job.items[0])
        assert PASSWORD not in str(caught.getrepr(chain=True))
        assert configured not in repr(job.site)


def test_a_table_that_cannot_be_dropped_is_told_not_raised(
    postgres: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = postgres.replace("host=", "host=/nowhere")
    load_workload("db_query_postgres").finish(Site(str(tmp_path), external=gone))
    said = capsys.readouterr().err
    assert "could not be dropped" in said
    assert PASSWORD not in said


@pytest.mark.parametrize("password", [PASSWORD, "Wrong-One"])
def test_no_file_of_a_measurement_holds_the_dsn(
    postgres: str, tmp_path: Path, environment: dict[str, str], scripts: Path, this_machine: Path, password: str
) -> None:
    """Measured with the right password, refused with the wrong one; both files and output are searched."""
    cells = ("asyncio-2", "multiprocessing-2", "threading-2")
    asked = block("db_query_postgres", ROWS, cells).to_json()
    dsn = postgres.replace(PASSWORD, password)
    files = {name: tmp_path / f"{name}.json" for name in ("calibration", "raw", "facts", "trace", "events")}
    done = subprocess.run(
        [
            *(sys.executable, scripts / "measure.py", asked, "--machine", this_machine, "--round", "1"),
            *(part for name, file in files.items() for part in (f"--{name}", file)),
        ],
        env={**environment, variable("postgres"): dsn, **apart(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    said = done.stdout + done.stderr
    calibration = json.loads(files["calibration"].read_text())
    if password == PASSWORD:
        assert calibration["cells"] == list(cells)
    else:
        assert "password authentication failed" in calibration["not_applicable"]
    said += "".join(file.read_text() for file in files.values())
    assert password not in said
    assert postgres.rpartition("=")[2] not in said
    assert tables(postgres) == []


@pytest.mark.parametrize("strategy", ["sequential", "threading", "multiprocessing", "asyncio"])
def test_squares_are_drawn_whoever_asks(quick_turtles: str, tmp_path: Path, strategy: str) -> None:
    """The corners that each task saw; and the last square, which is yellow, stands on the screen when all are done."""
    reason = load_workload("draw_squares").unavailable(Site(str(tmp_path)))
    if reason:
        pytest.skip(reason)
    grab = pytest.importorskip("PIL.ImageGrab").grab
    with prepared(block("draw_squares", 0.0), str(tmp_path)) as job:
        for x, drawn in zip((0, 60, 120, 180), answers(job, strategy), strict=True):
            assert list(dict.fromkeys(drawn[2:])) == [(x, 0), (x + 50, 0), (x + 50, -50), (x, -50)]
        pixels = {color: count for count, color in grab(xdisplay=quick_turtles).getcolors(1 << 20)}
    assert pixels[(255, 255, 0)] > 4 * 49


def test_a_window_that_is_gone_is_an_error(quick_turtles: str, tmp_path: Path) -> None:
    """Commands that turtle does not have end the connection, as a closed window does."""
    facts = load_workload("draw_squares")
    with prepared(block("draw_squares", 0.0), str(tmp_path)) as job:
        address, x, _, pause = job.items[0]
        with pytest.raises(ConnectionError, match="the window to draw in has gone"):
            facts.function((address, x, "no-color", pause))
        assert facts.function(job.items[0])


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="windows need no display variable here")
def test_without_a_display_drawing_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tkinter")
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(NotApplicable, match=r"needs a display .* xvfb-run -a make gives it one"):  # noqa: SIM117
        with prepared(block("draw_squares", 0.0), str(tmp_path)):
            pass


def test_without_tk_drawing_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tkinter.py").write_text("raise ModuleNotFoundError(\"No module named '_tkinter'\")")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    reason = load_workload("draw_squares").unavailable(Site(str(tmp_path)))
    assert reason
    assert "needs tkinter" in reason
    assert "python3-tk" in reason
