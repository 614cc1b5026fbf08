"""Recipes: what is shipped builds, what is wrong is named."""

import pytest

from fer_mobile import zoo
from fer_mobile.errors import RecipeError
from fer_mobile.models import shipped_models
from fer_mobile.resources import recipes_dir
from fer_mobile.training import find_recipe, load_recipe
from tests.conftest import TINY_RECIPE

SHIPPED = sorted(path.stem for path in recipes_dir().glob("*.toml"))

ABOVE_THE_CAP = ("face_inception", "face_inception_fer2013")
"""Teachers, never shipped."""

DEEPER = {"finetune": 828_328, "compact": 828_328, "compact_fer2013": 754_088}
"""Parameters where a recipe's options change their number."""


@pytest.fixture
def edited(tmp_path):
    def write(old="", new=""):
        assert old in TINY_RECIPE
        path = tmp_path / "edited.toml"
        path.write_text(TINY_RECIPE.replace(old, new) if old else TINY_RECIPE + new)
        return path

    return write


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_builds_its_model(name):
    recipe = load_recipe(find_recipe(name))
    assert recipe.name == name
    zoo.find(recipe.model.architecture).check_options(recipe.model.options)
    # Without the weights that a package brings: the network is the same.
    options = {key: value for key, value in recipe.model.options.items() if key != "weights"}
    model = zoo.build(recipe.model.architecture, **options)
    zoo.check_cap(model, lifted=name in ABOVE_THE_CAP)
    registered = zoo.find(recipe.model.architecture).parameters
    assert model.count_params() == DEEPER.get(name, registered)


@pytest.mark.parametrize("name", sorted(shipped_models(copies=True)))
def test_a_shipped_model_has_the_recipe_that_makes_it(name):
    facts = shipped_models(copies=True)[name].facts()
    recipe = load_recipe(find_recipe(facts["provenance"]["recipe"]))
    assert recipe.name == name
    if shipped_models(copies=True)[name].checkpoint.is_file():
        assert (recipe.model.architecture, recipe.model.options) == (
            facts["architecture"], facts["options"],
        )  # fmt: skip


def test_recipes_are_found_by_name_and_by_path(tiny_recipe):
    for name in ("xcao_two_stream", "xcao_two_stream.toml", "recipes/xcao_two_stream.toml"):
        assert find_recipe(name) == recipes_dir() / "xcao_two_stream.toml"
    assert find_recipe(str(tiny_recipe)) == tiny_recipe
    with pytest.raises(RecipeError, match="Did you mean 'xcao_two_stream'"):
        find_recipe("xcao_twostream")
    with pytest.raises(RecipeError, match="no such file or name"):
        find_recipe("elsewhere/xcao_two_stream.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", "[trainin]\n", "only known keys, found 'trainin'. Did you mean 'training'"),
        ("epochs = 2", "epochs = 2\nbatchsize = 4", "'training.batchsize'. .* 'batch_size'"),
        ("shift = 0.02", "shft = 0.02", "'augmentation.shft'. Did you mean 'shift'"),
        ("learning_rate", "lr", "'optimizer.lr'. Known: name, learning_rate"),
        ("epochs = 2", "", "training.epochs: field required, found nothing"),
        ("epochs = 2", "epochs = 0", "training.epochs: input should be greater than or equal to 1"),
        ("epochs = 2", 'epochs = "many"', "training.epochs: .*integer.*, found 'many'"),
        ("epochs = 2", "epochs = 2.5", "training.epochs: .*integer.*, found 2.5"),
        ("5e-4", "-5e-4", "optimizer.learning_rate: .*greater than 0, found -0.0005"),
        ("5e-4", "inf", "optimizer.learning_rate: .*finite number, found inf"),
        ("5e-4", "nan", "optimizer.learning_rate"),
        ('"float32"', '"float64"', "training.precision: .*'float32' or 'mixed_bfloat16'"),
        ("shift = 0.02", "shift = 1.5", "augmentation.shift: .*less than 1, found 1.5"),
        ('name = "tiny"', 'name = "../tiny"', "name: .*pattern.*, found '../tiny'"),
        ('name = "tiny"', "", "name: field required, found nothing"),
        ("[augmentation]\nshift = 0.02", "", None),
        ("epochs = 2", "epochs = ", "readable TOML"),
        ("", "[training]\n", "readable TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(edited, old, new, message):
    path = edited(old, new)
    if message is None:  # a section with defaults may be left out
        assert load_recipe(path).augmentation.flip == 0.5
        return
    with pytest.raises(RecipeError, match=message) as raised:
        load_recipe(path)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\0", b"\0"])
def test_an_unreadable_file_is_refused(tmp_path, content):
    path = tmp_path / "recipe.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecipeError, match="a readable TOML file"):
        load_recipe(path)


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("training.epochs=7", lambda r: r.training.epochs == 7),
        ("epochs=7", lambda r: r.training.epochs == 7),  # the only section with this key
        ("epochs = 7", lambda r: r.training.epochs == 7),
        ("learning_rate=1e-3", lambda r: r.optimizer.learning_rate == 1e-3),
        ("name=other", lambda r: (r.name, r.optimizer.name) == ("other", "adamw")),
        ("optimizer.name=sgd", lambda r: (r.name, r.optimizer.name) == ("tiny", "sgd")),
        ('optimizer.name="sgd"', lambda r: r.optimizer.name == "sgd"),
        ("model.options.size=112", lambda r: r.model.options["size"] == 112),
        ("model.options.pools=[0, 2, 4]", lambda r: r.model.options.get("pools") == [0, 2, 4]),
        ("model.architecture=xcao_two_stream", lambda r: r.model.architecture.endswith("stream")),
        ("train_protocol=ferplus-argmax", lambda r: r.data.train_protocol == "ferplus-argmax"),
        ("clip_norm=5", lambda r: r.optimizer.clip_norm == 5),
        ("augmentation={flip=0.1}", lambda r: r.augmentation.model_dump(exclude_defaults=True) == {"flip": 0.1}),  # noqa: E501
    ],
)  # fmt: skip
def test_set_changes_one_value(tiny_recipe, override, value):
    plain, changed = load_recipe(tiny_recipe), load_recipe(tiny_recipe, [override])
    assert value(changed)
    assert not value(plain)


def test_later_overrides_win(tiny_recipe):
    assert load_recipe(tiny_recipe, ["epochs=5", "training.epochs=6"]).training.epochs == 6


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epochs", "expected key=value, found 'epochs'"),
        ("=3", "expected key=value"),
        ("epochs=", "training.epochs"),
        ("epoch=3", "only known keys, found 'epoch'"),
        ("training.epoch=3", "Did you mean 'epochs'"),
        ("learning_rat=1", "Did you mean 'optimizer.learning_rate'"),
        ("name.first=x", "expected the name of a section, found 'name'"),
        ("training=3", "training: a section of keys, found 3"),
        ("data.labels=calm,odd", r'data.labels: a list, such as \["a", "b"\], found .calm,odd.'),
        ("model.options=48", r"model.options: a table, such as \{size = 48\}, found 48"),
        ("epochs=[1]", r"training.epochs: .*found \[1\]"),
        ("shift=0.1, 0.2", "augmentation.shift"),
    ],
)
def test_a_wrong_set_is_named(tiny_recipe, override, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(tiny_recipe, [override])
