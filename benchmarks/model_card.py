"""Measures a shipped model and writes its card: rows, pictures and models/<name>/card.md.

    FER_MOBILE_DATA=... python -m benchmarks.model_card xcao_two_stream [--from-rows]

Every precision is exported and measured on valid under every protocol of eight or seven
labels, of a copy for another protocol its int8 file under that one; the int8 file also under
every corruption.  The figures go to
benchmarks/results/model_<name>.json.  The card is written from that file, the rows of
`face_time.py`, `operating_point.py` and `tools/ship_model.py` (`--from-rows`: again, without
measuring).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.operating_point import MOST_LOST
from benchmarks.result_files import RESULTS, write_row
from fer_mobile import zoo
from fer_mobile.convert import export
from fer_mobile.convert.options import PRECISIONS
from fer_mobile.data.corruption import CORRUPTIONS
from fer_mobile.evaluation import evaluate
from fer_mobile.files import replace_file, write_text
from fer_mobile.models import ShippedModel, shipped_models
from fer_mobile.training import find_recipe, load_recipe

PROTOCOLS = ("ferplus-strict", "ferplus-argmax", "fer2013")
"""That the card of a model of eight labels states; `fer2013-4` is a subset of the last."""


def main_protocol(facts: dict[str, Any]) -> str:
    """The protocol that a model was made for, by which its best epoch was chosen."""
    protocol: str = facts["figures"][0]["protocol"]
    return protocol


def protocols(facts: dict[str, Any]) -> tuple[str, ...]:
    """The protocols that a model is measured under."""
    main = main_protocol(facts)
    return PROTOCOLS if main == PROTOCOLS[0] else (main,)


def measure(model: ShippedModel) -> dict[str, Any]:
    facts = model.facts()
    rows, sizes = [], {}

    def note(precision: str, path: Path, protocol: str, corruption: str | None = None) -> None:
        found = evaluate(path, protocol=protocol, corruption=corruption)
        rows.append(found.as_dict() | {"model": model.name, "format": precision})
        print(precision, protocol, corruption or "", rows[-1]["accuracy"], flush=True)

    with tempfile.TemporaryDirectory() as folder:
        files = (
            {p: export(model.name, quantize=q, out=folder).path for q, p in PRECISIONS.items()}
            if model.source.is_file()
            else model.files
        )
        for precision, path in files.items():
            sizes[precision] = path.stat().st_size
            for protocol in protocols(facts):
                note(precision, path, protocol)
    for name in CORRUPTIONS:
        note("int8", model.files["int8"], main_protocol(facts), name)
    classes = len(facts["figures"][0]["recall"])
    network = zoo.build(facts["architecture"], **facts["options"], classes=classes)
    return {"model": facts, "macs": zoo.count_macs(network), "bytes": sizes, "rows": rows}


def draw(row: dict[str, Any], folder: Path) -> None:
    names, confusion = list(row["counts"]), np.array(row["confusion"])
    figure = Figure(figsize=(6.2, 5.4), layout="constrained")
    axis = figure.subplots()
    shares = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (y, x), count in np.ndenumerate(confusion):
        color = "white" if shares[y, x] > 0.5 else "black"
        axis.text(x, y, count, ha="center", va="center", color=color, fontsize=8)
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("predicted")
    axis.set_ylabel("label")
    axis.set_title(f"{row['protocol']} {row['split']}, n={row['n']:,}, int8")
    replace_file(folder / "confusion.png", lambda part: figure.savefig(part, dpi=110))

    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axis = figure.subplots()
    confidence, accuracy, count = np.array(row["reliability"]).T
    axis.plot([0, 1], [0, 1], color="gray", linewidth=1)
    axis.scatter(confidence, accuracy, s=np.sqrt(count) * 5, zorder=2)
    axis.plot(confidence, accuracy, zorder=2)
    axis.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    axis.set_title(f"calibration error {row['calibration_error']:.1%}")
    axis.grid(alpha=0.3)
    replace_file(folder / "reliability.png", lambda part: figure.savefig(part, dpi=110))


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def adjusted(adjustment: dict[str, Any]) -> str:
    offsets = ", ".join(f"{name} {value:+.2f}" for name, value in adjustment["offsets"].items())
    return (
        f"Folded into the last layer: temperature {adjustment['temperature']}"
        f"{f', offsets {offsets}' if offsets else ''} ({adjustment['origin']})."
    )


def beginnings(recipe: str) -> str:
    """What else a recipe learns from: the weights it starts with, and its teachers."""
    found = load_recipe(find_recipe(recipe))
    said = ""
    if found.model.start:
        said += f" It began with the weights of `{found.model.start}`."
    if found.distillation.teachers:
        names = ", ".join(f"`{name}`" for name in found.distillation.teachers)
        said += f" {found.distillation.weight:.0%} of every target are the answers of {names}."
    return said


def face_time(name: str) -> str:
    """How long a face takes, where `face_time.py` has measured it."""
    lines = (RESULTS / "face_time.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines):
        if row["model"] == name:
            face, detector = (row[key]["median"] for key in ("face_ms", "detector_ms"))
            return (
                f"The int8 file takes {face:.2f} ms a face, {row['ratio']:.2f} of what the "
                f"shipped detector takes for a photo of 320 px ({detector:.2f} ms; "
                f"{row['runtime']}, one thread of {row['hardware']['cpu']}, medians of "
                f"{row['rounds']} interleaved rounds)."
            )
    return "The time per face was not measured."


def training_time(name: str) -> str:
    """How long the training took, for models shipped since `tools/ship_model.py` records it."""
    path = RESULTS / f"training_{name}.json"
    if not path.is_file():
        return ""
    row = json.loads(path.read_text(encoding="utf-8"))
    hardware = row["hardware"]
    device = row.get("trained_on") or f"{hardware['cores']} cores of {hardware['cpu']}"
    return f" The training took {row['hours']:.1f} hours on {device}."


def out_of_fold(name: str) -> list[str]:
    """The rare labels' recall by networks that never saw the faces, where it was measured."""
    path = RESULTS / f"operating_point_{name}.json"
    if not path.is_file():
        return []
    found = json.loads(path.read_text(encoding="utf-8"))
    strengths = {row["prior"]: row for row in found["strengths"]}
    plain, chosen = strengths[0.0], strengths[found["chosen_prior"]]
    recipe = found["recipe"]
    rows = []
    for label, before in plain["recall"].items():
        after = chosen["recall"][label]
        rows.append(
            f"| {label} | {before['n']:,} | "
            + " | ".join(
                f"{percent(r['recall'])} ({r['interval'][0]:.1%} to {r['interval'][1]:.1%})"
                for r in (before, after)
            )
            + " |"
        )
    return [
        "",
        f"## Cross-validation ({found['protocol']})",
        "",
        f"{found['folds']} networks of the recipe `{recipe['name']}` "
        f"({recipe['training']['epochs']} epochs, {recipe['optimizer']['name']}) "
        "judge those of the training faces that they never saw "
        f"(n={found['n']:,}): accuracy {percent(plain['accuracy'])}, balanced "
        f"{percent(plain['balanced_accuracy'])}; with offsets of strength "
        f"{found['chosen_prior']} for the rare labels, the most balanced one that costs at most "
        f"{100 * MOST_LOST:g} points, "
        f"{percent(chosen['accuracy'])} and {percent(chosen['balanced_accuracy'])}. "
        "Recall with its 95 % interval:",
        "",
        f"| label | faces | no offsets | strength {found['chosen_prior']} |",
        "|---|---|---|---|",
        *rows,
    ]


