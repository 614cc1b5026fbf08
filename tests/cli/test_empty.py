"""An empty value, as of a script's unset variable, is refused everywhere."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("filter", ".", "--show", ""), "--show"),
        (("filter", ".", "--copy-to="), "--copy-to"),
        (("android", "bundle", ""), "ASSETS"),
        (("predict", "a.jpg", ""), "IMAGE"),
        (("export", "compact", "--out", ""), "--out"),
        (("train", "compact", "--set", "seed=1", "--set", ""), "--set"),
        (("verify", ""), "MODEL"),
    ],
)
def test_an_empty_value_is_refused(fer_mobile, arguments, name):
    said = fer_mobile.refused(*arguments)
    assert said.startswith(f"fer-mobile: {name}")
    assert "expected a value, found an empty text" in said
    assert not any(fer_mobile.folder.iterdir())
