"""The figures of docs/reliability.md, from the rows of the proofs.

    python -m tests.prove.page

writes the last two cells, figure and date, of every line that names a proof of tests/prove.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests import proofs

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"

_LINE = re.compile(r"(\| .* \| .*`(tests/prove/[^`]+)`.* \|) .*? \| .*? \|")


def render(page: str, rows: Mapping[str, dict[str, Any]]) -> str:
    """The page with the figures and dates of these rows."""
    return "\n".join(
        f"{line[1]} {figure_and_date(line[2], rows)} |" if (line := _LINE.fullmatch(text)) else text
        for text in page.split("\n")
    )


def figure_and_date(proof: str, rows: Mapping[str, dict[str, Any]]) -> str:
    """The two cells for a proof, or for all of a file."""
    its = [row for name, row in rows.items() if name == proof or name.startswith(f"{proof}::")]
    if not its:
        return "not run yet | "
    figures = proofs.merge(row.get("figures") or {"cases": row["cases"]} for row in its)
    return f"{', '.join(map(words, figures, figures.values()))} | {min(row['date'] for row in its)}"


def words(name: str, value: float) -> str:
    """A figure: `200 kills`, `peak memory 122 MB`."""
    what, _, unit = name.partition(", ")
    return f"{what} {value:,} {unit}" if unit else f"{value:,} {what}"


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text("utf-8"), proofs.read_rows()), "utf-8")
