"""What pip installs: the extras, their floors, and installs in environments of their own."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from fer_mobile.model_file import split
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.runtime.flatbuffer import pack_model, unpack_model

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOWEST = ("export", "onnx", "heic")
"""The extras that constraints-lowest.txt covers."""
LINUX = {"sys_platform": "linux", "platform_machine": "x86_64"}


def requirements(*extras: str, **environment: str) -> dict[str, Requirement]:
    """The direct requirements of an install with extras, by name."""
    found = {}
    for line in [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]:
        each = Requirement(line)
        if each.marker and not each.marker.evaluate(LINUX | environment):
            continue
        if each.name == PROJECT["name"]:
            found |= requirements(*each.extras, **environment)
        else:
            found[canonicalize_name(each.name)] = each
    return found


def constraints(name: str) -> dict[str, Version]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    pins = (Requirement(line) for line in lines if not line.startswith("#"))
    return {
        canonicalize_name(pin.name): Version(str(pin.specifier).removeprefix("==")) for pin in pins
    }


def floor(requirement: Requirement) -> Version:
    (lowest,) = (each.version for each in requirement.specifier if each.operator == ">=")
    return Version(lowest)


@pytest.mark.parametrize(
    ("platform", "machine", "package"),
    [
        ("linux", "x86_64", "tensorflow-cpu"),
        ("win32", "AMD64", "tensorflow-cpu"),
        ("linux", "aarch64", "tensorflow"),
        ("darwin", "arm64", "tensorflow"),
    ],
)
def test_the_tensorflow_that_has_a_wheel_is_asked_for(platform, machine, package):
    found = requirements("export", sys_platform=platform, platform_machine=machine)
    assert [name for name in found if name.startswith("tensorflow")] == [package]
    assert {"keras", "ai-edge-quantizer", "matplotlib"} <= set(found)


def test_quant_is_export():
    assert requirements("quant") == requirements("export")


def test_the_lowest_set_is_that_of_the_floors():
    pinned = constraints("constraints-lowest.txt")
    for name, requirement in requirements(*LOWEST).items():
        lowest, pin = floor(requirement), pinned[name]
        assert pin.release[: len(lowest.release)] == lowest.release, name


def test_the_tested_set_is_allowed():
    pinned = constraints("constraints.txt")
    for name, requirement in requirements(*EXTRAS).items():
        assert requirement.specifier.contains(pinned[name]), name


def test_the_readme_lists_the_extras():
    readme = (ROOT / "README.md").read_text("utf-8")
    table = re.findall(r"^\| `(\w+)` \| ", readme.partition("\n## Install\n")[2], re.MULTILINE)
    assert sorted(table) == sorted(set(EXTRAS) - {"quant", "test"})


def test_only_extras_that_exist_are_recommended():
    files = [
        *(ROOT / "fer_mobile").rglob("*.py"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "README.md",
    ]
    named = {
        extra
        for file in files
        for pattern in (r"fer-mobile\[([\w,]+)\]", r'extra="(\w+)"')
        for extras in re.findall(pattern, file.read_text("utf-8"))
        for extra in extras.split(",")
    } - {"forbid", "ignore"}  # Pydantic's
    assert {"export", "heic", "ray"} <= named <= set(EXTRAS)


def run(*command: object, **kwargs: object) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **kwargs
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def install(folder: Path, python: str, pins: str, *extras: str) -> Path:
    """A fresh environment with this package; the folder of its programs."""
    run(python, "-m", "venv", folder)
    wanted = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    run(folder / "bin/pip", "install", "--quiet", "-c", ROOT / pins, wanted)
    run(folder / "bin/pip", "check")
    return folder / "bin"


@pytest.mark.prove
def test_the_documented_export_install_writes_the_shipped_graph(tmp_path):
    """Operators, tensors, weights and quantization to the byte.

    What is said of them differs: contracts have dates and versions, the shipped one more figures
    than a fresh one, and the metadata state the licence as it was worded on the day.
    """
    programs = install(tmp_path / "venv", sys.executable, "constraints.txt", "export")
    run(programs / "fer-mobile", "export", DEFAULT, "--rebuild", "--out", tmp_path, cwd=tmp_path)
    shipped = shipped_models()[DEFAULT].files["int8"]
    written = _graph(tmp_path / shipped.name)
    assert len(written) > 7_000_000  # a byte a parameter
    assert written == _graph(shipped)


def _graph(file: Path) -> bytes:
    """A file's model without what is said of it."""
    model = unpack_model(split(file.read_bytes())[0])
    for entry in model.metadata:
        model.buffers[entry.buffer].data = None
    return pack_model(model)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (file,) = folder.glob("*.whl")
    return file


