"""The report in a real browser: Debian's Chromium, which tests/install_chromium.sh installs."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from fer_mobile.gallery.filter import Filter
from fer_mobile.gallery.sinks.html import HtmlSink
from fer_mobile.labels import COLOURS
from fer_mobile.resources import photos_dir
from fer_mobile.types import Box
from tests.command_line import PATIENCE_S
from tests.gallery.samples import face, failed, photo, write
from tests.test_wording import SHARES, TENTHS, WHOLE

playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra `test`")

EVIL = "<img src=x onerror=alert(1)><script>alert(1)</script>.jpg"
"""A file in a folder: its slash is the closing tag's."""
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium")
    assert chromium, "no program 'chromium': run tests/install_chromium.sh"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, args=FLAGS, timeout=1000 * PATIENCE_S
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    shutil.copytree(photos_dir(), folder, dirs_exist_ok=True)
    evil = folder / EVIL
    evil.parent.mkdir()
    shutil.copy(folder / "cat.png", evil)
    results = [
        photo(folder / "baby-laughing.jpg", face("happiness", 0.97), size=(1280, 853)),
        photo(folder / "santa-surprised.jpg", face("surprise", 0.55), size=(853, 1280)),
        photo(folder / "gray-man-grin.jpg", face("happiness", 0.61)),
        photo(
            folder / "four-portraits.jpg",
            face("happiness", 0.9, Box(20, 30, 60, 80)),
            face("anger", 0.5, Box(120, 30, 60, 80)),
            size=(200, 250),
        ),
        photo(folder / "rocket.jpg", size=(640, 427)),
        photo(evil, size=(451, 300)),
        failed(folder / "broken & <b>bold<b>.jpg"),
    ]
    path = folder / "report.html"
    write(HtmlSink(path, title="library"), results, folder, model="a model")
    return path.as_uri()


@pytest.fixture
def page(browser, report):
    with open_page(browser, report) as page:
        yield page


@contextmanager
def open_page(browser, address):
    """A page that must say nothing on its console, open no dialog and ask no one for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(1000 * PATIENCE_S)
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda line: page.problems.append(line.text))
    page.on("dialog", lambda dialog: (page.problems.append("dialog"), dialog.dismiss()))
    page.on("request", lambda request: page.problems.append(request.url[:60]) if not
            request.url.startswith(("data:", "file:")) else None)  # fmt: skip
    page.goto(address)
    yield page
    assert page.problems == []
    context.close()


def settle(page):
    """Let the page answer: it draws when the browser tells it of a new address."""
    page.evaluate("() => new Promise(done => setTimeout(() => requestAnimationFrame(done), 30))")


def wait_until(page, condition: str) -> None:
    """Ask again and again: the page's policy forbids `wait_for_function` all but its first look."""
    end = time.monotonic() + PATIENCE_S
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(20)


def names(page) -> list[str]:
    settle(page)
    return page.locator(".tile:visible .name").evaluate_all("all => all.map((n) => n.title)")


def detail_name(page) -> str:
    settle(page)
    return page.locator("#detail-name").get_attribute("title")


def press(page, key: str) -> None:
    page.locator(f'#pills button[data-key="{key}"]').click()


def is_on(page, key: str) -> bool:
    button = page.locator(f'#pills button[data-key="{key}"]')
    return button.get_attribute("aria-pressed") == "true"


def test_filter(page):
    assert len(names(page)) == 7
    assert is_on(page, "")
    press(page, "happiness")
    assert names(page) == ["baby-laughing.jpg", "gray-man-grin.jpg"]
    assert page.locator("#shown").inner_text() == "2 of 7 photos · happiness"
    press(page, "surprise")
    assert names(page) == ["baby-laughing.jpg", "santa-surprised.jpg", "gray-man-grin.jpg"]
    assert is_on(page, "happiness")
    assert is_on(page, "surprise")
    press(page, "happiness")
    assert names(page) == ["santa-surprised.jpg"]
    press(page, "")
    assert len(names(page)) == 7
    press(page, "multiple")
    assert names(page) == ["four-portraits.jpg"]
    press(page, "multiple")
    press(page, "no face")
    assert len(names(page)) == 2
    press(page, "no face")
    press(page, "failed")
    assert names(page) == ["broken & <b>bold<b>.jpg"]
    press(page, "failed")
    press(page, "contempt")
    assert names(page) == []
    assert page.locator("#empty").is_visible()


