"""Plays `adb` with a phone at its other end, for tests that put it on the PATH.

The phone is the folder $FAKE_PHONE: `phone.json` holds what it is and does, `files/` its files.
"""

import json
import os
import shlex
import shutil
import sys
import time
from pathlib import Path

HOME = Path(os.environ["FAKE_PHONE"])
PHONE = json.loads((HOME / "phone.json").read_text(encoding="utf-8"))
ROW = Path(__file__).with_name("android_row.json")
APP = "org.fermobile.gallery"
TOOL = """STARTING!
Graph: [{graph}]
Initialized session in 1.5ms.
Running benchmark for at least 1 iterations and at least 0.5 seconds
count=50 first=3000 curr=2100 min=1900 max=3000 avg=2050.5 std=99
Inference timings in us: Init: 1500, First inference: 3000, Inference (avg): {us}
Memory footprint delta from the start of the tool (MB): init=1 overall=2
"""


def local(path: str) -> Path:
    return HOME / "files" / path.lstrip("/")


def note(text: str) -> None:
    with (HOME / "log").open("a", encoding="utf-8") as log:
        log.write(text + "\n")


def start(words: list[str]) -> str:
    """`am start`: the app is told what to do; its file turns up a few looks later."""
    if PHONE.get("start"):
        return PHONE["start"]
    extras = {words[i + 1]: words[i + 2] for i, w in enumerate(words) if w.startswith("--e")}
    note(json.dumps(extras))
    row = json.loads(ROW.read_text(encoding="utf-8"))
    row["model"]["name"] = extras["model"]
    row["settings"] |= {
        "repetitions": int(extras["repetitions"]),
        "threads": int(extras["threads"]),
        "budget_s": float(extras["budget"]),
    }
    row["verdict"] = (
        "pass" if row["stages"]["total"]["p90_ms"] <= row["settings"]["budget_s"] * 1000 else "fail"
    )
    answer = PHONE.get("answer", json.dumps(row))
    if answer is not None:
        folder = HOME / "later"
        folder.mkdir(exist_ok=True)
        (folder / extras["out"]).write_text(answer, encoding="utf-8")
    return "Starting: Intent { cmp=org.fermobile.gallery/.BenchmarkActivity }\nStatus: ok"


def listed(path: str) -> str:
    """`ls`: a result becomes a file at the third look."""
    later = HOME / "later" / Path(path).name
    if later.is_file():
        looks = HOME / "looks"
        count = int(looks.read_text()) + 1 if looks.is_file() else 1
        looks.write_text(str(count))
        if count >= 3:
            local(path).parent.mkdir(parents=True, exist_ok=True)
            later.rename(local(path))
    return path if local(path).is_file() else f"ls: {path}: No such file or directory"


def shell(words: list[str]) -> str:
    match words:
        case ["pm", "path", app]:
            installed = PHONE.get("installed", True) or (HOME / "installed").is_file()
            return f"package:/data/app/{app}/base.apk" if installed and app == APP else ""
        case ["rm", "-f", path]:
            local(path).unlink(missing_ok=True)
            return ""
        case ["am", "start", *rest]:
            return start(rest)
        case ["ls", path]:
            return listed(path)
        case ["pidof", _]:
            return "4711" if PHONE.get("running", True) else ""
        case ["getprop", name]:
            return PHONE.get("properties", {}).get(name, "")
        case ["mkdir", "-p", path]:
            local(path).mkdir(parents=True, exist_ok=True)
            return ""
        case ["chmod", "755", path]:
            local(path).chmod(0o755)
            return ""
        case ["nproc"]:
            return "8"
        case ["uname", "-r"]:
            return "5.10.0-example"
        case ["cat", path]:
            return PHONE.get("system", {}).get(path, f"cat: {path}: Permission denied")
        case ["dumpsys", "thermalservice"]:
            return "IsStatusOverride: false\nThermal Status: 1"
        case [tool, graph, *_] if local(tool).is_file():
            note(" ".join(words))
            if PHONE.get("tool"):
                return PHONE["tool"]
            us = "2050.5" if "xcao" in graph else "1.25e+04"
            return TOOL.format(graph=graph, us=us)
    return f"/system/bin/sh: {words[0]}: not found"


def main() -> int:
    arguments = sys.argv[1:]
    if PHONE.get("hangs"):
        time.sleep(60)
    if arguments == ["devices"]:
        print("* daemon not running; starting now at tcp:5037\n* daemon started successfully")
        print("List of devices attached")
        for serial, state in PHONE.get("devices", {"R58M123ABC": "device"}).items():
            print(f"{serial}\t{state}")
        print()
        return 0
    assert arguments[0] == "-s", arguments
    note(f"serial {arguments[1]}")
    match arguments[2:]:
        case ["shell", line]:
            print(shell(shlex.split(line.removesuffix(" 2>&1"))))
        case ["exec-out", line]:
            _, path = shlex.split(line)
            sys.stdout.buffer.write(local(path).read_bytes())
        case ["push", file, path]:
            shutil.copy(file, local(path))
        case ["install", "-r", "-g", apk]:
            if not Path(apk).read_bytes().startswith(b"PK"):
                print(f"adb: failed to install {apk}: Failure [INSTALL_FAILED_INVALID_APK]")
                return 1
            (HOME / "installed").touch()
            print("Performing Streamed Install\nSuccess")
        case other:
            raise AssertionError(other)
    return 0


if __name__ == "__main__":
    sys.exit(main())
