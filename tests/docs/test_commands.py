"""Every command that the documentation shows is run, page by page, or stands here with the reason.

A page's commands run in their order, in a folder that has what they name, on few photos and faces.
Those of an earlier page are not run again.  Those that train, convert or take the time of photos
are run by `make prove`.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from fer_mobile.model_file import split
from fer_mobile.resources import models_dir, photos_dir
from tests.bench.test_phones import ROW as PHONE
from tests.command_line import PATIENCE_S, CommandLine
from tests.docs.pages import PAGES, blocks, commands
from tests.test_readme import BENCH

NOT_RUN = {
    r"make ": "installs from a package index",
    r"(pip|apt) install ": "installs from a package index",
    r"cd android_demo ": "Gradle, from Google's servers",
    r"export RAY|ray ": "a Ray cluster: tests/gallery/test_ray.py",
    r"fer-mobile filter /nfs/photos ": "a Ray cluster: tests/gallery/test_ray.py",
    r"fer-mobile compare SUITE --engine ray ": "a Ray cluster: tests/studies/test_ray.py",
    r"fer-mobile bench --device adb": "a phone: tests/bench/test_adb.py",
    r"fer-mobile bench --photos 12mp ": "minutes to make them: tests/bench/test_large_photos.py",
    r"fer-mobile bench --matrix": "minutes: tests/bench/test_matrix.py",
    r"fer-mobile verify FILE --gpu": "a GPU or SwiftShader: tests/convert/test_gpu.py",
    r"fer-mobile export my.keras ": "a network of one's own: tests/convert/test_export.py",
    r"fer-mobile train face_inception ": "a GPU, and weights of 87 MB",
    r"fer-mobile train (xcao_two_stream )?compact ": "three such teachers",
    r"fer-mobile evaluate runs/face_mobilenet ": "weights of 28 MB: tests/data/test_corruption.py",
    r"fer-mobile train xcao\S+ --data \S+ --parallel": "JAX: tests/training/test_parallel.py",
    r"python -m benchmarks.study_results ": "committed rows: tests/bench/test_replication.py",
    r"fer-mobile predict \S+ --detector middle": "a plugin: tests/docs/test_contributing.py",
    r"fer-mobile data inspect arrays/": "a plugin: tests/docs/test_contributing.py",
}
"""How the commands begin that are not run here, and what they would need."""
ELSEWHERE = {"own-faces.md": "tests/test_own_faces.py"}
"""Pages whose commands another test runs."""
COSTLY = (
    r"fer-mobile ((train|compare|demo)\b|(export|evaluate|report errors) runs/|verify \S+ --layers"
    r"|explain\b|export --input rgb|bench( --(photos|against|profile)\b|$))"
)
"""How the commands begin that `make prove` runs."""
_NETWORK = ("--set", "epochs=1", "--set", "model.options={size=56,blocks=[1,1,1]}")
_TRAINING = (*_NETWORK, "--set", "batch_size=16")
TOY = {
    r"train": _TRAINING,
    r"bench( --(photos|against|profile)\b|$)": ("--budget", "60", "--repetitions", "1"),
    r"filter (?!.*--remove)": ("--workers", "0"),
    r"explain": ("--model", "compact"),
    r"export runs/": ("--quantize", "float16"),
    r"compare thesis-table5": ("--only", "thesis-xcao", "--set", "model.options.size=56"),
    r"compare emotion-11": ("--quick", "--only", "emotion-simple-cnn-grayscale"),
    r"compare sweep": _NETWORK,  # whose grid has the batch size
}
"""What makes commands cheap, by how they begin."""
NAMES = {
    "FILE": "other.tflite",
    "MODEL": "compact",
    "RECIPE": "compact_without_teachers",
    "RUN": "two-conv",
    "SUITE": "two-conv",
    "SUITE.json": "DIR/two-conv.json",
}
"""What stands for words in capitals; the folder DIR is there."""


@pytest.fixture(scope="module")
def here(tmp_path_factory, small_npz) -> CommandLine:
    """A folder with all that the commands name."""
    folder = tmp_path_factory.mktemp("shown")
    portrait = Image.open(photos_dir() / "astronaut-smile.jpg")
    for name in ("photo.jpg", "face.png"):
        portrait.save(folder / name)
    portrait.transpose(Image.Transpose.ROTATE_90).save(folder / "scan.jpg")
    for number, photo in enumerate(sorted(photos_dir().glob("*.jpg"))[:6]):
        for place in (f"photos/{('happy', 'sad')[number % 2]}", "DIR"):
            (folder / place).mkdir(parents=True, exist_ok=True)
            shutil.copy(photo, folder / place)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2024:06:01 12:00:00"  # DateTimeOriginal
    portrait.save(folder / "DIR" / "dated.jpg", exif=exif)
    shutil.copy(small_npz, folder / "faces.npz")
    for name in ("a.jsonl", "b.jsonl"):
        shutil.copy(BENCH, folder / name)
    (folder / "phone.json").write_text(json.dumps(PHONE), "utf-8")
    shutil.copy(models_dir() / "compact" / "compact_int8.tflite", folder / "other.tflite")
    bare, _ = split((models_dir() / "compact_fer2013" / "compact_fer2013_int8.tflite").read_bytes())
    (folder / "theirs.tflite").write_bytes(bare)
    run = CommandLine(folder)
    run.done = set()
    check(run, "fer-mobile data crop photos/ faces/")
    return run


def check(run: CommandLine, line: str) -> None:
    """Run a command as a page shows it, made cheap; it succeeds.  Once: other pages repeat it."""
    if line in run.done:
        return
    run.done.add(line)
    program, *words = [NAMES.get(word, word) for word in shlex.split(line)]
    if program != "fer-mobile":
        subprocess.run([program, *words], check=True, cwd=run.folder, timeout=PATIENCE_S)
        return
    words, target = (words[:-2], words[-1]) if ">" in words else (words, None)
    (toy,) = {toy for begin, toy in TOY.items() if re.match(begin, " ".join(words))} or {()}
    if words[:2] == ["data", "crop"]:
        shutil.rmtree(run.folder / words[3], ignore_errors=True)  # it has to be empty
    if words[0] == "train" and not {"--out", "--resume"} & {*words}:
        shutil.rmtree(run.folder / "runs" / words[1], ignore_errors=True)  # of another page
    if words[0] == "compare" and "--out" not in words:
        toy = (*toy, "--out", f"comparisons/{len([*run.folder.glob('comparisons/*')])}")
    variables = {"FER_MOBILE_CACHE": "cache", "FER_MOBILE_DATA": "faces.npz"}
    done = run(*words, *toy, **variables)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    if target:
        (run.folder / target).write_text(done.stdout, "utf-8")


def shown(page: Path) -> list[str]:
    """The commands of a page that are run here."""
    lines = [shlex.join(words) for words in commands(page)]
    return [line for line in lines if not re.match("|".join(NOT_RUN), f"{line} ")]


HERE = [page for page in PAGES if page.name not in ELSEWHERE and shown(page)]


@pytest.mark.parametrize("page", HERE, ids=lambda page: page.stem)
def test_the_commands_of_a_page_work_in_their_order(here, page):
    lines = [line for line in shown(page) if not re.match(COSTLY, line)]
    programs = {line.split()[0] for line in lines} - {"fer-mobile"}
    missing = {program for program in programs if not shutil.which(program)}
    for line in lines:
        if line.split()[0] not in missing:
            check(here, line)
    if missing:
        pytest.skip(f"needs {', '.join(missing)} for some commands")


@pytest.mark.prove
@pytest.mark.parametrize("page", HERE, ids=lambda page: page.stem)
def test_its_costly_commands_do_too(here, page):
    for line in shown(page):
        check(here, line)


def test_commands_stand_in_blocks_of_one_language():
    assert not [page for name in ("bash", "shell", "console") for page, _ in blocks(name)]


def test_what_is_left_out_is_still_shown():
    lines = [f"{shlex.join(words)} " for page in PAGES for words in commands(page)]
    for begin in NOT_RUN:
        assert any(re.match(begin, line) for line in lines), begin
    for name, test in ELSEWHERE.items():
        assert name in Path(test).read_text("utf-8")