def test_confidence(page):
    press(page, "happiness")
    page.locator("#least").fill("95")
    assert names(page) == ["baby-laughing.jpg"]
    press(page, "")
    assert names(page) == ["baby-laughing.jpg", "four-portraits.jpg"]


def test_caption(page):
    caption = page.locator(".tile").first.inner_text().split("\n")
    assert caption == ["😀", "happiness", "97%", "baby-laughing.jpg"]
    whole = "nodes => nodes.every(node => node.scrollWidth <= node.clientWidth)"
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.locator(".tile .label").evaluate_all(whole), width


def test_no_share_below_1_reads_100(page):
    assert page.evaluate("shares => shares.map((share) => percent(share))", SHARES) == WHOLE
    assert page.evaluate("shares => shares.map(percentTenths)", SHARES) == TENTHS


def test_detail(page):
    page.locator(".tile", has_text="four-portraits").click()
    detail = page.locator("dialog")
    assert detail.is_visible()
    assert page.locator("#position").inner_text() == "4 of 7"
    assert detail.locator(".face").count() == 2
    assert detail.locator(".face").first.locator("dt").count() == 8
    assert "happiness 90.0%" in detail.locator(".face").first.inner_text()
    assert "total" in detail.locator(".times").inner_text()
    photo = detail.locator(".frame img").bounding_box()
    box = detail.locator(".box").nth(1).bounding_box()
    assert box["x"] == pytest.approx(photo["x"] + 0.6 * photo["width"], abs=2)
    assert box["y"] == pytest.approx(photo["y"] + 0.12 * photo["height"], abs=2)
    assert box["width"] == pytest.approx(0.3 * photo["width"], abs=2)
    assert box["height"] == pytest.approx(0.32 * photo["height"], abs=2)
    fills = detail.locator(".face").first.locator(".track i")
    track = detail.locator(".face").first.locator(".track").nth(1).bounding_box()
    assert fills.nth(1).bounding_box()["width"] == pytest.approx(0.9 * track["width"], abs=1)
    page.locator("#next").click()
    assert detail_name(page) == "rocket.jpg"
    assert "No face was found" in detail.inner_text()
    page.go_back()
    assert not detail.is_visible()


def test_each_face_is_sorted_and_shown_by_what_is_asked_for(browser, tmp_path):
    results = [
        photo("a.jpg", face("happiness", 0.99), face("neutral", 0.6)),
        photo("b.jpg", face("neutral", 0.7)),
        photo("c.jpg", face("happiness", 0.8), replace(face("neutral", 0.5), label=None)),
        photo("d.jpg"),
    ]
    path = tmp_path / "report.html"
    query = Filter(("neutral",), 0.555, every_face=True)
    write(HtmlSink(path), results, query=query, faces="each")
    with open_page(browser, path.as_uri()) as page:
        assert (
            "4 photos · 3 with an expression · 1 no face"
            in page.locator(".facts").first.inner_text()
        )
        assert names(page) == ["a.jpg", "b.jpg"]
        assert page.locator(".tile .label").all_inner_texts() == ["neutral", "neutral"]
        assert page.locator(".tile .sure").all_inner_texts() == ["60%", "70%"]
        page.locator("#sort").select_option("confidence")
        assert names(page) == ["b.jpg", "a.jpg"]
        assert [query.confidence(each) for each in results[:2]] == [0.6, 0.7]
        # The slider leads back to 0, and what the run was opened with is kept as it is.
        assert "min" not in page.evaluate("location.hash")
        slide = "(value) => { least.value = value; least.dispatchEvent(new Event('input')); }"
        page.evaluate(slide, "0")
        page.locator("#pills button").first.click()
        assert sorted(names(page)) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
        labels = page.locator(".tile .label").all_inner_texts
        assert labels()[0] == "happiness"
        page.locator("#pills button[data-key=neutral]").click()
        assert names(page) == ["b.jpg", "a.jpg"]
        assert labels() == ["neutral", "neutral"]
        page.evaluate(slide, "100")
        assert names(page) == []


