"""The help: complete, in groups, with examples that parse, and quick."""

import json
import shlex
import sys

import pytest

from fer_mobile.studies.suites import SUITES
from tests.cli.registry import all_commands, parse

COMMANDS = dict(all_commands())
HEAVY = ("rich", "numpy", "cv2", "jinja2", "PIL", "sqlite3", "pydantic", "tensorflow", "keras")


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_and_option_is_documented_and_has_an_example(words):
    command = COMMANDS[words]
    assert command.help.strip().endswith("."), command.help
    for parameter in command.params:
        assert parameter.help, parameter.name
    assert command.examples
    for line in command.examples:
        assert shlex.join(shlex.split(line, comments=True)).startswith(f"fer-mobile {words}")
        assert len(line) <= 92


@pytest.mark.parametrize(
    "line", [line for command in COMMANDS.values() for line in command.examples]
)
def test_every_example_parses(line):
    parse(line)


def test_options_stand_under_headings_and_examples_last(fer_mobile):
    lines = fer_mobile("filter", "--help").stdout.splitlines()
    headings = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert headings == [
        "Arguments:", "Selection:", "Output:", "Execution:", "Model and detector:", "General:",
        "Examples:",
    ]  # fmt: skip
    assert lines[-1].startswith("  fer-mobile filter ")


def test_arguments_have_one_name_with_every_typer(fer_mobile):
    lines = fer_mobile("train", "--help").stdout.splitlines()
    assert lines[0] == "Usage: fer-mobile train [OPTIONS] RECIPE ..."
    assert lines[lines.index("Arguments:") + 1].startswith("  RECIPE ...  A recipe")
    usage = fer_mobile("evaluate", "--help").stdout.splitlines()[0]
    assert usage == "Usage: fer-mobile evaluate [OPTIONS] [MODEL]"


def test_the_suites_of_examples_are_suites():
    lines = [shlex.split(line, comments=True) for line in COMMANDS["compare"].examples]
    assert {words[2] for words in lines} <= {*SUITES, "sweep"}


@pytest.mark.parametrize("words", [[], ["filter"]], ids=" ".join)
def test_the_help_loads_nothing_that_takes_long(words, fer_mobile):
    """And takes 0.3 s of processor time on a machine that is not loaded."""
    script = (
        "import json, sys, time; from fer_mobile.cli import main\n"
        f"sys.argv = ['', *{words}, '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"found = [name for name in {HEAVY} if name in sys.modules]\n"
        "print(json.dumps([found, time.process_time()]), file=sys.stderr)"
    )
    fer_mobile.command = (sys.executable, "-B", "-c", script)  # not forked
    loaded, seconds = json.loads(fer_mobile().stderr)
    assert loaded == []
    assert seconds < 1.0
