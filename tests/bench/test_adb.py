"""The benchmark on a phone: a scripted `adb` plays one, and Debian's real `adb` has none."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from fer_mobile.bench import adb as adb_module
from fer_mobile.bench.adb import find_phone
from fer_mobile.bench.options import DEFAULTS, BenchOptions
from fer_mobile.bench.phone_app import bench_app
from fer_mobile.bench.phone_tool import bench_tool
from fer_mobile.bench.result import schema
from fer_mobile.errors import InputError
from tests.command_line import PATIENCE_S

SCRIPT = Path(__file__).with_name("fake_adb.py")
MODEL = "xcao_two_stream"
APP_FILES = "sdcard/Android/data/org.fermobile.gallery/files/bench"


class FakePhone:
    """The folder that the scripted `adb` plays from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.set()

    def set(self, **what) -> None:
        (self.folder / "phone.json").write_text(json.dumps(what), encoding="utf-8")

    @property
    def log(self) -> list[str]:
        return (self.folder / "log").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def phone(tmp_path, monkeypatch):
    played = FakePhone(tmp_path / "phone")
    tool = tmp_path / "bin" / "adb"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{SCRIPT}" "$@"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_PHONE", str(played.folder))
    return played


def run_app(options=DEFAULTS, **more):
    return bench_app(find_phone(), options, poll_s=0.01, **more)


def test_the_app_is_told_what_to_do_and_its_result_fetched(phone):
    old = phone.folder / "files" / APP_FILES / f"{MODEL}.json"
    old.parent.mkdir(parents=True)
    old.write_text("the result of yesterday")
    result = run_app(BenchOptions(threads=2, repetitions=7, budget=0.25))
    assert result.device == "android"
    assert result.model.name == MODEL
    assert (result.settings.threads, result.settings.repetitions) == (2, 7)
    assert result.settings.budget_s == 0.25
    assert result.verdict == "pass"
    (told,) = [json.loads(line) for line in phone.log if line.startswith("{")]
    assert told == {
        "model": MODEL,
        "out": f"{MODEL}.json",
        "repetitions": "7",
        "threads": "2",
        "budget": "0.25",
    }


def test_the_command_prints_the_phones_row_and_exits_by_its_verdict(phone, fer_mobile):
    row = fer_mobile.json("bench", "--device", "adb", "--budget", "0.1", code=1)
    jsonschema.validate(row, schema())
    assert row["verdict"] == "fail"
    assert row["hardware"]["phone"] == "example"
    assert row["settings"]["repetitions"] == 30
    shown = fer_mobile("bench", "--device", "adb:R58M123ABC", "--repetitions", "2")
    assert shown.returncode == 0, shown.stderr
    assert "example, example SoC, threads: 1, Android 14" in shown.stdout
    assert "PASS: 90% of photos take at most 0.135 s" in shown.stdout


def test_an_app_is_installed_first(phone, tmp_path):
    phone.set(installed=False)
    with pytest.raises(InputError, match=r"it is not installed. Name its file with `apk`"):
        run_app()
    bad, good = tmp_path / "bad.apk", tmp_path / "good.apk"
    bad.write_bytes(b"no app")
    good.write_bytes(b"PK an app")
    with pytest.raises(InputError, match=r"to install bad.apk, found .*INSTALL_FAILED_INVALID_APK"):
        run_app(apk=bad)
    with pytest.raises(InputError, match=r"expected an app to install, an .apk file, found no"):
        run_app(apk=tmp_path / "absent.apk")
    assert run_app(apk=good).device == "android"


@pytest.mark.parametrize(
    ("devices", "serial", "message"),
    [
        ({}, None, "expected a phone, found none. Plug one in and turn on USB debugging"),
        ({"A": "unauthorized"}, None, "does not trust this computer. Unlock the phone and allow"),
        ({"A": "offline"}, None, "one that does not answer. Unplug it"),
        ({"A": "no permissions (user in plugdev group)"}, None, "this user may not open"),
        ({"A": "recovery"}, None, "found one in the state 'recovery'"),
        ({"A": "device", "B": "device"}, None, "found 2: A, B. Name one: `device='adb:A'`"),
        ({"A": "device", "B": "device"}, "C", "a phone with the serial C, found A, B"),
        ({"A": "device", "B": "unauthorized"}, "B", "does not trust this computer"),
    ],
)  # fmt: skip
def test_a_phone_that_cannot_be_used(phone, devices, serial, message):
    phone.set(devices=devices)
    with pytest.raises(InputError, match=re.escape(message)):
        find_phone(serial)