def test_an_unsure_face_says_why(browser, tmp_path):
    poor = replace(
        face("fear", 0.6, Box(20, 30, 60, 80)), label=None, confidence=None, flaw="too dark"
    )
    results = [
        photo(photos_dir() / "hopper-portrait.jpg", poor),
        photo(photos_dir() / "four-portraits.jpg", poor, face("happiness", 0.9)),
        photo(photos_dir() / "baby-laughing.jpg", face("happiness", 0.97)),
    ]
    write(HtmlSink(tmp_path / "report.html"), results, photos_dir())
    with open_page(browser, (tmp_path / "report.html").as_uri()) as page:
        press(page, "unsure")
        assert names(page) == ["hopper-portrait.jpg"]
        assert page.locator(".tile").first.inner_text().split("\n")[:2] == ["❓", "unsure"]
        page.locator(".tile").first.click()
        assert "unsure: too dark" in page.locator(".face").first.inner_text()
        assert page.locator(".face .best").count() == 0
        assert "too dark" in page.locator(".box").first.inner_text()
        page.go_back()
        press(page, "unsure")
        page.locator("#least").fill("5")
        assert "hopper-portrait.jpg" not in names(page)


def test_keyboard(page):
    # From the top of the page: every control is reached by Tab and shows that it has the focus.
    page.keyboard.press("Tab")
    seen = []
    for _ in range(40):
        seen.append(
            page.evaluate("document.activeElement.id || document.activeElement.dataset.key")
        )
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style != "none"
        if seen[-1] == "surprise":
            break
        page.keyboard.press("Tab")
    assert seen[-1] == "surprise"
    assert "happiness" in seen
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert len(names(page)) == 3

    page.locator(".tile:visible").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert detail_name(page) == "santa-surprised.jpg"
    page.keyboard.press("ArrowRight")
    assert detail_name(page) == "gray-man-grin.jpg"
    assert page.locator("#next").is_disabled()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert detail_name(page) == "baby-laughing.jpg"
    page.keyboard.press("Escape")
    page.locator("#detail").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.innerText").endswith("baby-laughing.jpg")
    assert len(names(page)) == 3  # the filter is still on


def test_the_address_holds_the_state(page, report, browser):
    press(page, "happiness")
    press(page, "multiple")
    page.locator(".tile:visible", has_text="gray-man-grin").click()
    page.wait_for_selector("dialog[open]")
    address = page.url
    other = browser.new_page()
    other.goto(address)
    assert detail_name(other) == "gray-man-grin.jpg"
    other.locator("#close").click()
    other.locator("#detail").wait_for(state="hidden")
    assert names(other) == ["baby-laughing.jpg", "gray-man-grin.jpg", "four-portraits.jpg"]
    assert is_on(other, "happiness")
    assert is_on(other, "multiple")
    other.goto(report + "#show=nonsense&min=abc&photo=../../secret")
    other.reload()
    assert len(names(other)) == 7
    other.close()


def test_an_evil_name_is_text(page):
    page.locator(".tile", has_text="onerror").click()
    assert detail_name(page) == EVIL
    assert page.locator("#detail-name *").count() == 0
    assert page.locator("img[src=x]").count() == 0
    page.keyboard.press("Escape")
    page.locator(".tile", has_text="bold").click()
    assert "<b>bold<b>.jpg: expected a photo" in page.locator("#photo").inner_text()
    assert page.locator("b:has-text('bold')").count() == 0


