"""The versions of the Gradle build: that they go together, by android_demo/gradle/versions.toml."""

import hashlib
import re
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

GRADLE = Path(__file__).resolve().parents[2] / "android_demo/gradle"
TABLE = tomllib.loads((GRADLE / "versions.toml").read_text(encoding="utf-8"))
CATALOGUE = tomllib.loads((GRADLE / "libs.versions.toml").read_text(encoding="utf-8"))["versions"]
PROPERTIES = dict(
    line.split("=", 1)
    for line in (GRADLE / "wrapper/gradle-wrapper.properties").read_text("utf-8").splitlines()
)


@pytest.mark.parametrize("rule", TABLE["rule"], ids=lambda rule: rule["what"])
def test_a_version_keeps_its_rule(rule: dict[str, Any]) -> None:
    version = _version(rule)
    if "exactly" in rule:
        assert version == rule["exactly"], rule["why"]
    if "at_least" in rule:
        assert _order(version) >= _order(rule["at_least"]), rule["why"]
    if "at_most" in rule:
        assert _order(version) <= _order(rule["at_most"]), rule["why"]
    assert {"exactly", "at_least", "at_most"} & rule.keys()
    assert rule["source"].startswith("https://")


def _version(rule: dict[str, Any]) -> str:
    if "catalogue" in rule:
        return str(CATALOGUE[rule["catalogue"]])
    found = re.search(r"gradle-([\d.]+)-bin\.zip", PROPERTIES[rule["wrapper"]])
    assert found
    return found[1]


def _order(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def test_an_older_runtime_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOGUE, "litert", "1.4.0")
    rule = next(rule for rule in TABLE["rule"] if rule["what"] == "LiteRT")
    with pytest.raises(AssertionError, match="strtod_l"):
        test_a_version_keeps_its_rule(rule)


def test_the_wrapper_is_the_one_that_gradle_publishes() -> None:
    jar = (GRADLE / "wrapper/gradle-wrapper.jar").read_bytes()
    assert hashlib.sha256(jar).hexdigest() == TABLE["wrapper"]["jar_sha256"]
    assert PROPERTIES["distributionSha256Sum"] == TABLE["wrapper"]["distribution_sha256"]


def test_built_in_kotlin_has_no_plugin_beside_it() -> None:
    scripts = [*GRADLE.parent.glob("*.kts"), *GRADLE.parent.glob("*/build.gradle.kts")]
    text = "".join(script.read_text(encoding="utf-8") for script in scripts)
    assert "kotlinOptions" not in text
    assert "kotlin.android" not in text


def test_no_other_app_can_start_the_benchmark() -> None:
    manifest = GRADLE.parent / "app/src/main/AndroidManifest.xml"
    android = "{http://schemas.android.com/apk/res/android}"
    for activity in ET.parse(manifest).getroot().iter("activity"):
        if activity.get(f"{android}exported") == "true" and activity.find("intent-filter") is None:
            assert activity.get(f"{android}permission") == "android.permission.DUMP"
