"""Native output is discarded, and the descriptors are afterwards what they were."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
from fer_mobile.quiet import quiet

def open_numbers():
    found = []
    for number in range(3, 40):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found

for number in {closed}:
    os.close(number)
before = open_numbers()
with quiet():
    os.write(1, b"native line on 1")
    os.write(2, b"native line on 2")
    print("a line of Python")
assert open_numbers() == before
for number in (1, 2):
    try:
        os.write(number, b"after %d" % number)
        assert number not in {closed}
    except OSError:
        assert number in {closed}
"""


@pytest.mark.parametrize("closed", [(), (0,), (1,), (2,), (1, 2), (0, 1, 2)], ids=str)
def test_what_is_printed_inside_goes_nowhere(closed):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{closed}", repr(closed))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ("" if 1 in closed else "after 1")
    if 2 not in closed:
        assert done.stderr == "after 2"
    assert done.returncode == 0, done.stderr
