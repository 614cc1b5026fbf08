"""Makes the photographs of the documentation: the demo's report in Chromium, and `explain`'s maps.

python -m tools.readme_pictures
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.sync_api import sync_playwright

from fer_mobile.explain import explain
from fer_mobile.explain.picture import picture_bytes
from fer_mobile.models import DEFAULT
from fer_mobile.resources import photos_dir
from fer_mobile.types import ExplainMethod

EXPLAINED: Final[list[tuple[str, ExplainMethod]]] = [
    ("gray-woman-smile.jpg", "occlusion"),
    ("man-grimace.jpg", "occlusion"),
    ("man-grimace.jpg", "gradient"),
]
IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
MAIN = "from fer_mobile.cli import main; main()"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """The pictures in a row on white."""
    gap = 24
    width = sum(p.width for p in pictures) + gap * (len(pictures) - 1)
    sheet = Image.new("RGB", (width, max(p.height for p in pictures)), "white")
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + gap
    return sheet


def explanations() -> Image.Image:
    """What `fer-mobile explain` draws for photos of `EXPLAINED`, one below the other."""
    drawn = []
    for name, method in EXPLAINED:
        explained = explain(photos_dir() / name, method=method)
        title = f"{name}, {DEFAULT}, {method}"
        drawn.append(Image.open(io.BytesIO(picture_bytes(explained, title=title))).convert("RGB"))
    sheet = Image.new("RGB", (drawn[0].width, sum(picture.height for picture in drawn)), "white")
    top = 0
    for picture in drawn:
        sheet.paste(picture, (0, top))
        top += picture.height
    return sheet


def report() -> Image.Image:
    """The demo's report on a desk, and a photo of it on a phone."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        subprocess.run(
            [sys.executable, "-c", MAIN, "demo", "--out", folder],
            check=True,
        )
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)

        def shot(width: int, height: int, detail: bool = False, **options: Any) -> Image.Image:
            page = browser.new_page(viewport={"width": width, "height": height}, **options)
            page.set_default_timeout(0)  # other programs may load the machine
            page.goto((Path(folder) / "index.html").as_uri())
            page.wait_for_selector(".tile")
            if detail:
                page.locator(".tile").first.click()
                page.wait_for_selector("dialog[open]")
            page.wait_for_timeout(400)
            return Image.open(io.BytesIO(page.screenshot())).convert("RGB")

        desk = shot(1180, 740)
        phone = shot(400, 740, detail=True, color_scheme="dark")
        browser.close()
    return side_by_side([desk, phone])


def main() -> None:
    """Make both pictures."""
    for name, make in (("report", report), ("explain", explanations)):
        target = IMAGES / f"{name}.jpg"
        make().save(target, quality=90, optimize=True)
        print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
