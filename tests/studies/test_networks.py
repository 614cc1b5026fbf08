"""The networks of the five studies: printed parameter counts, layers, options, errors."""

import json
import zipfile

import keras
import numpy as np
import pytest

from fer_mobile import zoo
from fer_mobile.errors import ModelError
from fer_mobile.golden import golden_faces
from fer_mobile.labels import LABELS_4
from fer_mobile.preprocess import normalise
from fer_mobile.studies.networks.initial import YilmazPoli
from tests.command_line import python
from tests.networks import outputs

PRINTED = {
    # The thesis prints 102,839,056 for the first: thesis_baseline.py shows the wrong digit.
    ("baseline", ()): 102_830_056,
    ("baseline_enhanced", ()): 102_830_856,
    ("googlenet", (("classes", 1000),)): 23_851_784,
    ("mobilenet", (("classes", 1000),)): 4_253_864,
    ("five_block_cnn", ()): 4_146_244,
    ("simpler_cnn", ()): 605_924,
    ("resnet_like", ()): 298_084,
    ("alexnet", (("channels", 3), ("classes", 1000))): 62_378_344,
    ("alexnet_two_stream", (("channels", 3), ("classes", 1000))): 60_965_224,
}
TRAINABLE = {"five_block_cnn": 4_141_828, "simpler_cnn": 604_964, "resnet_like": 298_084}
SMALL = [name for name, entry in zoo.ARCHITECTURES.items() if entry.parameters < 7_000_000]


@pytest.mark.parametrize(("name", "options"), PRINTED)
def test_printed_counts_are_met(name, options):
    model = zoo.build(name, **dict(options))
    assert model.count_params() == PRINTED[name, options]
    if name in TRAINABLE:
        assert zoo.trainable_parameters(model) == TRAINABLE[name]


@pytest.mark.parametrize("name", SMALL)
def test_each_builds_as_registered_and_answers_with_probabilities(name):
    entry = zoo.ARCHITECTURES[name]
    model = entry.build()
    assert model.count_params() == entry.parameters
    assert model.input_shape == (None, entry.size, entry.size, 1)
    faces = normalise(golden_faces(entry.size)[:2])[..., None]
    found = outputs(model, faces)
    assert found.shape == (2, model.output_shape[-1])
    assert np.isfinite(found).all()
    assert found.sum(1) == pytest.approx(np.ones(2), abs=1e-5)


def test_the_fractal_network_is_3888_parameters_short_of_the_printed_count():
    model = zoo.build("fractal")
    assert model.count_params() == zoo.ARCHITECTURES["fractal"].parameters == 26_399_016 - 3_888
    assert model.get_layer("merge").output.shape == (None, 14, 14, 128)
    dense = sum(model.get_layer(n).count_params() for n in ("dense", "logits", "logits_norm"))
    assert dense == 25_699_368
    small = zoo.build("fractal", size=48)
    found = outputs(small, normalise(golden_faces(48)[:2])[..., None])
    assert found.sum(1) == pytest.approx(np.ones(2), abs=1e-5)
    with pytest.raises(ModelError, match="a multiple of 16 px, found 56 px"):
        zoo.build("fractal", size=56)


def test_color_is_the_gray_face_three_times():
    gray, color = (zoo.build("simple_cnn", channels=channels) for channels in (1, 3))
    for layer in gray.layers:
        if layer.weights and layer.name != "conv0":
            color.get_layer(layer.name).set_weights(layer.get_weights())
    kernel, bias = gray.get_layer("conv0").get_weights()
    color.get_layer("conv0").set_weights([np.repeat(kernel / 3, 3, 2), bias])
    faces = normalise(golden_faces(48)[:4])[..., None]
    assert np.abs(gray(faces) - color(faces)).max() < 1e-5
    with pytest.raises(ModelError, match="channels: expected 1 or 3, found 2"):
        zoo.build("simple_cnn", channels=2)


def test_only_the_third_convolution_and_the_dense_layers_see_both_streams_of_alexnet():
    model = zoo.build("alexnet_two_stream", size=112)
    inputs = {n: model.get_layer(n).kernel.shape[2] for n in ("a_conv1", "b_conv2", "a_conv3")}
    assert inputs == {"a_conv1": 48, "b_conv2": 256, "a_conv3": 192}


