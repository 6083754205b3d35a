from pathlib import Path

import pytest
from gilscope.configuring.claim_files import read_claims
from gilscope.configuring.claims import Case, Claim, ClaimsFile, Outcome, Outcomes
from gilscope.configuring.leaves import lab_leaf, leaf, worker_count
from gilscope.configuring.mistakes import Mistakes
from gilscope.labs import lab_names, load_lab
from gilscope.workloads import load_workload, workload_names

SHIPPED = str(Path(__file__).parents[2] / "config/claims.yaml")
CLAIM = "{id: mine, slide: none, says: Something., metric: speedup, of: threading, holds: {above: 2}, cases: [{workload: sleep}]}"


@pytest.fixture(scope="module")
def shipped() -> ClaimsFile:
    return read_claims([SHIPPED])


def test_all_claims_of_the_talk_are_there(shipped: ClaimsFile) -> None:
    assert len([claim for claim in shipped.claims if claim.section == "speed"]) == 33
    assert len([claim for claim in shipped.claims if claim.section == "behaviour"]) == 28
    assert {claim.id for claim in shipped.claims if claim.demonstration} == {
        "gil-slide-example-shows-the-gil",
        "circular-waiting-deadlocks",
        "a-timeout-is-an-end-marker",
        "unjoined-threads-lose-work",
    }


def test_thresholds_stand_as_fixed_in_advance(shipped: ClaimsFile) -> None:
    holds = {claim.id: claim.holds.as_dict() for claim in shipped.claims}
    assert holds["threads-do-not-speed-up-cpu"] == {"below": 1.15}
    assert holds["threads-speed-up-waiting"] == {"above": 3.6}
    assert holds["executors-are-as-good"] == {"within": (0.9, 1.1)}
    assert holds["processes-are-true-parallelism"] == {"above": 0.9}
    assert holds["the-gil-is-the-cause"] == {"above": 1.3}
    assert holds["pypy-is-an-alternative"] == {"above": 2}
    assert holds["one-thread-pays-for-no-lock"] == {"above": 1.0}


