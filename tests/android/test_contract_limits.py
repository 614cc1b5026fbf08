"""The app takes the contracts that Python takes, and no others."""

import re
from pathlib import Path

import pytest

from fer_mobile.contract.model import Crop, Levelling

CORE = Path(__file__).parents[2] / "android_demo/core/src/main/kotlin/org/fermobile/core"
KOTLIN = (CORE / "ContractJson.kt").read_text("utf-8")


@pytest.mark.parametrize(
    ("part", "key"), [(Crop, "scale"), (Crop, "shift_y"), (Levelling, "min_tilt")]
)
def test_numbers_have_the_schemas_limits(part, key):
    (limits,) = re.findall(rf'\["{key}"\]\.between\(([^,]+), ([^)]+)\)', KOTLIN)
    schema = part.model_json_schema()["properties"][key]
    assert [float(limit) for limit in limits] == [schema["minimum"], schema["maximum"]]
