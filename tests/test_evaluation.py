"""What the shipped model claims is what is measured."""

import numpy as np
import pytest
from PIL import Image

from fer_mobile import evaluate
from fer_mobile.data import DataWarning
from fer_mobile.errors import DataError, ModelError
from fer_mobile.explain.mistakes import find_mistakes
from fer_mobile.golden import golden_faces
from fer_mobile.labels import LABELS, LABELS_7
from fer_mobile.metrics import classification_report
from fer_mobile.model_file import read_contract
from fer_mobile.models import DEFAULT, shipped_models
from fer_mobile.objectives import check_objectives

SHIPPED = shipped_models()[DEFAULT]


@pytest.fixture(scope="module")
def measured(shared_data):
    return evaluate(DEFAULT, shared_data, protocol="ferplus-strict", split="valid")


def test_the_shipped_int8_model_reaches_80_percent(measured):
    assert measured.scores.n == 3199
    assert measured.scores.accuracy >= 0.80


def test_its_contract_states_what_is_measured(measured):
    (stated,) = [
        figures
        for figures in read_contract(SHIPPED.files["int8"]).figures
        if (figures.precision, figures.protocol, figures.split)
        == ("int8", "ferplus-strict", "valid")
    ]
    assert stated.n == measured.scores.n
    assert stated.accuracy == pytest.approx(measured.scores.accuracy, abs=0.002)
    assert stated.balanced_accuracy == pytest.approx(measured.scores.balanced_accuracy, abs=0.01)
    assert tuple(stated.recall) == LABELS


def test_source_and_file_agree(small_npz):
    source, file = (
        evaluate(SHIPPED.checkpoint, small_npz, split="all"),
        evaluate(SHIPPED.files["float16"], small_npz, split="all"),
    )
    assert source.scores.n == file.scores.n == 128
    differ = np.abs(np.array(source.scores.confusion) - file.scores.confusion).sum() / 2
    assert differ <= 1


def test_an_eight_label_model_is_measured_on_seven(small_npz):
    found = evaluate(DEFAULT, small_npz, protocol="fer2013").scores
    assert tuple(found.recall) == LABELS_7
    assert np.array(found.confusion).shape == (7, 7)


def test_a_path_is_measured_as_its_name(small_npz):
    by_path = evaluate(SHIPPED.files["int8"], small_npz)
    assert by_path.scores == evaluate(DEFAULT, small_npz).scores
    assert by_path.scores == evaluate(DEFAULT, small_npz, threads=2).scores


def test_a_seven_label_model_is_not_measured_on_eight(tmp_path, small_npz):
    from fer_mobile import zoo

    zoo.build("xcao", size=56, classes=7).save(tmp_path / "seven.keras")
    own = {"labels": LABELS_7, "value_range": "0..1"}
    with pytest.raises(ModelError, match="expected `labels`, a name for each of its 7 outputs"):
        evaluate(tmp_path / "seven.keras", small_npz, value_range="0..1")
    with pytest.raises(DataError, match=r"a model that knows contempt.*Use `protocol=.fer2013.`"):
        evaluate(tmp_path / "seven.keras", small_npz, **own)
    two = {"labels": ("calm", "happy"), "value_range": "0..1"}
    zoo.build("xcao", size=56, classes=2).save(tmp_path / "two.keras")
    for protocol in ("ferplus-strict", "own"):
        with pytest.raises(DataError, match=r"a model that knows neutral.*calm, happy\.$"):
            evaluate(tmp_path / "two.keras", small_npz, protocol=protocol, **two)
    found = evaluate(tmp_path / "seven.keras", small_npz, protocol="fer2013", **own)
    assert found.scores.n == 32


def test_seven_labels_of_one_s_own_are_not_taken_for_fer2013_s(tmp_path):
    from fer_mobile import zoo

    names = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")  # as Kaggle has it
    for number, face in enumerate(golden_faces(48)[:14]):
        folder = tmp_path / "faces" / names[number % 7]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(face).save(folder / f"{number}.png")
    zoo.build("xcao", size=56, classes=7).save(tmp_path / "seven.keras")
    given = {"labels": names, "value_range": "0..1", "split": "all"}
    for protocol in ("ferplus-strict", "fer2013"):
        with pytest.raises(DataError, match=r"knows .*happiness.*Use `protocol='own'`"):
            evaluate(tmp_path / "seven.keras", tmp_path / "faces", protocol=protocol, **given)
    found = evaluate(tmp_path / "seven.keras", tmp_path / "faces", protocol="own", **given)
    assert tuple(found.scores.recall) == names