def test_of_several_phones_the_ready_or_the_named_one_is_used(phone):
    phone.set(devices={"A": "unauthorized", "B": "device"})
    assert find_phone().serial == "B"
    phone.set(devices={"A": "device", "B": "device"})
    bench_app(find_phone("B"), poll_s=0.01)
    assert {line for line in phone.log if line.startswith("serial")} == {"serial B"}


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({"start": "Error type 3\nError: Activity class does not exist."}, "found Error type 3"),
        ({"answer": "half a resu"}, "a result in JSON, found 11 bytes of something else"),
        ({"answer": '{"schema": "fer-mobile/bench-error", "error": "no model x"}'},
         "found its error: no model x"),
        ({"answer": '{"schema": "fer-mobile/bench", "schema_version": 2}'},
         "expected a benchmark result, fer-mobile/bench version 2, found date: field required"),
        ({"answer": None}, "a result within 0 s, found none. Keep the screen on"),
        ({"answer": None, "running": False}, "it ended without one. See: adb logcat"),
    ],
    ids=["start", "no JSON", "its error", "another schema", "timeout", "crash"],
)  # fmt: skip
def test_an_app_that_fails(phone, what, message):
    phone.set(**what)
    with pytest.raises(InputError, match=re.escape(message)):
        run_app(timeout_s=0.4 if what == {"answer": None} else PATIENCE_S)


def test_an_adb_that_hangs_is_given_up(phone, monkeypatch):
    phone.set(hangs=True)
    monkeypatch.setattr(adb_module, "_SECONDS", 0.2)
    with pytest.raises(InputError, match="adb devices: expected an answer within 0 s"):
        find_phone()


def test_options_that_the_phone_does_not_have(phone, fer_mobile):
    assert "--out: expected a file to append to" in fer_mobile.refused("bench", "--out", "-")
    said = fer_mobile.refused("bench", "--device", "adb", "--profile")
    assert "--profile: expected --device cpu, found --device adb" in said
    assert "--apk: expected --device adb" in fer_mobile.refused("bench", "--apk", "x.apk")
    said = fer_mobile.refused("bench", "--device", "adb", "--model", "xcao_two_steam")
    assert "Did you mean 'xcao_two_stream'" in said
    assert "Did you mean 'adb'" in fer_mobile.refused("bench", "--device", "adb:")


def test_plain_benchmark_model_times_both_networks(phone, tmp_path):
    phone.set(
        properties={
            "ro.product.manufacturer": "Example",
            "ro.product.model": "E-1",
            "ro.soc.manufacturer": "Acme",
            "ro.soc.model": "X1000",
            "ro.product.cpu.abi": "arm64-v8a",
            "ro.build.version.release": "14",
            "ro.build.version.sdk": "34",
        },
        system={"/proc/meminfo": "MemTotal:        4000000 kB\nMemFree: 1 kB"},
    )
    binary = tmp_path / "benchmark_model"
    binary.write_bytes(b"\x7fELF")
    result = bench_tool(find_phone(), binary, BenchOptions(threads=2))
    jsonschema.validate(result.as_dict(), schema())
    assert set(result.stages) == {"detect", "classify"}
    assert result.stages["detect"].mean_ms == pytest.approx(12.5)
    assert result.stages["classify"].p90_ms == pytest.approx(2.0505)
    assert result.stages["classify"].n == 10
    assert (result.photos, result.verdict) == (None, None)
    assert (result.hardware.phone, result.hardware.cpu) == ("Example E-1", "Acme X1000")
    assert (result.hardware.thermal_state, result.hardware.governor) == ("light", None)
    assert result.hardware.memory_mb == 4096
    assert result.software.os == "Android 14 (API 34)"
    runs = [line for line in phone.log if "--graph=" in line]
    assert ["yunet" in line for line in runs] == [True, False] * 10  # A B A B
    assert all("--num_threads=2" in line for line in runs)
    assert "--input_layer_shape=1,480,640,3" in runs[0]
    phone.set(tool="ERROR: Failed to load the graph")
    with pytest.raises(InputError, match="found ERROR: Failed to load the graph"):
        bench_tool(find_phone(), binary)
    with pytest.raises(InputError, match="expected a benchmark_model binary, found no such file"):
        bench_tool(find_phone(), tmp_path / "absent")


def test_without_adb(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"the program adb, found none on the PATH. Install"):
        find_phone()


@pytest.mark.skipif(shutil.which("adb") is None, reason="needs Debian's package adb")
def test_the_real_adb_without_a_phone(fer_mobile, monkeypatch):
    port = "5391"  # a server of this test's own
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", port)
    try:
        said = fer_mobile.refused("bench", "--device", "adb")
        assert "device adb: expected a phone, found none" in said
        said = fer_mobile.refused("bench", "--device", "adb:R58M123ABC")
        assert "expected a phone with the serial R58M123ABC, found none" in said
    finally:
        subprocess.run(["adb", "-P", port, "kill-server"], capture_output=True, check=False)
