"""The package as a newcomer gets it: quick to import, small to install, whole in a wheel."""

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HELP = "from fer_mobile.cli import main; main()"
WHERE = "import fer_mobile; print(fer_mobile.__file__)"
HEAVY = ("numpy", "tensorflow", "keras", "cv2", "ai_edge_litert")


def run(*command, **kwargs):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **kwargs
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    ("code", "most"),
    [
        ("import fer_mobile", 100),
        (f"try:\n  {HELP}\nexcept SystemExit as end:\n  assert not end.code", 500),
    ],
    ids=["import", "help"],
)
def test_little_is_imported_before_it_is_needed(code, most):
    """Counted, not timed: other programs run here, too.

    27 and 199 modules are 15 and 150 ms of an AMD EPYC's time.
    """
    report = f"import sys\nold = set(sys.modules)\n{code}\nprint(*set(sys.modules) - old)"
    modules = run(sys.executable, "-c", report, "--help").splitlines()[-1].split()
    assert not set(HEAVY) & set(modules)
    assert len(modules) < most


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_models_photos_recipes_and_licences(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for shipped in (
        "fer_mobile/_models/xcao_two_stream/xcao_two_stream_int8.tflite",
        "fer_mobile/_models/xcao_two_stream/xcao_two_stream_int8.json",
        "fer_mobile/_models/yunet/face_detection_yunet.tflite",
        "fer_mobile/_models/yunet/LICENSE",
        "fer_mobile/_models/blazeface/blaze_face_full_range.tflite",
        "fer_mobile/_models/blazeface/LICENSE",
        "fer_mobile/photos/affective-25/manifest.csv",
        "fer_mobile/bench/data/rates.toml",
        "fer_mobile/bench/schema.json",
        "fer_mobile/recipes/xcao_two_stream.toml",
    ):
        assert shipped in names
    for licence in ("licenses/LICENSE", "licenses/models/LICENSE"):
        assert any(name.endswith(licence) for name in names), licence
    assert not [name for name in names if name.startswith(("tests", "models", "benchmarks"))]


def writes_its_report(folder, *demo, **kwargs):
    """Run the demo in an empty folder."""
    folder.mkdir()
    printed = run(*demo, cwd=folder, **kwargs)
    assert "of photos take at most" in printed
    (report,) = folder.rglob("*.html")
    assert str(report) in printed.replace("\n", "")
    assert report.stat().st_size > 100_000


def test_the_wheel_alone_runs_the_demo_from_another_folder(wheel, tmp_path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)  # what pip does of it, without the network
    where = run(sys.executable, "-c", WHERE, cwd=tmp_path, env=os.environ | {"PYTHONPATH": site})
    assert Path(where.strip()).is_relative_to(site)
    demo = (sys.executable, "-m", "fer_mobile", "demo")
    writes_its_report(tmp_path / "elsewhere", *demo, env=os.environ | {"PYTHONPATH": site})


@pytest.mark.prove
def test_the_wheel_is_installed_small_and_without_tensorflow(wheel, tmp_path):
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    run(home / "bin/pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel)
    writes_its_report(tmp_path / "elsewhere", home / "bin/fer-mobile", "demo")
    run(home / "bin/pip", "check")
    packages = run(home / "bin/pip", "list", "--format=freeze").lower()
    assert "tensorflow" not in packages
    installed = sum(file.lstat().st_size for file in home.rglob("*") if file.is_file())
    assert installed < 500e6


def test_the_commands_in_the_readme_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", readme, re.DOTALL | re.MULTILINE))
    commands = set(re.findall(r"^(?:\$ )?fer-mobile ([a-z]+)", blocks, re.MULTILINE))
    targets = set(re.findall(r"^(?:\$ )?make ([a-z]+)", blocks, re.MULTILINE))
    assert {"demo", "predict", "filter", "bench"} <= commands
    assert {"shell"} <= targets
    for command in commands:
        assert "Usage" in run(sys.executable, "-c", HELP, command, "--help")
    for target in targets:
        run("make", "--dry-run", target, cwd=ROOT)


@pytest.mark.prove
@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_make_demo_works_on_bare_debian(suite):
    run("bash", ROOT / "tests/prove_debian.sh", suite)
