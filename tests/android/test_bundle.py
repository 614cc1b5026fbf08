import ast
import hashlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from fer_mobile.android import bundle, other_models, outdated
from fer_mobile.errors import InputError, ModelError
from fer_mobile.model_file import attach, contract_file, split
from fer_mobile.models import shipped_models
from fer_mobile.runtime.classifier import load_classifier
from fer_mobile.snippet import SNIPPETS, snippet

REPOSITORY = Path(__file__).resolve().parents[2]
APP = REPOSITORY / "android_demo"


def test_bundle_holds_every_shipped_model_and_is_idempotent(tmp_path: Path) -> None:
    written = bundle(tmp_path, photos=True)
    assert {path.name for path in written} >= {
        file.name for model in shipped_models().values() for file in [model.files["int8"]]
    }
    for model in (tmp_path / "models").glob("*.tflite"):
        assert load_classifier(model).contract.precision == "int8"
    assert len(list((tmp_path / "photos/affective-25").glob("*.[jp]*g"))) == 25
    assert bundle(tmp_path) == []
    assert outdated(tmp_path, photos=True) == []


def test_one_model_and_no_photos(tmp_path: Path) -> None:
    names = {path.relative_to(tmp_path).as_posix() for path in bundle(tmp_path, models=["compact"])}
    assert names == {
        "models/compact_int8.tflite", "models/compact_int8.json",
        "detector/face_detection_yunet.tflite", "licences/models.txt", "licences/yunet.txt",
    }  # fmt: skip
    with pytest.raises(InputError, match="Did you mean 'compact'"):
        bundle(tmp_path, models=["compct"])


def test_a_file_of_one_s_own(tmp_path: Path) -> None:
    own = tmp_path / "mine.tflite"
    shutil.copy(shipped_models()["compact"].files["int8"], own)
    names = {path.name for path in bundle(tmp_path / "assets", models=[str(own)])}
    assert names == {
        "mine.tflite", "mine.json", "face_detection_yunet.tflite", "models.txt", "yunet.txt",
    }  # fmt: skip
    own.write_bytes(b"no model")
    with pytest.raises(ModelError, match="expected a TensorFlow Lite model"):
        bundle(tmp_path / "assets", models=[str(own)])


def test_a_model_of_another_licence_brings_no_licence_of_ours(tmp_path: Path) -> None:
    content = shipped_models()["compact"].files["int8"].read_bytes()
    bare, contract = split(content)
    own = tmp_path / "yunet.tflite"  # whose licence must not be taken for the detector's
    own.write_bytes(attach(bare, contract.model_copy(update={"licence": "MIT"})))
    bundle(tmp_path / "assets", models=[str(own)])
    licences = {file.name: file.read_text() for file in (tmp_path / "assets/licences").iterdir()}
    assert licences.keys() == {"yunet.tflite.txt", "yunet.txt"}
    assert licences["yunet.tflite.txt"] == "MIT\n"


def test_the_contract_beside_a_model_is_the_one_in_it(tmp_path: Path) -> None:
    shipped = shipped_models()["compact"].files["int8"]
    own = Path(shutil.copy(shipped, tmp_path))
    contract_file(own).write_text("{}")
    bundle(tmp_path / "assets", models=[str(own)])
    copied = tmp_path / "assets/models" / own.name
    assert contract_file(copied).read_bytes() == contract_file(shipped).read_bytes()


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = []
    for number, name in enumerate(["compact", "xcao_two_stream"]):
        twice.append(tmp_path / str(number) / "model.tflite")
        twice[-1].parent.mkdir()
        shutil.copy(shipped_models()[name].files["int8"], twice[-1])
    with pytest.raises(InputError, match=r"two models named model\.tflite\. Rename one"):
        bundle(tmp_path / "assets", models=[*map(str, twice)])
    bundle(tmp_path / "assets", models=[str(twice[0])] * 2)


def test_the_page_shows_the_snippets_to_the_letter() -> None:
    page = (REPOSITORY / "docs/android.md").read_text(encoding="utf-8")
    shown = re.findall(r"```(?:kotlin|java|python)\n(.*?)```", page, re.DOTALL)
    consumers = {path.read_text("utf-8") for path in (APP / "offline/consumers").iterdir()}
    assert set(shown) == consumers | {snippet(language) for language in SNIPPETS}


def test_what_is_outdated_is_named_and_mended_and_the_rest_left_alone(tmp_path: Path) -> None:
    bundle(tmp_path)
    own = tmp_path / "models/own.tflite"
    own.write_bytes(b"a person's model")
    model = tmp_path / "models/xcao_two_stream_int8.tflite"
    model.write_bytes(b"an older one")
    (tmp_path / "detector/face_detection_yunet.tflite").unlink()
    assert {path.name for path in outdated(tmp_path)} == {
        "xcao_two_stream_int8.tflite",
        "face_detection_yunet.tflite",
    }
    assert len(bundle(tmp_path)) == 2
    assert outdated(tmp_path) == []
    assert own.read_bytes() == b"a person's model"
    assert other_models(tmp_path) == [own]