def test_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    width = "document.scrollingElement.scrollWidth"
    assert page.evaluate(width) == 390
    page.reload()  # the controls are folded where the page opens on a phone
    assert page.locator(".tile").first.bounding_box()["y"] < 844 / 3
    bar = page.locator("#pills")
    assert bar.evaluate("node => node.scrollWidth > node.clientWidth")  # sideways, on its own
    assert page.locator(".tile").nth(1).bounding_box()["y"] == pytest.approx(
        page.locator(".tile").nth(0).bounding_box()["y"]
    )
    page.locator(".tile", has_text="four-portraits").click()
    for part in ("#detail", "#photo", "#faces", "#close"):
        box = page.locator(part).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    assert page.evaluate(width) == 390


def test_the_name_of_the_file_comes_before_its_folder(browser, many):
    with open_page(browser, many.address) as page:
        name = page.locator(".tile .name").first
        assert name.inner_text() == "00000.jpg · 0"
        page.locator(".tile").first.click()
        assert page.locator("#detail-name").inner_text() == "00000.jpg · 0"


def test_search_and_sort(page):
    page.locator("#search").fill("HAPP")
    assert names(page) == []
    page.locator("#search").fill("aNt")
    assert names(page) == ["santa-surprised.jpg"]
    assert "search=aNt" in page.url
    page.locator("#search").fill("")
    press(page, "happiness")
    press(page, "surprise")
    page.locator("#sort").select_option("name")
    assert names(page) == ["baby-laughing.jpg", "gray-man-grin.jpg", "santa-surprised.jpg"]
    page.locator("#sort").select_option("confidence")
    assert names(page) == ["baby-laughing.jpg", "gray-man-grin.jpg", "santa-surprised.jpg"]
    page.locator("#sort").select_option("")
    assert names(page) == ["baby-laughing.jpg", "santa-surprised.jpg", "gray-man-grin.jpg"]


def test_sort_by_date(browser, tmp_path):
    results = []
    for name, date in (("a", "2024:05:01"), ("b", None), ("c", "2019:12:24")):
        exif = Image.Exif()
        if date:
            exif.get_ifd(0x8769)[0x9003] = f"{date} 12:00:00"
        Image.new("RGB", (48, 64)).save(tmp_path / f"{name}.jpg", exif=exif)
        results.append(photo(tmp_path / f"{name}.jpg", size=(48, 64)))
    write(HtmlSink(tmp_path / "r.html"), results, tmp_path)
    with open_page(browser, (tmp_path / "r.html").as_uri()) as page:
        page.locator("#sort").select_option("date")
        assert names(page) == ["c.jpg", "a.jpg", "b.jpg"]


def test_what_several_faces_are_filed_under(page):
    def number(key: str) -> str:
        return page.locator(f'#pills button[data-key="{key}"] b').inner_text()

    group = page.locator(".tile", has_text="four-portraits")
    assert (number("multiple"), number("happiness"), number("anger")) == ("1", "2", "0")
    page.locator("#as").select_option("each")
    assert (number("multiple"), number("happiness"), number("anger")) == ("0", "3", "1")
    assert group.locator(".label").inner_text() == "happiness"
    press(page, "anger")
    assert names(page) == ["four-portraits.jpg"]
    page.locator("#as").select_option("largest")  # both are as large: the first
    assert (number("multiple"), number("happiness"), number("anger")) == ("0", "3", "0")
    assert names(page) == []


