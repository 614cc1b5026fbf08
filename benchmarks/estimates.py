"""Whether each shipped model would fit the budget on each class of phones.

    python -m benchmarks.estimates

Result: benchmarks/results/estimates.md.

Nothing is measured: see fer_mobile/bench/data/rates.toml for the rates and their sources.
"""

from __future__ import annotations

from benchmarks.result_files import RESULTS
from fer_mobile.bench.estimate import estimate
from fer_mobile.bench.rates import load_rates
from fer_mobile.files import write_text
from fer_mobile.models import shipped_models

BUDGET_S = 0.5


def main() -> None:
    rates = load_rates()
    lines = [
        "ESTIMATES, not measurements: milliseconds per photo with one face, one thread, typical",
        f"(range), and whether that fits {BUDGET_S} s. Made by `benchmarks/estimates.py`; rates",
        "and their sources are in `fer_mobile/bench/data/rates.toml`.",
        "",
        "| model | phone | " + " | ".join(f"{photos} | fits" for photos in rates.photos) + " |",
        "|" + "---|" * (2 + 2 * len(rates.photos)),
    ]
    for model in shipped_models().values():
        for file in model.files.values():
            for name, phone in rates.phones.items():
                cells = []
                for photos in rates.photos:
                    result = estimate(name, file, photos=photos, budget=BUDGET_S)
                    low, typical, high = result.stages["total"]
                    cells.append(f"{typical:.0f} ({low:.0f} to {high:.0f}) | {result.fits}")
                lines.append(f"| {file.stem} | {name}: {phone.cores} | {' | '.join(cells)} |")
    write_text(RESULTS / "estimates.md", "\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