def main_row(figures: dict[str, Any]) -> dict[str, Any]:
    """What the int8 file answers under the protocol that the model was made for."""
    key = ("int8", main_protocol(figures["model"]))
    (row,) = [
        row
        for row in figures["rows"]
        if (row["format"], row["protocol"]) == key and "corruption" not in row
    ]
    return row


def card(figures: dict[str, Any]) -> str:
    facts, rows = figures["model"], figures["rows"]
    training = facts["training"]
    plain = [row for row in rows if "corruption" not in row]
    main, columns, copy = main_row(figures), protocols(facts), len(figures["bytes"]) == 1
    lines = [
        f"# {facts['name']}",
        "",
        f"Architecture `{facts['architecture']}` with {facts['parameters']:,} parameters and "
        f"{figures['macs'] / 1e6:.1f} million multiply-accumulates a face; gray input of "
        f"{facts['options']['size']} px. Options: `{json.dumps(facts['options'])}`.",
        "",
        face_time(facts["name"]),
        "",
        f"Written by `benchmarks/model_card.py` from `benchmarks/results/model_{facts['name']}"
        ".json`. All figures are on valid, by which the weights of the best epoch were chosen.",
        "",
        "## Accuracy",
        "",
        "| file | bytes | " + " | ".join(f"{p} (balanced)" for p in columns) + " |",
        "|---|---|" + "---|" * len(columns),
    ]
    for precision, size in figures["bytes"].items():
        found = {r["protocol"]: r for r in plain if r["format"] == precision}
        cells = [
            f"{percent(found[p]['accuracy'])} ({percent(found[p]['balanced_accuracy'])})"
            for p in columns
        ]
        lines.append(f"| {precision} | {size:,} | " + " | ".join(cells) + " |")
    (as_trained,) = [row for row in facts["figures"] if row["precision"] == "float32"]
    fewest = min(main["counts"].values())
    counts = ", ".join(f"{r['protocol']} n={r['n']:,}" for r in plain if r["format"] == "int8")
    lines += [
        "",
        f"Faces: {counts}. "
        + (
            f"Before quantization (float32): {percent(as_trained['accuracy'])} "
            f"({percent(as_trained['balanced_accuracy'])}). The int8 file alone is shipped; the "
            "recipe makes the weights."
            if copy
            else "On `fer2013` the model of eight labels is measured by leaving contempt out; it "
            "was not trained for that protocol."
        ),
        "",
        f"## Each label (int8, {main['protocol']})",
        "",
        "| label | faces | recall | precision |",
        "|---|---|---|---|",
        *(
            f"| {n} | {main['counts'][n]} | {percent(main['recall'][n])} | "
            f"{percent(main['precision'][n])} |"
            for n in main["counts"]
        ),
        "",
        f"Where a label has few faces, its recall is uncertain: of {fewest} faces, one more or "
        f"less is {100 / fewest:.1f} points.",
        "",
        "![Confusion matrix](confusion.png) ![Reliability diagram](reliability.png)",
        "",
        f"Expected calibration error {percent(main['calibration_error'])}.",
        "",
        f"## Worse pictures (int8, {main['protocol']})",
        "",
        "| faces made worse | accuracy | balanced |",
        "|---|---|---|",
        f"| as they are | {percent(main['accuracy'])} | {percent(main['balanced_accuracy'])} |",
        *(
            f"| {r['corruption']} | {percent(r['accuracy'])} | {percent(r['balanced_accuracy'])} |"
            for r in rows
            if "corruption" in r
        ),
        *out_of_fold(facts["name"]),
        "",
        "## Training",
        "",
        f"{training['data']}, protocol of the training rows {training['protocol']}, targets are "
        f"the {'labels' if copy else 'shares of votes'}; recipe "
        f"`fer_mobile/recipes/{find_recipe(training['recipe']).name}`, "
        f"{training['epochs']} epochs, seed {training['seed']}.{beginnings(training['recipe'])}"
        + training_time(facts["name"])
        + (f" {adjusted(facts['adjustment'])}" if facts.get("adjustment") else ""),
        "",
        "## Use and limits",
        "",
        "Made to sort one's own photos by the expression that the faces show. It names what "
        "people who saw the picture would call the expression; it does not know what the person "
        "feels. It was learned from pictures found on the web, labelled by few people, in which "
        "ages, skin tones and cultures are unevenly present; how its errors differ between "
        "groups of people was not measured. Ask those who are shown for their consent. It is "
        "not fit for hiring, diagnosis, policing, teaching or any other decision about people.",
        "",
        f"Licence: {facts['licence']}.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--from-rows", action="store_true")
    arguments = parser.parse_args()
    model = shipped_models(copies=True)[arguments.model]
    if not arguments.from_rows:
        write_row(f"model_{model.name}", measure(model))
    path = RESULTS / f"model_{model.name}.json"
    figures = json.loads(path.read_text(encoding="utf-8"))
    draw(main_row(figures), model.folder)
    write_text(model.folder / "card.md", card(figures))
    print(model.folder / "card.md")


if __name__ == "__main__":
    main()