def test_a_label_that_the_dataset_lacks_is_a_mistake_where_it_is_predicted(tmp_path):
    from keras import Input, Model, layers

    for number, face in enumerate(golden_faces(48)[:8]):
        folder = tmp_path / "faces" / ("calm", "wild")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(face).save(folder / f"{number}.png")
    image = Input((48, 48, 1))
    model = Model(image, layers.Dense(3, "softmax")(layers.Flatten()(image)))
    kernel, bias = model.get_weights()
    model.set_weights([np.zeros_like(kernel), np.log([0.02, 0.90, 0.08]).astype(bias.dtype)])
    model.save(tmp_path / "odd.keras")
    given = {"labels": ("wild", "odd", "calm"), "value_range": "0..1", "protocol": "own"}
    found = evaluate(tmp_path / "odd.keras", tmp_path / "faces", split="all", **given)
    assert found.scores.counts == {"wild": 4, "odd": 0, "calm": 4}
    assert found.scores.confusion == [[0, 4, 0], [0, 0, 0], [0, 4, 0]]
    assert found.scores.accuracy == found.scores.balanced_accuracy == 0
    assert found.scores.recall["odd"] is None
    (objective,) = check_objectives(found, {"accuracy": 0.9})
    assert not objective.met
    report = find_mistakes(tmp_path / "odd.keras", tmp_path / "faces", split="all", **given)
    assert report.scores == found.scores
    assert [*report.by_label] == ["wild", "calm"]
    assert {each.prediction for group in report.by_label.values() for each in group} == {"odd"}
    assert report.by_label["calm"][0].true_probability == pytest.approx(0.08, rel=1e-3)


def test_outputs_that_are_no_probabilities_are_refused(tmp_path, small_npz):
    from keras import Input, Model, layers

    image = Input((48, 48, 1))
    flat = layers.Flatten()(image)
    broken = Model(image, layers.Dense(8, "softmax")(flat))
    broken.set_weights([np.full(weight.shape, np.nan) for weight in broken.get_weights()])
    own = {"labels": LABELS, "value_range": "0..1"}
    for name, model, message in (
        ("logits", Model(image, layers.Dense(8)(flat)), "probabilities that sum to 1, found sums"),
        ("relu", Model(image, layers.Dense(8, "relu")(flat)), "End the model in a softmax"),
        ("nan", broken, "found sums from nan to nan"),
        ("map", Model(image, layers.Conv2D(8, 3)(image)), r"expected an output \[N, labels\]"),
        ("two", Model(image, [layers.Dense(8)(flat)] * 2), r"expected an output \[N, labels\]"),
        (
            "named",
            Model(image, {name: layers.Dense(8)(flat) for name in "ab"}),
            r"expected an output \[N, labels\]",
        ),
    ):
        model.save(tmp_path / f"{name}.keras")
        with pytest.raises(ModelError, match=message):
            evaluate(tmp_path / f"{name}.keras", small_npz, **own)


def test_f1_in_the_document(small_npz):
    found = evaluate(DEFAULT, small_npz, split="all").as_dict()
    recall, precision = found["recall"], found["precision"]
    for label, f1 in found["f1"].items():
        if f1:
            assert f1 == pytest.approx(2 / (1 / recall[label] + 1 / precision[label]), abs=1e-4)
    known = {label: f1 for label, f1 in found["f1"].items() if f1 is not None}
    assert found["macro_f1"] == pytest.approx(np.mean([*known.values()]), abs=1e-4)
    weights = [found["counts"][label] for label in known]
    weighted = np.average([*known.values()], weights=weights)
    assert found["weighted_f1"] == pytest.approx(weighted, abs=1e-4)


def test_images_that_cannot_be_read_stop_an_evaluation(tmp_path):
    for number, face in enumerate(golden_faces(64)[:6]):
        folder = tmp_path / ("happy" if number % 2 else "sad")
        folder.mkdir(exist_ok=True)
        Image.fromarray(face).save(folder / f"{number}.png")
    assert evaluate(DEFAULT, tmp_path, split="all").protocol == "expressions"
    (tmp_path / "sad" / "broken.png").write_bytes(b"broken")
    message = r"1 that cannot: .*broken\.png"
    with pytest.raises(DataError, match=message), pytest.warns(DataWarning):
        evaluate(DEFAULT, tmp_path, split="all")


def test_the_command_says_in_a_line_what_is_left_out(fer_mobile):
    for number, face in enumerate(golden_faces(64)[:9]):
        folder = fer_mobile.folder / "own" / ("happy", "sad", "suprise")[number % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(face).save(folder / f"{number}.png")
    done = fer_mobile("evaluate", "--data", "own", "--split", "all")
    assert done.returncode == 0
    assert done.stderr == (
        "fer-mobile: warning: own: 6 faces; left out: 3 of class 'suprise', which is no label "
        "(did you mean 'surprise'?)\n"
    )


def test_names_that_are_no_model(tmp_path, small_npz):
    for wrong in ("xcao", "absent", tmp_path):
        with pytest.raises(ModelError):
            evaluate(wrong, small_npz)


def test_the_command_prints_f1_as_the_report_has_it(fer_mobile, small_npz):
    report = classification_report(evaluate(DEFAULT, small_npz).scores)
    shown = fer_mobile("evaluate", "--data", small_npz).stdout
    assert f"mean F1 {report['macro avg']['f1']:.2%}" in shown
    rows = {words[0]: words[-1] for words in map(str.split, shown.splitlines()) if words}
    for label in LABELS:
        assert rows[label] == (f"{report[label]['f1']:.1%}" if label in report else "–")
