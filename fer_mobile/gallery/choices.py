"""The words that options of the gallery may be."""

from __future__ import annotations

from typing import Final, Literal, get_args

Engine = Literal["processes", "ray"]
ENGINES: Final[tuple[Engine, ...]] = get_args(Engine)
"""What does the work: processes of this machine, or a Ray cluster (see `gallery.engines.ray`)."""

Match = Literal["any", "all"]
MATCHES: Final[tuple[Match, ...]] = get_args(Match)
"""Which faces of a photo must match, where every face counts."""

Order = Literal["name", "confidence", "date"]
ORDERS: Final[tuple[Order, ...]] = get_args(Order)
"""What rows are sorted by: the surest or the oldest first, those without one last."""

LinkKind = Literal["symbolic", "hard"]
LINK_KINDS: Final[tuple[LinkKind, ...]] = get_args(LinkKind)
