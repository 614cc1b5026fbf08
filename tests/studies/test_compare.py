"""Suites that are really run: what they leave, past a failure, after a kill, on the page."""

import csv
import json
import re
import signal
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from fer_mobile.errors import InputError, RecipeError
from fer_mobile.evaluation import evaluate
from fer_mobile.golden import golden_faces
from fer_mobile.labels import LABELS_4
from fer_mobile.studies.attempt import Attempt
from fer_mobile.studies.duration import multiplications
from fer_mobile.studies.measure import measure_run, unpack_bits
from fer_mobile.studies.run_suite import SuiteOptions, run_suite
from fer_mobile.studies.suite import Run, Suite, make_recipe
from fer_mobile.studies.suites import SUITES
from fer_mobile.training import load_recipe, train
from tests.command_line import KILLED_COMMAND, CommandLine

DEFAULTS = {
    "data": {"protocol": "fer2013-4"},
    "training": {"epochs": 2, "batch_size": 16},
    "optimizer": {"name": "adam", "schedule": "constant"},
    "augmentation": {"flip": 0.0},
}


def recipe(name, architecture="simple_cnn", **options):
    return make_recipe(name, architecture, {"size": 16, **options}, DEFAULTS)


SMALL = Suite(
    "small",
    "Two networks and one that cannot be had",
    "a study, table 1",
    {"data": "its faces", "size": "16 px", "epochs": "7", "processor": "a card"},
    ("parameters", "accuracy", "loss"),
    (
        Run(
            "gray <16 px>",
            recipe("gray"),
            {"accuracy": 0.875, "loss": 1.25},
            printed_epochs=((0.5, 1.5), (0.6, 1.4), (0.7, 1.3)),
            printed_recall=dict.fromkeys(LABELS_4, 0.125),
        ),
        Run(
            "with weights",
            make_recipe("weighty", "transfer", {"size": 32, "weights": "absent.h5"}, DEFAULTS),
            {"accuracy": 0.75},
        ),
        Run("wide", recipe("wide", channels=3)),
    ),
)


def silently(line):
    pass


@pytest.fixture(scope="module")
def compared(tmp_path_factory, small_npz):
    """The folder and the rows of the suite above."""
    out = tmp_path_factory.mktemp("compared")
    return out, run_suite(SMALL, out, data=small_npz, report=silently)