def test_paths_are_selected_and_copied(page, report):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#select").click()
    page.locator(".tile", has_text="gray-man-grin").click()
    page.locator(".tile", has_text="baby-laughing").click()
    page.locator(".tile", has_text="rocket").click()
    page.locator(".tile", has_text="rocket").click()
    assert not page.locator("dialog").is_visible()
    page.locator("#copy").click()
    page.locator("#copy", has_text="Copied").wait_for()
    folder = unquote(report.removeprefix("file://").rpartition("/")[0])
    assert page.evaluate("navigator.clipboard.readText()") == (
        f"{folder}/baby-laughing.jpg\n{folder}/gray-man-grin.jpg"
    )
    press(page, "happiness")
    page.locator("#select-shown").click()
    assert page.locator("#copy").inner_text() == "Copy 2 paths"
    page.locator("#select").click()
    page.locator(".tile", has_text="baby-laughing").click()
    assert page.locator("dialog").is_visible()


def test_dark_and_light(page):
    def colours() -> tuple[float, float]:
        return tuple(
            page.evaluate(
                f"getComputedStyle(document.body).{name}.match(/[0-9]+/g).slice(0, 3)"
                ".reduce((sum, value) => sum + Number(value), 0) / 3"
            )
            for name in ("backgroundColor", "color")
        )

    page.emulate_media(color_scheme="light")
    ground, ink = colours()
    assert ground > 230
    assert ink < 60
    page.emulate_media(color_scheme="dark")
    ground, ink = colours()
    assert ground < 40
    assert ink > 220


def test_stage_table(page):
    page.locator("#foot").click()
    table = page.locator("#stages table")
    assert table.locator("tbody tr").count() == 6
    assert page.evaluate("document.activeElement.id") == "stages"


