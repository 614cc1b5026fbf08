"""Names of the version before work for one version, and say what they are called now."""

import importlib
import subprocess
import sys

import pytest

from fer_mobile import InputError
from fer_mobile._deprecated import _MODULES


@pytest.mark.parametrize("old", [*_MODULES, "fer_mobile.experiments.measure"])
def test_modules_that_moved(old):
    sys.modules.pop(old, None)
    with pytest.warns(DeprecationWarning, match=rf"{old} is now fer_mobile\.\w+"):
        module = importlib.import_module(old)
    new = _MODULES.get(old, "fer_mobile.studies.measure")
    assert module.__name__ == old
    for name, value in vars(importlib.import_module(new)).items():
        if name == "__doc__" or not name.startswith("_"):
            assert getattr(module, name) is value


def test_names_that_changed():
    from fer_mobile import evaluation
    from fer_mobile.checkpoint import Checkpoint, load_checkpoint
    from fer_mobile.detect import boxes

    sys.modules.pop("fer_mobile.network.source", None)
    with pytest.deprecated_call():
        source = importlib.import_module("fer_mobile.network.source")
    assert (source.load_source, source.Source) == (load_checkpoint, Checkpoint)
    with pytest.warns(DeprecationWarning, match="OwnBoxes is now PrecomputedBoxes"):
        assert boxes.OwnBoxes is boxes.PrecomputedBoxes
    with pytest.warns(DeprecationWarning, match="answers is now predict_probabilities"):
        assert evaluation.answers is evaluation.predict_probabilities
    with pytest.raises(AttributeError, match="no attribute 'OwnBoxen'"):
        boxes.OwnBoxen  # noqa: B018


def test_the_hint_of_an_error():
    with pytest.warns(DeprecationWarning, match="hint"):
        error = InputError("a", expected="b", found="c", todo="Do d.")
    assert str(error) == "a: expected b, found c. Do d."
    with pytest.warns(DeprecationWarning, match=r"InputError\.hint"):
        assert error.todo == error.hint == "Do d."


def test_the_warning_points_at_the_users_line():
    code = (
        "import fer_mobile.experiments\n"
        "from fer_mobile.detect.boxes import OwnBoxes\n"
        "from fer_mobile import InputError\n"
        "InputError('a', expected='b', found='c', todo='d').todo\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always::DeprecationWarning", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if "DeprecationWarning" in line]
    assert [line.partition(": ")[0] for line in lines] == [
        "<string>:1",
        "<string>:2",
        "<string>:4",
        "<string>:4",
    ]


def test_modules_that_never_were_are_not_found():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("fer_mobile.experiment")
