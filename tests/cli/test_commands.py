"""The command line as a whole: help, flags in messages, streams that are closed."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fer_mobile import models
from fer_mobile.cli.commands import Command, name_flags
from tests.cli.registry import ROOT, all_commands, command


@pytest.mark.parametrize("words", [(), ("report",), ("android",)], ids=" ".join)
def test_a_group_alone_prints_its_help(words, fer_mobile):
    bare, asked = fer_mobile(*words), fer_mobile(*words, "--help")
    assert (bare.returncode, bare.stderr) == (0, "")
    assert bare.stdout == asked.stdout
    assert bare.stdout.startswith(" ".join(("Usage: fer-mobile", *words)))


def test_the_module_is_the_command(fer_mobile):
    fer_mobile.command = (sys.executable, "-m", "fer_mobile")
    assert fer_mobile("--version").stdout.startswith("fer-mobile ")
    assert "expected" in fer_mobile.refused("predict", "nowhere.jpg", "--model", "nonsense")


def test_ctrl_c_while_the_commands_are_imported():
    code = """
import sys

class Interrupt:
    def find_spec(self, name, path, target=None):
        if name == "fer_mobile.cli":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
from fer_mobile.__main__ import main
main()
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (130, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_the_commands(shell, fer_mobile):
    words = {"COMP_WORDS": "fer-mobile ver", "COMP_CWORD": "1"}
    words |= {"_TYPER_COMPLETE_ARGS": "fer-mobile ver", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = fer_mobile(**words, _FER_MOBILE_COMPLETE=f"complete_{shell}")
    assert "verify" in done.stdout, done.stderr


def test_every_command_names_flags_in_its_errors():
    found = dict(all_commands())
    assert {"export", "report errors", "android bundle"} <= set(found)
    assert all(isinstance(each, Command) for each in found.values())


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("quantize: expected one of a, b.", "--quantize: expected one of a, b."),
        ("color: expected gray.", "--input: expected gray."),
        ("x: use `io`.", "x: use --io."),
        ("`size=56`: expected 112.", "--size 56: expected 112."),
        ("x. Use `quantize='none'`.", "x. Use --quantize none."),
        ('x. Use `io="int8"`, or `format="tflite"`.', "x. Use --io int8, or --format tflite."),
        ("x. Set `parameter_cap=False`.", "x. Set --no-parameter-cap."),
        ("x. First `export()` it.", "x. First `fer-mobile export` it."),
        ("x. Go on with `train(resume=True)`.", "x. Go on with `fer-mobile train --resume`."),
        # Not parameters of the command, or not spelled as one.
        ("model 'size': expected io, found size=3.", "model 'size': expected io, found size=3."),
        ("/tmp/quantize: expected `x=1`.", "/tmp/quantize: expected `x=1`."),
        ("--quantize: expected a.", "--quantize: expected a."),
        ("x: call `close()`.", "x: call `close()`."),
    ],
)  # fmt: skip
def test_parameters_become_flags(message, said):
    assert name_flags(message, command("export")) == said


def test_both_values_of_a_switch():
    message = "x: expected `resume=True`, found `resume=False`."
    assert name_flags(message, command("filter")) == "x: expected --resume, found --no-resume."


def test_a_refused_option_is_named_as_it_was_given(fer_mobile):
    line = fer_mobile.refused("export", "--quantize", "int9")
    assert line.startswith("fer-mobile: --quantize: expected")


def test_outdated_assets_of_an_app_are_refused_with_the_command_that_mends_them(fer_mobile):
    assert fer_mobile("android", "bundle", "assets").returncode == 0
    assert fer_mobile("android", "bundle", "assets", "--check").stdout == "assets: up to date\n"
    for name in ("models/compact_int8.tflite", "models/compact_int8.json"):
        (fer_mobile.folder / "assets" / name).unlink()
    line = fer_mobile.refused("android", "bundle", "assets", "--check")
    assert "compact_int8" in line
    assert line.endswith("and 1 more. Run: fer-mobile android bundle assets")


SPOKEN_TO = {"adb.py", "phone_app.py", "phone_tool.py", "phones.py", "large_photos.py"}
"""Modules that write the flags of other programs, or into a file for those who use the command
line."""

NAMED = re.compile(rf"(?<![\w=-])--[a-z]|fer-mobile ({'|'.join(ROOT.commands)})\b")


def test_the_library_names_no_flags_and_no_commands():
    """It names parameters and functions, which the command line turns into flags and commands."""
    package = Path(models.__file__).parent
    files = [f for f in package.rglob("*.py") if f.parent.name != "cli" and f.name not in SPOKEN_TO]
    assert len(files) > 100
    found = []
    for file in files:
        tree = ast.parse(file.read_text("utf-8"))
        texts = {
            id(node): node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        for node in ast.walk(tree):  # documentation may name them
            if isinstance(node, ast.Expr):
                texts.pop(id(node.value), None)
        others = (re.sub(r"pip install .*", "", text) for text in texts.values())
        flags = (text for text in others if NAMED.search(text))
        found += [f"{file.relative_to(package)}: {text}" for text in flags]
    assert found == []
