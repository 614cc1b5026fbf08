"""The cost of each layer in 8 bits, against files that the converter wrote."""

import json

import numpy as np
import pytest

from fer_mobile import cli
from fer_mobile.convert.observation import observe_network
from fer_mobile.convert.sensitivity import (
    ALL,
    graph_sensitivities,
    layer_sensitivities,
    quantized,
    round_kernel,
)
from fer_mobile.errors import ModelError
from fer_mobile.golden import golden_faces
from fer_mobile.graph.network import read_network
from fer_mobile.graph.ranges import propagate_ranges
from fer_mobile.graph.to_tensorflow import to_tensorflow
from fer_mobile.preprocess import normalise
from tests.networks import SIZE, two_streams


@pytest.fixture(scope="module")
def network():
    model = two_streams()
    network = read_network(model)
    graph = network.require_graph()
    faces = golden_faces(SIZE)
    return graph, propagate_ranges(graph, observe_network(network, faces)), faces


def test_kernels_are_rounded_to_255_levels_per_channel():
    kernel = np.random.default_rng(0).normal(0, [1, 1e-3, 0], (3, 3, 4, 3))
    rounded = round_kernel(kernel)
    for channel in range(2):
        levels = rounded[..., channel] / (np.abs(kernel[..., channel]).max() / 127)
        np.testing.assert_allclose(levels, levels.round(), atol=1e-6)
        assert (
            np.abs(rounded - kernel)[..., channel].max() <= np.abs(kernel[..., channel]).max() / 254
        )
    assert not rounded[..., 2].any()


def test_every_layer_is_a_row_and_the_list_is_sorted(network):
    graph, limits, faces = network
    total, *rows = graph_sensitivities(graph, limits, faces)
    assert total.layer == ALL
    assert {f"{s}_conv{i}" for s in "ab" for i in range(3)} | {"dense", "logits"} <= {
        row.layer for row in rows
    }
    assert not any("rows" in row.layer for row in rows)  # copies only, costs nothing
    costs = [row.divergence for row in rows]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > 0
    assert total.weights == sum(row.weights for row in rows)


def test_a_layer_with_a_spoiled_range_is_named_first(network):
    graph, limits, faces = network
    spoiled = limits | {"b_conv1/relu": (0.0, 300 * limits["b_conv1/relu"][1])}
    assert graph_sensitivities(graph, spoiled, faces)[1].layer == "b_conv1"


def test_rounding_one_layer_changes_that_layer_only(network):
    graph, limits, faces = network
    changed = quantized(graph, limits, graph.nodes["dense"])
    kept = [n for n in graph.nodes if n not in ("dense", *changed.nodes)]
    assert not kept
    for name, node in graph.nodes.items():
        same = all((node.weights[k] == changed.nodes[name].weights[k]).all() for k in node.weights)
        assert same == (name != "dense")
    images = normalise(faces)[..., None]
    difference = np.abs(to_tensorflow(changed)(images) - to_tensorflow(graph)(images)).max()
    assert 0 < difference < 0.1


def test_an_exported_file_has_no_float_weights(exports):
    with pytest.raises(ModelError, match=r"expected float weights.*Name the model"):
        layer_sensitivities(exports("int8").path)


def test_command_prints_a_table_and_json(capsys, monkeypatch, tmp_path):
    small = str(tmp_path / "small.keras")
    two_streams().save(small)
    outputs = []
    for extra in ([], ["--json"]):
        monkeypatch.setattr(
            "sys.argv", ["fer-mobile", "verify", small, "--layers", "--range", "0..1", *extra]
        )
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        assert exit_.value.code == 0
        outputs.append(capsys.readouterr().out)
    rows = json.loads(outputs[1])
    assert rows[0]["layer"] == ALL
    assert len(outputs[0].splitlines()) == len(rows) + 2
    assert outputs[0].splitlines()[1].startswith(ALL)
