"""Results that users share from the app's benchmark screen."""

import json
from pathlib import Path

import pytest

from fer_mobile.bench.phones import import_phone, phones_page
from fer_mobile.bench.photos import load_photo_set
from fer_mobile.errors import InputError

ROW = json.loads(Path(__file__).with_name("android_row.json").read_text("utf-8"))
ROW["photos"]["sha256"] = load_photo_set("affective-25").sha256
PAGE = Path(__file__).parents[2] / "benchmarks/results/phones.md"


def shared(tmp_path: Path, **changes: object) -> Path:
    file = tmp_path / "phone.json"
    file.write_text(json.dumps(ROW | changes), "utf-8")
    return file


def test_a_shared_result_becomes_a_row_and_a_line_of_the_table(fer_mobile):
    folder = fer_mobile.folder
    done = fer_mobile("bench", "import", shared(folder))
    assert done.returncode == 0, done.stderr
    assert "added to phones.jsonl and phones.md" in done.stderr
    row = json.loads((folder / "phones.jsonl").read_text("utf-8"))
    assert row["hardware"]["phone"] == ROW["hardware"]["phone"]
    (line,) = (folder / "phones.md").read_text("utf-8").splitlines()[-1:]
    assert "| xcao\\_two\\_stream int8 | 2 | 96 | 135 | 0.5 s: yes |" in line
    assert "the same one in phones.jsonl" in fer_mobile.refused("bench", "import", "phone.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"device": "cpu"}, "expected a result of the app on a phone, found one of cpu"),
        ({"photos": ROW["photos"] | {"sha256": "0" * 64}}, "expected the photos affective-25"),
        ({"schema_version": 1}, "expected a benchmark result"),
        ({"verdict": "fail"}, "the verdict fail where the figures say pass"),
    ],
)
def test_anything_else_is_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        import_phone(shared(tmp_path, **changes), tmp_path / "rows.jsonl")
    assert not (tmp_path / "rows.jsonl").exists()


def test_what_a_stranger_wrote_stays_in_its_cell(tmp_path):
    hardware = ROW["hardware"] | {"phone": "x | y\n# <script>[a](http://b)"}
    import_phone(shared(tmp_path, hardware=hardware), tmp_path / "rows.jsonl")
    line = (tmp_path / "rows.md").read_text("utf-8").splitlines()[-1]
    assert line.startswith("| x \\| y # \\<script\\>\\[a\\](http://b) |")


def test_the_committed_table_is_that_of_its_rows():
    assert not PAGE.with_suffix(".jsonl").exists()
    assert PAGE.read_text("utf-8") == phones_page([])