def test_users_add_claims_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(f"claims: [{CLAIM}]")
    assert read_claims([SHIPPED, str(tmp_path / "own.yaml")]).claims[-1].id == "mine"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("id: mine", "id: threads-take-turns"), "claims[0].id is 'threads-take-turns' for the second time"),
        (
            ("above: 2", "abov: 2"),
            "claims[0].holds.abov is not a key; allowed are above, below, within. Did you mean above?",
        ),
        (("above: 2", "above: 2, below: 1"), "claims[0].holds"),
        (("metric: speedup", "metric: speed"), "claims[0].metric is 'speed'; metric is one of speedup, "),
        (("cases: [{workload: sleep}]", "cases: []"), "claims[0].cases"),
    ],
)
def test_a_mistake_in_a_claim_is_named(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(f"claims: [{CLAIM.replace(*change)}]")
    with pytest.raises(Mistakes) as mistakes:
        read_claims([SHIPPED, str(file)])
    assert any(line.startswith(f"{file}: {said}") for line in mistakes.value.lines), mistakes.value.lines


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("It computes.", " is 'It computes.'; an outcome is a mapping with why and do."),
        ("[It computes.]", " is a list; an outcome is a mapping with why and do."),
        ("{do: Use processes.}", ".why is missing; why is text that says why it came out so."),
        ("{why: It computes., doo: Wait.}", ".doo is not a key; allowed are why, do. Did you mean do?"),
    ],
)
def test_an_outcome_says_why_and_what_to_do(tmp_path: Path, outcome: str, said: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(f"claims: [{CLAIM[:-1]}, outcomes: {{refuted: {outcome}}}}}]\notherwise: {{mixed: {outcome}}}")
    with pytest.raises(Mistakes) as mistakes:
        read_claims([str(file)])
    assert mistakes.value.lines == [
        f"{file}: {place}{said}" for place in ("claims[0].outcomes.refuted", "otherwise.mixed")
    ]


def test_workers_follow_the_kind_of_work() -> None:
    assert worker_count(None, "cpu", 6) == 6
    assert worker_count(None, "io", 6) == 4
    assert worker_count("8*cores", "cpu", 6) == 48
    assert worker_count("8*cores", "cpu", 64) == 512
    assert worker_count("cores", "io", 6) == 6
    assert worker_count(2, "cpu", 6) == 2


def test_a_case_takes_from_its_claim_what_it_does_not_say(shipped: ClaimsFile) -> None:
    claim = next(claim for claim in shipped.claims if claim.id == "too-many-processes-hurt")
    warm = leaf(claim, claim.cases[1], load_workload("sum_squares"), 2)
    assert [cell.name for cell in warm.cells] == ["multiprocessing-16-warm", "multiprocessing-2-warm"]
    assert leaf(claim, Case(workload="sum_squares"), None, 2).holds == claim.holds


def test_a_case_that_asks_for_too_many_workers_is_refused_and_not_another_one(shipped: ClaimsFile) -> None:
    claim = next(claim for claim in shipped.claims if claim.id == "too-many-processes-hurt")
    asked = [leaf(claim, claim.cases[0], load_workload("sum_squares"), cores).refused() for cores in (2, 32, 64)]
    assert asked == [None, None, "needs 512 processes; 256 are the most here"]
    threads = Claim.model_validate(claim.model_dump() | {"of": "threading", "over": "threading"})
    asked = [leaf(threads, claim.cases[0], load_workload("sum_squares"), cores).refused() for cores in (64, 256)]
    assert asked == [None, "needs 2048 workers; 1024 are the most here"]


def test_the_talks_four_tasks_are_divided_among_four_workers_at_most(shipped: ClaimsFile) -> None:
    claim = next(claim for claim in shipped.claims if claim.id == "processes-suit-math")
    deck, large = (
        [cell.name for cell in leaf(claim, case, load_workload("sqrt_sin"), 64).cells] for case in claim.cases
    )
    assert deck == ["threading-4", "multiprocessing-4"]
    assert large == ["threading-64-warm", "multiprocessing-64-warm"]
    assert leaf(claim, claim.cases[0], load_workload("sqrt_sin"), 2).cells[0].workers == 2


def test_a_strategy_that_leaves_no_choice_of_workers_has_its_own(shipped: ClaimsFile) -> None:
    claim = next(claim for claim in shipped.claims if claim.id == "one-thread-pays-for-no-lock")
    made = [leaf(claim, case, load_workload(case.workload or ""), 8) for case in claim.cases]
    assert {cell.name for one in made for cell in one.cells} == {"sequential-1"}
    assert [one.case for one in made[2:4]] == ["count_loop, against lock-on", "sum_squares, against standard"]


LAB_CLAIM = (
    "{id: mine, slide: none, says: Something., metric: share, lab: race, observes: total_wrong, holds: {above: 0.5},"
    " cases: [{of: a call between}]}"
)


@pytest.mark.parametrize(
    ("claim", "change", "said"),
    [
        (CLAIM, ("workload: sleep", "workload: sleap"), "claims[0].cases[0].workload is 'sleap'; a workload is one of "),
        (CLAIM, ("workload: sleep", "size: large"), "claims[0].cases[0] has no workload; speedup is measured on one."),
        (CLAIM, ("of: threading", "of: treading"), "claims[0].of is 'treading'; a strategy is one of "),
        (CLAIM, ("of: threading, ", ""), "claims[0].cases[0] has no of; speedup needs a strategy there."),
        (CLAIM, ("metric: speedup", "metric: time_ratio"), "claims[0].cases[0] has no over; time_ratio needs a strategy there."),
        (CLAIM, ("metric: speedup", "metric: speedup, lab: race"), "claims[0] has lab, which belongs to the metrics share and observed_ratio."),
        (LAB_CLAIM, ("lab: race", "lab: rice"), "claims[0].lab is 'rice'; a lab is one of "),
        (LAB_CLAIM, ("lab: race, ", ""), "claims[0] has no lab; share is observed in one."),
        (LAB_CLAIM, ("total_wrong", "total_wron"), "claims[0].observes is 'total_wron'; a metric of race is one of "),
        (LAB_CLAIM, ("observes: total_wrong, ", ""), "claims[0].cases[0] has no observes; share needs a metric of the lab there."),
        (LAB_CLAIM, ("of: a call between", "of: a call betwen"), "claims[0].cases[0].of is 'a call betwen'; a case of race is one of "),
        (LAB_CLAIM, ("above: 0.5", "within: [0.1, 0.5]"), "claims[0].holds has within; a share is tested against above or below."),
        (LAB_CLAIM, ("above: 0.5", "above: 95"), "claims[0].holds has 95; a share lies between 0 and 1."),
        (LAB_CLAIM, ("between}", "between, holds: {above: -1}}"), "claims[0].cases[0].holds has -1; a share lies between 0 and 1."),
        (LAB_CLAIM, ("total_wrong", "lock_cost"), "claims[0].cases[0] observes lock_cost, which is in x; a share is of what is true or false"),
        (CLAIM, ("above: 2", "above: -2"), "claims[0].holds has -2; speedup is a number above 0."),
        (CLAIM, ("above: 2", "within: [2, 1]"), "claims[0].holds has a within whose first number is not below its second."),
        (CLAIM, ("above: 2", "within: [2, 2]"), "claims[0].holds has a within whose first number is not below its second."),
        (CLAIM, ("metric: speedup", "metric: lock_ratio"), "claims[0].needs lacks lock-off; lock_ratio is about such runtimes."),
        (CLAIM, ("metric: speedup", "metric: tax, needs: [lock-off]"), "claims[0].cases[0] has no against; tax needs lock-on or standard there."),
        (CLAIM, ("metric: speedup", "metric: tax, needs: [lock-off], against: cpython"), "claims[0].against is 'cpython'; tax can be against lock-on or standard."),
        (CLAIM, ("workload: sleep", "workload: sleep, against: standard"), "claims[0].cases[0].against is 'standard'; it belongs to the metrics lock_ratio, runtime_ratio, tax."),
        (CLAIM, ("of: threading", "of: threading, against: lock-of"), "claims[0].against is 'lock-of'; against, the runtime to compare with, is"),
    ],
)  # fmt: skip
def test_a_claim_speaks_of_what_exists(tmp_path: Path, claim: str, change: tuple[str, str], said: str) -> None:
    file = tmp_path / "own.yaml"
    assert change[0] in claim
    file.write_text(f"claims: [{claim.replace(*change)}]")
    with pytest.raises(Mistakes) as mistakes:
        read_claims([str(file)], {"sleep": load_workload("sleep")})
    assert any(line.startswith(f"{file}: {said}") for line in mistakes.value.lines), mistakes.value.lines
    if "is one of" in said:
        assert "Did you mean" in str(mistakes.value)


def test_what_we_ship_speaks_of_what_exists() -> None:
    read_claims([SHIPPED], {name: load_workload(name) for name in workload_names()})


def test_labs_try_as_often_as_each_threshold_needs(shipped: ClaimsFile) -> None:
    for claim in shipped.claims:
        for case in claim.cases if claim.lab else []:
            leaf = lab_leaf(claim, case)
            bound = next(iter(leaf.holds.as_dict().values()))
            fewest = 5 if claim.metric == "observed_ratio" or claim.per else 110 if bound in (0.95, 0.05) else 20
            for name in filter(None, (leaf.of, leaf.over)):
                tried = load_lab(leaf.lab).cases[name]
                assert tried.trials >= fewest, (claim.id, name)
                assert not tried.descriptive, (claim.id, name)


def test_the_labs_take_at_most_a_quarter_of_the_sweep() -> None:
    headless = [load_lab(name) for name in lab_names() if name != "turtle"]
    assert sum(lab.seconds for lab in headless) <= 15 * 60 / 4


def test_each_outcome_of_the_talks_claims_is_explained(shipped: ClaimsFile) -> None:
    for claim in shipped.claims:
        said = claim.outcomes
        assert said.confirmed, claim.id
        assert said.refuted, claim.id
        may_be_mixed = len(claim.cases) > 1 and claim.rollup == "all"
        assert (said.mixed is not None) == may_be_mixed, f"{claim.id}: a text for each verdict it can get, and no other"
    assert set(given(shipped.otherwise)) == {"confirmed", "refuted", "mixed", "inconclusive"}


def given(outcomes: Outcomes) -> dict[str, Outcome]:
    """Those that have a text, by verdict."""
    return {verdict: outcome for verdict, outcome in outcomes if outcome is not None}


def test_each_outcome_we_ship_says_why_and_in_few_words_what_to_do(shipped: ClaimsFile) -> None:
    for name, outcomes in [*((claim.id, claim.outcomes) for claim in shipped.claims), ("otherwise", shipped.otherwise)]:
        for verdict, outcome in given(outcomes).items():
            assert outcome.why.strip(), (name, verdict)
            assert outcome.do, (name, verdict)
            assert outcome.do.strip(), (name, verdict)
            assert len(outcome.do) <= 200, (name, verdict)