@pytest.mark.prove
@pytest.mark.parametrize("python", ["python3.11", "python3.13"])
def test_the_wheel_works_on_the_lowest_and_the_highest_python(wheel, tmp_path, python):
    # Asked, not looked up: a version manager's shim may be there for a Python that is not.
    if shutil.which(python) is None or subprocess.run([python, "-c", ""], check=False).returncode:
        pytest.skip(f"{python} is not on this machine")
    run(python, "-m", "venv", tmp_path / "venv")
    programs = tmp_path / "venv" / "bin"
    run(programs / "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel)
    run(programs / "pip", "check")
    run(programs / "fer-mobile", "doctor", cwd=tmp_path)
    assert "report" in run(programs / "fer-mobile", "demo", "--out", "report", cwd=tmp_path)
    code = "import fer_mobile; print(fer_mobile.load_pipeline()('report/photo.jpg').label)"
    photo = ROOT / "fer_mobile/photos/affective-25/astronaut-smile.jpg"
    shutil.copy(photo, tmp_path / "report" / "photo.jpg")
    assert run(programs / "python", "-c", code, cwd=tmp_path) == "happiness\n"


@pytest.mark.prove
def test_a_fresh_clone_opens_a_shell_with_the_command(tmp_path):
    run("git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", tmp_path / "clone")
    said = run("make", "--silent", "shell", cwd=tmp_path / "clone", input="command -v fer-mobile\n")
    assert said.splitlines()[-1] == str(tmp_path / "clone" / ".venv/bin/fer-mobile")


def test_the_shell_of_make_has_the_environment_first(tmp_path):
    """Without what it installs: the stamp says that this is done."""
    programs = tmp_path / "venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "fer-mobile"):
        (programs / name).symlink_to("/bin/true")
    (programs.parent / "runtime.stamp").touch()
    said = run(
        *("make", "--silent", "shell", f"VENV={programs.parent}", "SHELL=/bin/sh"),
        cwd=ROOT,
        input="command -v fer-mobile; echo $VIRTUAL_ENV\n",
    )
    assert said.splitlines() == [str(programs / "fer-mobile"), str(programs.parent)]


@pytest.mark.prove
def test_the_lowest_versions_pass_the_tests(tmp_path):
    python = shutil.which("python3.11")
    assert python, "no python3.11, for which constraints-lowest.txt was made"
    programs = install(tmp_path / "venv", python, "constraints-lowest.txt", *LOWEST)
    run(programs / "pip", "install", "--quiet", "-c", ROOT / "constraints-lowest.txt",
        "pytest", "hypothesis", "jsonschema")  # fmt: skip
    tests = [
        "golden", "runtime", "graph", "detect", "checkpoint", "convert/test_export.py",
        "convert/test_verify.py", "test_pipeline.py", "test_preprocess.py", "test_images.py",
        "test_metrics.py", "test_models.py", "cli/test_commands.py", "cli/test_streams.py",
    ]  # fmt: skip
    # What packages of that time say of newer Python or NumPy is not ours to answer for.
    run(programs / "pytest", "-q", "-p", "no:cacheprovider", "-o", "filterwarnings=default",
        *(f"tests/{name}" for name in tests),
        cwd=ROOT)  # fmt: skip
