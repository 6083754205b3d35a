#!/usr/bin/env bash
# pytest-xdist 3.8.0, --dist loadgroup, under pytest 9.2: tests that are marked as one group run in several workers.
#
# Its documentation promises that all tests of a group run in the same worker. It writes the group's name behind the
# test's id, into an attribute that pytest 9.2 no longer reads the id from; so the scheduler sees no group, and deals the
# tests out one by one. Nothing warns: what a group shares is only made once in each worker. Under pytest 8.4.2 the same
# files run as promised.
#
# Seen on 28 November 2026 with CPython 3.11.7 on Linux:
#     pytest 8.4.2: the 8 tests of one group ran in 1 worker
#     pytest 9.2.0: the 8 tests of one group ran in 2 workers
# Fails where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/test_one_group.py" <<'PYTHON'
import os
import pathlib
import time

import pytest

pytestmark = pytest.mark.xdist_group("one")


@pytest.mark.parametrize("number", range(8))
def test_where(number):
    time.sleep(0.2)
    with open(pathlib.Path(__file__).with_name("workers"), "a") as file:
        print(os.environ["PYTEST_XDIST_WORKER"], file=file)
PYTHON

workers() {
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/pip" install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
    rm -f "$folder/workers"
    (cd "$folder" && "$folder/$1/bin/python" -m pytest -q -p no:cacheprovider -n 2 --dist loadgroup test_one_group.py >&2)
    sort -u "$folder/workers" | wc -l
}

before=$(workers 8.4.2)
after=$(workers 9.2.0)
echo "workers that ran one group: $before under pytest 8.4.2, $after under pytest 9.2.0"
[[ $before == 1 && $after == 2 ]]