def test_gradle_copies_the_same_files(tmp_path: Path) -> None:
    scripts = [
        (APP / name / "build.gradle.kts").read_text(encoding="utf-8") for name in ("app", "fer")
    ]
    task = "".join(s[s.index("abstract class") : s.index("androidComponents")] for s in scripts)
    folders = {
        name: REPOSITORY / path
        for name, path in re.findall(r'(\w+) = checkout\.resolve\("(.+?)"\)', task)
    }
    sources = {folders[name] for name in re.findall(r"from\((\w+)\)", task)}
    sources |= {
        folders[folder] / name for folder, name in re.findall(r'(\w+)\.file\("(.+?)"\)', task)
    }
    patterns = re.findall(r'"(\*/[^"]+)"', task)
    left_out = {
        file
        for folder in re.findall(r'exclude\("(.+?)/\*\*"', task)
        for file in (REPOSITORY / "models").glob(f"{folder}/*")
    }
    assert left_out
    copied = {file for source in sources for file in _files(source, patterns)} - left_out
    assert _checksums(copied) == _checksums(bundle(tmp_path, photos=True))


def _checksums(files: Iterable[Path]) -> list[str]:
    return sorted(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)


def _files(source: Path, patterns: list[str]) -> set[Path]:
    if source.is_file():
        return {source}
    if source.name == "models":
        return {file for pattern in patterns for file in source.glob(pattern)}
    return {file for file in source.iterdir() if file.is_file()}


def test_a_catalogue_that_left_the_lock_behind_is_noticed(tmp_path: Path) -> None:
    for name in ("offline/maven.py", "offline/resolve.py", "offline/deps.lock"):
        _copy(name, tmp_path)
    catalogue = _copy("gradle/libs.versions.toml", tmp_path)
    assert _check(tmp_path).returncode == 0
    text = catalogue.read_text(encoding="utf-8")
    catalogue.write_text(text.replace('material = "1.12.0"', 'material = "1.13.0"'), "utf-8")
    done = _check(tmp_path)
    assert done.returncode == 1
    assert "com.google.android.material:material: expected 1.13.0" in done.stdout


def _copy(name: str, to: Path) -> Path:
    target = to / name
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(APP / name, target))


def _check(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "offline/resolve.py"), "--check"]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_no_module_of_the_offline_build_imports_itself_by_a_detour() -> None:
    folder = APP / "offline"
    graph = {file.stem: _imported(file) for file in folder.glob("*.py")}
    order = TopologicalSorter({name: names & graph.keys() for name, names in graph.items()})
    assert {*order.static_order()} == graph.keys()  # CycleError where there is a circle


def _imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def _offline(code: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run Python code that imports modules of the offline build."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=APP / "offline")


def test_what_r8_keeps_is_the_same_in_every_checkout(tmp_path: Path) -> None:
    """Or it would shrink the app again in each, which takes longest of all."""
    code = """
import sys
from pathlib import Path
from types import SimpleNamespace

import package

folder = package.FOLDER = Path(sys.argv[1])
resources = SimpleNamespace(keep_rules=folder / "aapt2.pro")
print(package.shrinking_rules(SimpleNamespace(folder=folder), SimpleNamespace(resources=resources)))
"""
    rules = "# Referenced at {}/res/layout/a.xml:7\n-keep class org.fermobile.A {{ <init>(); }}\n"
    (tmp_path / "aapt2.pro").write_text(rules.format(tmp_path))
    done = _offline(code, tmp_path)
    assert done.returncode == 0, done.stderr
    found = Path(done.stdout.strip()).read_text()
    assert "-keep class org.fermobile.A { <init>(); }\n" in found
    assert str(tmp_path) not in found


def test_unknown_test_classes_are_refused() -> None:
    code = """
from robolectric import choose
known = ["org.fermobile.gallery.PhotoTest", "org.fermobile.offline.ConsumersTest"]
print(choose(known, []) == known)
print(*choose(known, ["PhotoTest"]), *choose(known, ["org.fermobile.gallery.PhotoTest"]))
choose(known, ["PhotoTest", "PhotosTest"])
"""
    done = _offline(code)
    assert done.stdout.split() == ["True", *["org.fermobile.gallery.PhotoTest"] * 2]
    message = "expected test classes: ConsumersTest, PhotoTest; found PhotosTest"
    assert done.stderr.rstrip().endswith(message)


def test_the_app_asks_for_no_network() -> None:
    manifest = (APP / "app/src/main/AndroidManifest.xml").read_text(encoding="utf-8")
    assert "INTERNET" not in manifest
    assert "NETWORK" not in manifest


RESOURCES = APP / "app/src/main/res"


def _texts(folder: str) -> dict[str, str]:
    """The app's texts by their names."""
    root = ET.parse(RESOURCES / folder / "strings.xml").getroot()
    return {element.attrib["name"]: "".join(element.itertext()) for element in root}


def test_every_text_is_in_every_language_with_the_same_values() -> None:
    english, spanish = _texts("values"), _texts("values-es")
    assert list(english) == list(spanish)
    for name, text in english.items():
        places = [set(re.findall(r"%(?:\d\$)?,?[sd]", each)) for each in (text, spanish[name])]
        assert places[0] == places[1], name


def test_every_text_is_shown() -> None:
    main = APP / "app/src/main"
    files = [*main.rglob("*.kt"), *main.rglob("*.xml")]
    code = "".join(file.read_text(encoding="utf-8") for file in files)
    used = set(re.findall(r"(?:R\.string\.|R\.plurals\.|@string/)(\w+)", code))
    assert _texts("values").keys() == used