class Page(HTMLParser):
    """The tables of a page as rows of text, and everything that it refers to."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.links, self.cell = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.links += [value for key, value in attributes if key in ("src", "href")]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.cell = ""

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.tables[-1][-1].append(" ".join(self.cell.split()))
            self.cell = None


def test_every_run_has_a_row_and_a_failed_one_its_reason(compared):
    _, rows = compared
    assert [row["run"] for row in rows] == ["gray", "weighty", "wide"]
    assert "absent.h5" in rows[1]["error"]
    assert "no such file" in rows[1]["error"]
    for row in (rows[0], rows[2]):
        assert row["epochs"] == 2
        assert row["size"] == 16
        assert row["faces"]["train"] > 40
        assert row["split"] == "test"
        assert 0 <= row["accuracy"] <= 1
        assert row["loss"] > 0
        assert row["ms"] > 0
        assert row["step_ms"] > 0
        assert len(row["history"]) == 2
        right = unpack_bits(row["correct"], row["faces"]["test"])
        assert right.mean() == pytest.approx(row["accuracy"], abs=1e-5)
    assert rows[0]["labels_sha256"] == rows[2]["labels_sha256"]
    assert rows[2]["parameters"] > rows[0]["parameters"]


def test_a_run_keeps_the_artefacts_of_the_sources(compared, small_npz):
    out, rows = compared
    folder = out / "runs" / "gray"
    assert sorted(path.name for path in folder.iterdir()) == [
        "best.keras", "classification_report.json", "confusion.png", "curves.png",
        "history.csv", "provenance.json", "recipe.json", "row.json", "state.json", "test.json",
        "valid.json",
    ]  # fmt: skip
    for name in ("confusion.png", "curves.png"):
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 300
    found = evaluate(folder, small_npz, protocol="fer2013-4", split="test")
    assert found.scores.accuracy == pytest.approx(rows[0]["accuracy"], abs=1e-5)
    report = json.loads((folder / "classification_report.json").read_text())
    assert report["weighted avg"]["recall"] == pytest.approx(rows[0]["accuracy"], abs=1e-5)
    assert report["weighted avg"]["faces"] == found.scores.n


def test_labels_of_one_s_own_are_measured_in_the_recipe_s_order(tiny_recipe, tmp_path):
    for number, face in enumerate(golden_faces(48)[:24]):
        folder = tmp_path / "own" / ("train", "valid", "test")[number % 3] / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(face).save(folder / f"{number}.png")
    recipe = load_recipe(tiny_recipe, ["epochs=1", "protocol=own", 'data.labels=["b", "a"]'])
    train(recipe, tmp_path / "run", data=tmp_path / "own", finish=False, report=lambda line: None)
    row = measure_run(recipe, tmp_path / "run", tmp_path / "own")
    found = evaluate(tmp_path / "run", tmp_path / "own", protocol="own", split="test").scores
    assert list(row["label_recall"]) == list(found.recall) == ["b", "a"]
    assert json.loads((tmp_path / "run" / "test.json").read_text())["confusion"] == found.confusion


def test_the_tables_hold_every_run(compared):
    out, rows = compared
    with (out / "small.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [line["run"] for line in table] == ["gray", "weighty", "wide"]
    assert float(table[0]["accuracy"]) == rows[0]["accuracy"]
    assert float(table[0]["printed_accuracy"]) == 0.875
    assert table[1]["accuracy"] == ""
    assert table[1]["error"] == rows[1]["error"]
    document = json.loads((out / "small.json").read_text(encoding="utf-8"))
    assert document["rows"] == rows
    assert document["source"] == "a study, table 1"


def test_the_page_puts_the_printed_figures_beside_ours(compared):
    out, rows = compared
    page = Page((out / "small.html").read_text(encoding="utf-8"))
    runs, differs, epochs, labels, *_ = page.tables
    gray, weighty, wide = runs[2:]
    assert gray[0].startswith("gray <16 px>")
    assert gray[1:] == [
        "–", f"{rows[0]['parameters']:,}",
        "87.5%", f"{rows[0]['accuracy']:.1%}",
        "1.250", f"{rows[0]['loss']:.3f}",
    ]  # fmt: skip
    assert "no such file" in weighty[0]
    assert weighty[3:5] == ["75.0%", "–"]
    assert wide[3] == "–"
    said = {line[0]: line[1:] for line in differs[1:]}
    assert said["size"] == ["16 px", "16 px"]
    assert said["epochs"] == ["7", "2"]
    assert "fer2013-4" in said["data"][1]
    assert [line[1] for line in epochs[1:]] == ["50.0%", "60.0%", "70.0%"]
    assert epochs[1][2] == f"{rows[0]['history'][0]['accuracy']:.1%}"
    assert epochs[3][2] == "–"  # we had two epochs only
    assert [line[:2] for line in labels[1:]] == [[label, "12.5%"] for label in LABELS_4]


def test_the_page_loads_nothing(compared):
    out, _ = compared
    text = (out / "small.html").read_text(encoding="utf-8")
    links = Page(text).links
    assert len(links) == 5  # two pictures for each of two runs, and one of all
    assert all(link.startswith("data:image/png;base64,") for link in links)
    assert not re.search(r"url\(|@import|<script", text)


def test_finished_runs_are_not_repeated_and_failed_ones_are_tried_again(compared, small_npz):
    out, rows = compared
    said, weights = [], out / "runs" / "gray" / "best.keras"
    before = weights.stat().st_mtime_ns
    assert run_suite(SMALL, out, data=small_npz, report=said.append) == rows
    assert weights.stat().st_mtime_ns == before
    assert [line for line in said if "weighty" in line]
    assert not [line for line in said if "gray" in line]


def test_other_options_are_no_reason_to_lose_a_run(compared, small_npz):
    out, _ = compared
    with pytest.raises(RecipeError, match=r"one with other values\. Give the same options"):
        run_suite(
            SMALL,
            out,
            SuiteOptions(overrides=["training.epochs=3"]),
            data=small_npz,
            report=silently,
        )
    with pytest.raises(InputError, match="Did you mean 'gray'"):
        run_suite(SMALL, out, SuiteOptions(only=["grey"]), data=small_npz, report=silently)


def test_rows_of_other_faces_do_not_stand_in_one_table(compared, small_npz, tmp_path):
    out, rows = compared
    assert rows[0]["data_sha256"] == rows[2]["data_sha256"]
    with np.load(small_npz) as content:
        others = dict(content)
    others["images"] = 255 - others["images"]
    np.savez(tmp_path / "others.npz", **others)
    with pytest.raises(InputError, match=r"gray: expected a row of the faces in .*others\.npz"):
        run_suite(SMALL, out, data=tmp_path / "others.npz", report=silently)
    said = []
    options = SuiteOptions(rows=out / "small.json", only=["weighty"])
    run_suite(SMALL, tmp_path / "new", options, data=tmp_path / "others.npz", report=said.append)
    assert "0 rows kept, 2 of other recipes or faces left out" in said[0]


def test_only_some_runs_are_trained_and_the_others_keep_their_rows(compared, small_npz):
    out, rows = compared
    found = run_suite(SMALL, out, SuiteOptions(only=["wide"]), data=small_npz, report=silently)
    assert found == rows


def test_a_killed_suite_goes_on_where_it_was(small_npz, tmp_path):
    """Killed in its first run: the epochs that were done stay, the rest is made up."""
    out = tmp_path / "out"
    arguments = (
        "compare", "emotion-11", "--epochs", "2", "--only", "emotion-simple-cnn-grayscale",
        "--set", "training.patience=9",
        "--set", "training.batch_size=8", "--set", "model.options.size=16",
        "--data", str(small_npz), "--out", str(out),
    )  # fmt: skip
    history = out / "runs" / "emotion-simple-cnn-grayscale" / "history.csv"
    state = history.with_name("state.json")
    run = CommandLine(tmp_path)
    run.command = KILLED_COMMAND
    assert run(*arguments).returncode == -signal.SIGKILL
    assert json.loads(state.read_text())["epochs_done"] == 1
    kept = history.read_text().splitlines()
    assert not (out / "emotion-11.json").exists()
    assert "not finished" in json.loads(history.with_name("row.json").read_text())["error"]

    finished = CommandLine(tmp_path)(*arguments)
    assert finished.returncode == 0, finished.stderr
    assert "epochs 2 to 2" in finished.stderr
    assert finished.stdout.startswith("emotion-11: 1 of 17 runs have figures")
    lines = history.read_text().splitlines()
    assert lines[:2] == kept
    assert [line.split(",")[0] for line in lines] == ["epoch", "1", "2"]
    rows = json.loads((out / "emotion-11.json").read_text(encoding="utf-8"))["rows"]
    there = {row["run"]: row for row in rows if "error" not in row}
    assert {name: row["epochs"] for name, row in there.items()} == {
        "emotion-simple-cnn-grayscale": 2
    }
    assert {row["error"] for row in rows if row["run"] not in there} == {"not run yet"}


def test_a_suite_without_a_finished_run_is_a_failed_verdict(fer_mobile, small_npz):
    done = fer_mobile(
        "compare", "thesis-table7", "--set", "model.options.size=50", "--data", small_npz
    )
    assert done.returncode == 1, done.stderr
    assert "0 of 1 runs have figures" in done.stdout
    assert "expected 7 px times a power of two" in done.stderr
    page = fer_mobile.folder / "comparisons" / "thesis-table7.html"
    assert "expected 7 px times a power of two" in page.read_text(encoding="utf-8")


def test_what_the_user_got_wrong_is_said_before_anything_is_trained(fer_mobile, small_npz):
    assert "Did you mean 'two-conv'" in fer_mobile.refused("compare", "twoconv")
    line = fer_mobile.refused("compare", "two-conv", "--data", small_npz, "--fraction", "2")
    assert "training.fraction" in line
    assert "no-such" in fer_mobile.refused("compare", "two-conv", "--data", "no-such")
    line = fer_mobile.refused("compare", "two-conv", "--data", small_npz, "--grid", "epochs=1,2")
    assert "--grid: expected the suite sweep, found 'two-conv'" in line
    line = fer_mobile.refused("compare", "two-conv", "--engine", "spark", "--data", small_npz)
    assert "--engine: expected sequential or ray, found 'spark'" in line
    # Both read a protocol that the data has no labels for.
    line = fer_mobile.refused(
        "compare", "two-conv", "--data", small_npz, "--set", "data.protocol=affectnet"
    )
    assert "affectnet" in line


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("{", "something else"),
        ("[1]", "something else"),
        ('{"schema": "fer-mobile/bench", "schema_version": 2}', "fer-mobile/bench 2"),
        ('{"schema": "fer-mobile/compare-row", "schema_version": 9}', "fer-mobile/compare-row 9"),
    ],
)
def test_a_row_of_another_schema_is_refused(tmp_path, small_npz, content, found):
    file = tmp_path / "runs" / "gray" / "row.json"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    with pytest.raises(InputError, match=rf"row\.json: expected a row of .*, found {found}\. Rem"):
        run_suite(SMALL, tmp_path, data=small_npz, report=silently)


def test_quick_is_small_everywhere_and_can_be_changed():
    for suite in SUITES.values():
        for run in suite.runs:
            quick = SuiteOptions(quick=True, overrides=["training.epochs=1"]).recipe(run)
            assert quick.training.epochs == 1
            assert quick.training.fraction == 0.02
            assert quick.training.valid_fraction == 0.1
            assert quick.model.options.get("size", 48) <= 112


def test_the_estimate_counts_the_multiplications_of_every_face_and_epoch(small_npz, tmp_path):
    (run,) = SUITES["two-conv"].runs
    attempt = Attempt(run.name, run.recipe, tmp_path, small_npz)
    layers = (25 * 64 * 44**2, 16 * 64 * 32 * 41**2, 32 * 41**2 * 120, 120 * 84, 84 * 7)
    assert multiplications(attempt) == 3 * sum(layers) * 80 * 50
    unknown = attempt.recipe.model_copy(
        update={"model": attempt.recipe.model.model_copy(update={"options": {"sizes": 1}})}
    )
    assert multiplications(Attempt(run.name, unknown, tmp_path, small_npz)) == 0


def test_progress_says_what_is_left(compared, small_npz, tmp_path):
    said = []
    options = SuiteOptions(only=["weighty", "wide"], overrides=["training.epochs=1"])
    run_suite(SMALL, tmp_path, options, data=small_npz, report=said.append)
    assert re.fullmatch(r"small: about 1 min on this processor, if .* early", said[0])
    assert any(re.fullmatch(r"small: 1 of 2 runs ended after \S+, about \S+ left", s) for s in said)
    row = json.loads((tmp_path / "runs" / "wide" / "row.json").read_text())
    assert (row["schema"], row["epochs"]) == ("fer-mobile/compare-row", 1)


def test_a_suite_goes_on_from_the_rows_of_another_machine(compared, small_npz, tmp_path):
    out, rows = compared
    said = []
    options = SuiteOptions(rows=out / "small.json")
    again = run_suite(SMALL, tmp_path, options, data=small_npz, report=said.append)
    assert [row for row in again if "error" not in row] == [rows[0], rows[2]]
    assert not (tmp_path / "runs" / "gray").exists()
    assert "2 rows kept, 0 of other recipes or faces left out" in said[0]
    page = (tmp_path / "small.html").read_text(encoding="utf-8")
    assert f"{rows[0]['parameters']:,}" in page

    other = SuiteOptions(rows=out / "small.json", overrides=["training.epochs=1"], only=["wide"])
    said.clear()
    (_, _, wide) = run_suite(SMALL, tmp_path / "other", other, data=small_npz, report=said.append)
    assert wide["epochs"] == 1
    assert "0 rows kept, 2 of other recipes or faces left out" in said[0]
    with pytest.raises(
        InputError, match=r"row\.json: expected fer-mobile/compare version 1, found"
    ):
        run_suite(SMALL, tmp_path, SuiteOptions(rows=out / "runs" / "gray" / "row.json"),
                  data=small_npz, report=silently)  # fmt: skip