def serious(page) -> list[str]:
    """What axe-core finds that keeps people out, by rule and element."""
    response = Axe().run(page).response
    assert len(response["passes"]) > 10  # it did look
    return [
        f"{rule['id']}: {node['html'][:80]}"
        for rule in response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(page, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    assert serious(page) == []
    press(page, "happiness")
    assert serious(page) == []
    press(page, "contempt")
    press(page, "happiness")
    assert serious(page) == []  # nothing matches
    press(page, "")
    page.locator(".tile", has_text="four-portraits").click()
    page.wait_for_selector("dialog[open]")
    assert serious(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert serious(page) == []


class Many(NamedTuple):
    count: int
    address: str


@pytest.fixture(scope="module", params=[2_000, pytest.param(10_000, marks=pytest.mark.prove)])
def many(request, tmp_path_factory):
    """A report of thousands of photos, with its thumbnails beside it."""
    folder, count = tmp_path_factory.mktemp("many"), request.param
    results = []
    for number in range(count):
        name = f"{number:05}.jpg" if number != count - 2 else f"{number:05} %41 #1?.jpg"
        path = folder / f"{10 * number // count}" / name
        if number % (count // 10) == 0:
            path.parent.mkdir()
            Image.new("RGB", (48, 64), (250 * number // count, 90, 200)).save(path)
            first = path
        else:
            path.hardlink_to(first)
        label = ("neutral", "happiness", "sadness", "fear")[number % 4]
        results.append(photo(path, face(label, 0.5 + number % 50 / 100), size=(48, 64)))
    html = folder / "report.html"
    write(HtmlSink(html), results, folder)
    return Many(count, html.as_uri())


def test_thousands_of_photos(browser, many):
    count, address = many
    last, odd = f"{count - 1:05}.jpg", f"{count - 2:05}"
    with open_page(browser, "about:blank") as page:
        page.goto(address)
        page.locator(".tile img").first.wait_for()
        in_page = "document.querySelectorAll('.tile').length"
        assert page.locator("#shown").inner_text() == f"{count:,} of {count:,} photos"
        assert page.evaluate(in_page) < 100

        page.locator(".tile").first.focus()
        page.keyboard.press("End")
        assert page.evaluate("document.activeElement.innerText").endswith(f"{last} · 9")
        assert page.locator("li:has(:focus)").get_attribute("aria-posinset") == str(count)
        assert page.evaluate(in_page) < 100
        page.keyboard.press("Enter")
        assert detail_name(page) == f"9/{last}"
        page.keyboard.press("ArrowLeft")
        assert detail_name(page) == f"9/{odd} %41 #1?.jpg"
        wait_until(page, "document.querySelector('.frame img').naturalWidth == 48")
        # The photo itself, by an address that says its name right.
        end = f"/9/{odd}%20%2541%20%231%3F.jpg"
        wait_until(page, f"document.querySelector('.frame img').src.endsWith('{end}')")
        page.keyboard.press("Escape")
        page.locator("#detail").wait_for(state="hidden")
        assert page.evaluate("document.activeElement.innerText").endswith(f"{odd} %41 #1?.jpg · 9")

        press(page, "fear")
        assert page.locator("#shown").inner_text() == f"{count // 4:,} of {count:,} photos · fear"
        assert names(page)[0] == "0/00003.jpg"
        page.mouse.wheel(0, 20_000)
        wait_until(page, "scrollY > 10000")  # the wheel takes its time
        settle(page)
        assert names(page)[0] > "0/00100.jpg"
        loaded = "[...document.querySelectorAll('.tile img')].every((image) => image.naturalWidth)"
        wait_until(page, loaded)
        press(page, "fear")

        # A jump to anywhere is drawn with the next frame.
        drawn = page.evaluate(
            """async (height) => {
            const drawn = [];
            for (let at = 0; at < 15; at++) {
                scrollTo(0, (at * 7 % 15) * height / 15);
                await new Promise(requestAnimationFrame);
                await new Promise(requestAnimationFrame);
                drawn.push([...document.querySelectorAll('.tile')].some((tile) => {
                    const { top, bottom } = tile.getBoundingClientRect();
                    return top < innerHeight * 0.6 && bottom > innerHeight * 0.4;
                }));
            }
            return drawn;
        }""",
            50 * count,
        )
        assert drawn == [True] * 15


def test_scrolled_away_from_the_focus(browser, many):
    with open_page(browser, many.address) as page:
        page.locator(".tile").nth(2).focus()
        page.evaluate(f"scrollTo(0, {20 * many.count})")
        settle(page)
        first = names(page)[0]
        assert first > "0/00500.jpg"
        page.keyboard.press("ArrowRight")  # goes on from where the focus was
        assert page.evaluate("document.activeElement.innerText").endswith("00003.jpg · 0")
        page.keyboard.press("PageDown")
        assert "00003.jpg" not in page.evaluate("document.activeElement.innerText")
        page.set_viewport_size({"width": 390, "height": 844})
        settle(page)
        assert page.evaluate("document.scrollingElement.scrollWidth") == 390
        assert len({round(box["x"]) for box in boxes(page)}) == 2


def boxes(page) -> list[dict]:
    return [tile.bounding_box() for tile in page.locator(".tile").all()[:8]]


def test_labels_without_emoji_are_a_letter_in_a_colour_of_their_own(browser, tmp_path):
    """Names that the page's style knows for other things, too."""
    labels = ("calm", "accent", "fear")
    faces = [
        replace(face("fear", 0.7), label=name, probabilities=dict.fromkeys(labels, 0.3))
        for name in labels
    ]
    results = [photo(photos_dir() / "rocket.jpg", one) for one in faces]
    write(HtmlSink(tmp_path / "r.html"), results, labels=labels)
    with open_page(browser, (tmp_path / "r.html").as_uri()) as page:
        for place in ("#pills .letter", ".tile .letter"):
            shown = page.locator(place)
            assert shown.all_inner_texts() == ["C", "A"]
            found = shown.evaluate_all("all => all.map((n) => getComputedStyle(n).backgroundColor)")
            assert found == [
                f"rgb({int(c[1:3], 16)}, {int(c[3:5], 16)}, {int(c[5:7], 16)})" for c in COLOURS[:2]
            ]
