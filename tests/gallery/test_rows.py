"""Rows in a temporary file, which is closed with the last that reads it."""

import warnings
from pathlib import Path

from fer_mobile.gallery.rows import Rows
from tests.command_line import open_files
from tests.gallery.samples import face, photo


def test_the_file_is_closed_with_its_last_reader():
    results = [photo(Path(f"{n}.jpg"), face("happiness", 0.9)) for n in range(3)]
    before = open_files()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        rows = Rows(results)
        last = rows.pick([2])
        del rows
        assert last[0].path == "2.jpg"
        assert len(open_files() - before) == 1
        del last
    assert open_files() == before
    assert told == []