@pytest.mark.parametrize(("train", "moved"), [("all", 30), ("head", 4), ("last", 10)])
def test_what_transfer_trains(train, moved):
    model = zoo.build("transfer", train=train, dense=8)
    assert len(model.trainable_weights) == moved
    assert model.output_shape == (None, 4)


def test_transfer_gives_a_network_the_values_it_was_trained_with():
    faces = np.full((1, 48, 48, 1), 0.5, np.float32)
    expected = {"vgg16": (127.5 - 103.939, 127.5 - 123.68), "resnet50_v2": (0.0, 0.0),
                "efficientnet_b0": (127.5, 127.5)}  # fmt: skip
    for base, (first, last) in expected.items():
        model = zoo.build("transfer", base=base, dense=8)
        found = np.asarray(model.get_layer("values")(model.get_layer("rgb")([faces] * 3)))
        assert found[0, 0, 0, [0, 2]] == pytest.approx([first, last], abs=1e-3)


def test_transfer_weights_come_from_a_file_or_it_is_said_how(tmp_path):
    import keras

    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(48, 48, 3))
    path = tmp_path / "vgg16.weights.h5"
    network.save_weights(path)
    model = zoo.build("transfer", weights=str(path), dense=8)
    taken = model.get_layer("vgg16").get_layer("block1_conv1").get_weights()[0]
    np.testing.assert_array_equal(taken, network.get_layer("block1_conv1").get_weights()[0])
    with pytest.raises(ModelError, match=r"no such file\. Without network"):
        zoo.build("transfer", weights=str(tmp_path / "absent.h5"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base": "vgg11"}, "base one of vgg16"),
        ({"start": "yilmaz"}, "Did you mean 'yilmaz-poli'"),
        ({"train": "some"}, "train one of all, head, last"),
        ({"base": "inception_resnet_v2", "size": 48}, "a size it can be built at"),
    ],
)
def test_wrong_transfers_are_refused(options, message):
    with pytest.raises(ModelError, match=message):
        zoo.build("transfer", **options)


def test_patches_must_fill_the_face():
    with pytest.raises(ModelError, match="a divisor of the input's 48 px, found 7"):
        zoo.build("small_vit", patch=7)


def test_start_weights_of_yilmaz_and_poli():
    for neurons, mean in ((4, -1.0), (32, -0.25), (512, -8 / 512)):
        keras.utils.set_random_seed(0)
        weights = np.asarray(YilmazPoli()((2000, neurons)))
        spread = (2 / (2000 + neurons)) ** 0.5
        assert weights.mean() == pytest.approx(mean, abs=5 * spread / weights.size**0.5)
        assert weights.std() == pytest.approx(spread, rel=0.05)
    model = zoo.build("transfer", dense=16, start="yilmaz-poli")
    assert np.mean(model.get_layer("dense").get_weights()[0]) == pytest.approx(-0.5, abs=0.01)


@pytest.mark.parametrize("name", ["small_vit", "transfer"])
def test_a_run_folder_loads_in_a_process_that_has_not_built_its_network(name, tmp_path):
    """Those two have a layer and start weights of their own, which older folders keep under zoo."""
    options = {"small_vit": {"depth": 1}, "transfer": {"start": "yilmaz-poli", "dense": 8}}[name]
    new, old = tmp_path / "new.keras", tmp_path / "best.keras"
    zoo.build(name, **options).save(new)
    with zipfile.ZipFile(new) as source, zipfile.ZipFile(old, "w") as target:
        for entry in source.namelist():
            content = source.read(entry)
            if entry == "config.json":
                assert b"fer_mobile.studies.networks." in content
                content = content.replace(b"fer_mobile.studies.networks.", b"fer_mobile.zoo.")
            target.writestr(entry, content)
    recipe = {"name": "r", "model": {"architecture": name, "options": options},
              "data": {"protocol": "fer2013-4", "train_protocol": None},
              "training": {"epochs": 1, "seed": 0}}  # fmt: skip
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    valid = {"protocol": "fer2013-4", "split": "valid", "n": 4, "accuracy": 0.5,
             "balanced_accuracy": 0.5, "recall": dict.fromkeys(LABELS_4, 0.5)}  # fmt: skip
    (tmp_path / "valid.json").write_text(json.dumps(valid))
    script = (
        "import sys; from fer_mobile.checkpoint import load_checkpoint;"
        "print(load_checkpoint(sys.argv[1]).architecture)"
    )
    done = python(tmp_path, script)(tmp_path)
    assert (done.stdout.strip(), done.returncode) == (name, 0), done.stderr
