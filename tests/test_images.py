"""Photos of every kind a library holds, made from a bundled one, and what is no photo."""

import io
import os
import struct
import subprocess
import sys
import threading
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from fer_mobile.decoding import MAX_PIXELS
from fer_mobile.errors import PhotoError
from fer_mobile.images import PHOTO_SUFFIXES, find_photos, load_photo
from fer_mobile.resources import photos_dir
from tests.profiles import DISPLAY_P3, rgb_profile

PORTRAIT = photos_dir() / "astronaut-smile.jpg"
ORIENTATION = 0x0112
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright image is stored for each EXIF orientation (the inverse of making it upright)."""


@pytest.fixture(scope="module")
def upright() -> Image.Image:
    """240×160, RGB: the sides differ, and so do all corners."""
    return Image.open(PORTRAIT).convert("RGB").crop((120, 40, 360, 200))


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    return tags


def stored(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(STORED[orientation]) if orientation in STORED else image


def assert_close(rgb: np.ndarray, image: Image.Image, tolerance: float = 3) -> None:
    """Shape and mean difference: what compression leaves, but not a flip or exchanged channels."""
    expected = np.asarray(image.convert("RGB"), dtype=np.float64)
    assert rgb.dtype == np.uint8
    assert rgb.flags.c_contiguous
    assert rgb.shape == expected.shape
    assert np.abs(rgb - expected).mean() <= tolerance


def png(width: int, height: int, *, bits: int, colour: int, pixels: bytes) -> bytes:
    """A PNG file from its header's fields and its compressed rows."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


# --- orientation -------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_every_orientation_comes_out_upright(tmp_path, upright, orientation, suffix):
    path = tmp_path / f"photo{suffix}"
    stored(upright, orientation).save(path, exif=exif(orientation), quality=95)
    photo = load_photo(path)
    assert photo.size == (240, 160)
    assert photo.scale == 1
    assert_close(photo.rgb, upright)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_reduced_decoding_states_the_full_upright_size(tmp_path, upright, orientation):
    large = upright.resize((1201, 801))
    path = tmp_path / "photo.jpg"
    stored(large, orientation).save(path, exif=exif(orientation), quality=95)
    photo = load_photo(path, min_long_side=300)
    assert photo.size == (1201, 801)
    assert photo.rgb.shape == (201, 301, 3)
    assert photo.scale == pytest.approx(0.25, rel=0.01)
    assert_close(photo.rgb, large.resize((301, 201), Image.Resampling.BOX), 5)


def test_a_pillow_image_is_turned_too(upright):
    file = io.BytesIO()
    stored(upright, 6).save(file, "PNG", exif=exif(6))
    assert_close(load_photo(Image.open(file)).rgb, upright, 0)


def test_damaged_exif_does_not_cost_the_photo(tmp_path, upright):
    path = tmp_path / "photo.jpg"
    upright.save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 30, quality=95)
    assert_close(load_photo(path).rgb, upright)


# --- reduced decoding --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("min_long_side", "width"), [(None, 1600), (801, 1600), (800, 800), (401, 800), (200, 200)]
)
def test_reduction_keeps_the_longest_side_long_enough(tmp_path, upright, min_long_side, width):
    path = tmp_path / "photo.jpg"
    upright.resize((1600, 1066)).save(path)
    photo = load_photo(path, min_long_side=min_long_side)
    assert photo.rgb.shape[1] == width
    assert photo.size == (1600, 1066)


def test_only_jpeg_is_reduced(tmp_path, upright):
    path = tmp_path / "photo.png"
    upright.save(path)
    assert load_photo(path, min_long_side=10).scale == 1


@pytest.mark.parametrize("size", [(5000, 3), (3, 5000), (1, 1)])
def test_extreme_shapes(tmp_path, size):
    path = tmp_path / "photo.jpg"
    Image.new("RGB", size, "red").save(path)
    photo = load_photo(path, min_long_side=10)
    assert photo.size == size
    assert np.abs(photo.rgb.mean(axis=(0, 1)) - (254, 0, 0)).max() <= 1


# --- modes and formats -------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif", ".gif"])
@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_formats_and_gray(tmp_path, upright, suffix, mode):
    image = upright.convert(mode)
    path = tmp_path / f"photo{suffix}"
    image.save(path, **({"quality": 95} if suffix in (".jpg", ".webp") else {}))
    tolerance = 8 if (suffix, mode) == (".gif", "RGB") or mode == "1" else 3
    assert_close(load_photo(path).rgb, image, tolerance)


def test_palette(tmp_path, upright):
    path = tmp_path / "photo.png"
    upright.quantize(256).save(path)
    assert_close(load_photo(path).rgb, upright, 8)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_shows_white(tmp_path, upright, mode):
    image = upright.convert("RGBA")
    alpha = np.full((160, 240), 255, np.uint8)
    alpha[:, :80] = 0
    alpha[:, 80:160] = 128
    image.putalpha(Image.fromarray(alpha))
    if mode == "LA":
        image = image.convert("LA")
    path = tmp_path / ("photo.tif" if mode == "LA" else "photo.png")
    (image.quantize(200) if mode == "PA" else image).save(path)
    source = np.asarray(image.convert("RGB"), dtype=np.float64)
    share = alpha[..., None] / 255
    expected = Image.fromarray((source * share + 255 * (1 - share)).round().astype(np.uint8))
    assert_close(load_photo(path).rgb, expected, 8 if mode == "PA" else 1)


def test_a_palette_with_one_transparent_colour(tmp_path):
    image = Image.fromarray(np.arange(4, dtype=np.uint8).reshape(1, 4), "P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120])
    path = tmp_path / "photo.png"
    image.save(path, transparency=1)
    assert load_photo(path).rgb[0, :3].tolist() == [[10, 20, 30], [255, 255, 255], [70, 80, 90]]


def test_cmyk(tmp_path, upright):
    image = upright.convert("CMYK")
    for suffix in (".jpg", ".tif"):
        path = tmp_path / f"photo{suffix}"
        image.save(path, quality=95)
        assert_close(load_photo(path).rgb, upright, 5)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_gray(tmp_path, suffix):
    levels = np.linspace(0, 65535, 160 * 240).astype(np.uint16).reshape(160, 240)
    path = tmp_path / f"photo{suffix}"
    Image.fromarray(levels).save(path)
    rgb = load_photo(path).rgb
    assert rgb.shape == (160, 240, 3)
    assert (rgb == (levels >> 8)[..., None]).all()


def test_16_bit_rgb(tmp_path, upright):
    """Pillow writes no such file, so the bytes are put together here."""
    levels = np.asarray(upright).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in levels)

    path = tmp_path / "photo.png"
    path.write_bytes(png(240, 160, bits=16, colour=2, pixels=zlib.compress(rows)))
    assert_close(load_photo(path).rgb, upright, 0)


def test_floating_point_pixels_are_refused(tmp_path):
    path = tmp_path / "photo.tif"
    Image.fromarray(np.zeros((8, 8), np.float32)).save(path)
    with pytest.raises(PhotoError, match="floating-point pixels"):
        load_photo(path)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif"])
def test_the_first_frame_of_several(tmp_path, upright, suffix):
    path = tmp_path / f"photo{suffix}"
    upright.save(path, save_all=True, append_images=[Image.new("RGB", upright.size)], quality=95)
    assert_close(load_photo(path).rgb, upright, 8)


def test_the_first_picture_of_an_mpo(tmp_path, upright):
    path = tmp_path / "photo.mpo"
    other = Image.new("RGB", upright.size)
    upright.save(path, save_all=True, append_images=[other], quality=95)
    assert_close(load_photo(path, min_long_side=240).rgb, upright)


def test_bytes_after_the_photo_do_no_harm(tmp_path, upright):
    path = tmp_path / "photo.jpg"
    upright.save(path, quality=95)
    path.write_bytes(path.read_bytes() + bytes(range(256)) * 40)
    assert_close(load_photo(path).rgb, upright)


def test_avif(tmp_path, upright):
    path = tmp_path / "photo.avif"
    upright.save(path, quality=95)
    assert_close(load_photo(path).rgb, upright)


def test_heic_with_the_extra(tmp_path, upright):
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra heic is not installed")
    path = tmp_path / "photo.heic"
    pillow_heif.from_pillow(upright).save(path, quality=95)
    assert_close(load_photo(path).rgb, upright, 5)


def test_heic_without_the_extra_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    path = tmp_path / "photo.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100)
    with pytest.raises(PhotoError, match=r"pillow-heif.*pip install 'fer-mobile\[heic\]'"):
        load_photo(path)


def test_the_content_decides_not_the_suffix(tmp_path, upright):
    path = tmp_path / "photo.gif"
    upright.save(path, "PNG")
    assert_close(load_photo(path).rgb, upright, 0)


# --- what is no photo --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"Dear diary, today", "none of them"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "none of them"),
        (b"\xff\xd8\xff", "none of them"),
        (b"\x89PNG\r\n\x1a\n", "none of them"),
    ],
)
def test_files_that_hold_no_photo(tmp_path, content, found):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(PhotoError, match=found) as caught:
        load_photo(path)
    assert str(caught.value).startswith(f"{path}: expected a")
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(PhotoError, match="found no such file"):
        load_photo(tmp_path / "no.jpg")
    with pytest.raises(PhotoError, match="found a folder"):
        load_photo(str(tmp_path))
    with pytest.raises(PhotoError, match="found no such file"):
        load_photo("a\0b.jpg")


def test_a_pipe_is_not_waited_for(tmp_path):
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    with pytest.raises(PhotoError, match="found a device"):
        load_photo(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif", ".gif", ".avif"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.85])
@pytest.mark.parametrize("min_long_side", [None, 30])
def test_truncated_files_are_errors(tmp_path, upright, suffix, kept, min_long_side):
    path = tmp_path / f"photo{suffix}"
    upright.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(PhotoError, match="photo"):
        load_photo(path, min_long_side=min_long_side)


def test_a_truncated_photo_with_a_whole_thumbnail_is_an_error(tmp_path, upright):
    """The thumbnail's end is no end of the photo."""
    thumbnail = io.BytesIO()
    upright.resize((60, 40)).save(thumbnail, "JPEG")
    path = tmp_path / "photo.jpg"
    upright.save(path, exif=b"Exif\0\0" + thumbnail.getvalue())
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(PhotoError, match="truncated"):
        load_photo(path, min_long_side=30)


@pytest.mark.parametrize(
    ("kept", "reason"), [(3000, "image file is truncated"), (100, "Truncated File Read")]
)
def test_a_cut_off_photo_is_called_so(tmp_path, upright, kept, reason):
    path = tmp_path / "photo.jpg"
    upright.save(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(PhotoError, match=rf"found it is cut off \({reason}"):
        load_photo(path)


@pytest.mark.parametrize("cut", [2, 3, 30])
@pytest.mark.parametrize("min_long_side", [None, 30])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_a_jpeg_without_its_last_bytes_is_read(tmp_path, upright, cut, min_long_side, subsampling):
    path = tmp_path / "photo.jpg"
    upright.save(path, quality=95, subsampling=subsampling)
    whole = load_photo(path, min_long_side=min_long_side).rgb
    path.write_bytes(path.read_bytes()[:-cut])
    found = load_photo(path, min_long_side=min_long_side).rgb
    rows = -(-18 * len(whole) // 160)  # the last blocks, and what smoothing takes from them
    assert (found[:-rows] == whole[:-rows]).all()
    assert np.abs(found.astype(int) - whole).mean() < (0 if cut == 2 else 1) + 0.01


def test_metadata_of_a_png_does_not_cost_the_photo(tmp_path, upright):
    """Pillow refuses what unpacks to more than a megabyte, and every damaged chunk."""
    text = PngImagePlugin.PngInfo()
    text.add_text("workflow", "x" * 3_000_000, zip=True)
    saved = {
        "profile": {"icc_profile": np.random.default_rng(0).bytes(2_500_000)},
        "text": {"pnginfo": text},
        "turned": {"pnginfo": text, "exif": exif(6)},
    }
    for name, options in saved.items():
        path = tmp_path / f"{name}.png"
        (stored(upright, 6) if name == "turned" else upright).save(path, **options)
        assert_close(load_photo(path).rgb, upright, 0)
    path = tmp_path / "damaged.png"
    text = PngImagePlugin.PngInfo()
    text.add_text("title", "a portrait")
    upright.save(path, pnginfo=text)
    path.write_bytes(path.read_bytes().replace(b"a portrait", b"a portrayt"))
    assert_close(load_photo(path).rgb, upright, 0)


def test_a_bitmap_whose_alpha_is_all_zero_has_none(tmp_path, upright):
    pixels = np.dstack([np.asarray(upright)[::-1, :, ::-1], np.zeros((160, 240), np.uint8)])
    header = struct.pack("<IiiHHIIiiII", 108, 240, 160, 1, 32, 3, pixels.size, 2835, 2835, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + b"\0" * 48
    path = tmp_path / "photo.bmp"
    start = b"BM" + struct.pack("<IHHI", 14 + 108 + pixels.size, 0, 0, 122)
    path.write_bytes(start + header + masks + pixels.tobytes())
    assert_close(load_photo(path).rgb, upright, 0)


def test_gray_of_32_bits_is_refused(tmp_path, upright):
    path = tmp_path / "photo.tif"
    Image.fromarray(np.asarray(upright.convert("L")).astype(np.int32)).save(path)
    with pytest.raises(PhotoError, match="gray pixels of 32 bits"):
        load_photo(path)


def test_an_orientation_that_is_none_is_ignored(tmp_path, upright):
    for orientation in (0, 9, 255):
        path = tmp_path / "photo.jpg"
        upright.save(path, exif=exif(orientation), quality=95)
        photo = load_photo(path)
        assert photo.size == (240, 160)
        assert_close(photo.rgb, upright)


def test_a_thousand_exif_segments_are_read_as_one(tmp_path, upright):
    """Pillow joins them one by one, which takes time in proportion to their square."""
    file = io.BytesIO()
    stored(upright, 6).save(file, "JPEG", exif=exif(6), quality=95)
    content = file.getvalue()
    segment = b"\xff\xe1" + struct.pack(">H", 65_535) + b"Exif\0\0" + b"\0" * 65_527
    place = 4 + struct.unpack(">H", content[4:6])[0]  # after JFIF's segment
    first = place + 2 + struct.unpack(">H", content[place + 2 : place + 4])[0]
    path = tmp_path / "photo.jpg"
    path.write_bytes(content[:first] + 1000 * segment + content[first:])
    tracemalloc.start()
    try:
        assert_close(load_photo(path).rgb, upright)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * path.stat().st_size


# --- memory ------------------------------------------------------------------------------


def webp(width: int, height: int) -> bytes:
    """The header of a lossless WebP, and hardly anything else."""
    bits = (width - 1) | (height - 1) << 14 | 1 << 28
    data = b"\x2f" + struct.pack("<I", bits) + b"\x88\x88\x08\x07"
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def gif(width: int, height: int) -> bytes:
    """One colour all over: a screen's size, and a frame of one pixel."""
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    control = b"!\xf9\x04\x01\0\0\0\0"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + screen + control + frame + b";"


def plain(width: int, height: int, format: str, mode: str = "RGB", **options) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert(mode).save(file, format, **options)
    return file.getvalue()


BUDGET = 150_000_000
LARGE = {
    "webp": lambda: plain(2350, 2350, "WEBP", method=0),
    "lossless webp": lambda: plain(2350, 2350, "WEBP", "RGBA", lossless=True, quality=0, method=0),
    "gif": lambda: gif(5600, 5500),
    "png of 1 bit": lambda: png(
        5600, 5500, bits=1, colour=0, pixels=zlib.compress(b"\0" * 5500 * 701)
    ),
    "rgba png": lambda: plain(
        4500, 4000, "PNG", "RGBA", compress_level=1, icc_profile=rgb_profile(DISPLAY_P3)
    ),
    "wide png": lambda: png(
        18_000_000, 1, bits=8, colour=2, pixels=zlib.compress(b"\0" * 54_000_001, 1)
    ),
    "high png": lambda: png(
        1, 6_000_000, bits=8, colour=0, pixels=zlib.compress(b"\0" * 12_000_000, 1)
    ),
    "jpeg": lambda: plain(4500, 4000, "JPEG"),
    "progressive jpeg": lambda: plain(3200, 3000, "JPEG", progressive=True, subsampling=0),
    "tiff": lambda: plain(3200, 2600, "TIFF", "RGBA", compression="tiff_lzw"),
    "bmp": lambda: plain(4500, 4000, "BMP"),
    "avif": lambda: plain(3000, 2800, "AVIF", speed=10),
}
"""Photos that the budget just allows."""


def peak_of_loading(path: Path, **options) -> tuple[str, int]:
    """What is said of a photo, and the memory that it took a process of its own."""
    code = (
        "import resource, sys\n"
        "from fer_mobile.errors import PhotoError\n"
        "from fer_mobile.images import load_photo\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "before = peak()\n"
        f"try: print('read', load_photo(sys.argv[1], **{options!r}).size)\n"
        "except PhotoError as error: print(error)\n"
        "print(peak() - before)\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said, grown = done.stdout.splitlines()
    return said, int(grown)


@pytest.mark.parametrize("kind", LARGE)
def test_no_photo_takes_more_than_the_budget(tmp_path, kind):
    path = tmp_path / "photo"
    path.write_bytes(LARGE[kind]())
    said, grown = peak_of_loading(path, max_bytes=BUDGET)
    assert said.startswith("read ")
    assert grown <= BUDGET + 15e6  # the decoders' code, and the allocator's own


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (webp(16_383, 12_207), "16383×12207 WEBP"),
        (png(1, 199_000_000, bits=8, colour=0, pixels=zlib.compress(b"")), "1×199000000 PNG"),
    ],
)
def test_small_files_that_are_large_photos_are_refused_before_decoding(tmp_path, content, size):
    path = tmp_path / "photo"
    path.write_bytes(content)
    said, grown = peak_of_loading(path)
    assert f"in 1.5 GB of memory, found {size}" in said
    assert grown < 30e6


def test_a_larger_budget_is_a_parameter(tmp_path, upright):
    path = tmp_path / "photo.webp"
    upright.save(path)
    needed = 240 * 160 * (16 + 4 + 3 + 25) + 160 * 16
    assert_close(load_photo(path, max_bytes=needed).rgb, upright, 8)
    with pytest.raises(PhotoError, match=r"240×160 WEBP, which takes .* `max_bytes`"):
        load_photo(path, max_bytes=needed - 1)


def test_damaged_bytes_never_raise_anything_else(tmp_path, upright, recwarn):
    """Each byte of the first 300 changed, and 300 of the rest: a photo or a PhotoError."""
    outcomes: set[object] = set()  # whether an error's message breaks the line, or the pixels
    rng = np.random.default_rng(7)
    for suffix in (".jpg", ".png", ".webp", ".bmp", ".tif", ".gif"):
        path = tmp_path / f"photo{suffix}"
        upright.resize((48, 32)).save(path)
        content = path.read_bytes()
        places = [*range(min(300, len(content))), *rng.integers(0, len(content), 300)]
        for place in places:
            damaged = bytearray(content)
            damaged[place] ^= int(rng.integers(1, 256))
            path.write_bytes(damaged)
            try:
                photo = load_photo(path, min_long_side=12)
            except PhotoError as error:
                outcomes.add("\n" in str(error))
            else:
                outcomes.add((photo.rgb.dtype.name, photo.rgb.shape[2]))
    assert outcomes == {False, ("uint8", 3)}
    assert not recwarn.list


def test_more_pixels_than_allowed_are_refused_before_decoding(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(50_000, 50_000, bits=1, colour=0, pixels=zlib.compress(b"")))
    with pytest.raises(PhotoError, match="at most 200 megapixels, found 50000×50000"):
        load_photo(path)


def test_photos_above_pillows_own_limit_are_read_and_the_limit_stays(tmp_path, recwarn):
    before = Image.MAX_IMAGE_PIXELS
    assert before is not None
    path = tmp_path / "large.jpg"
    side = int((2 * before + 1e6) ** 0.5)
    assert 2 * before < side * side <= MAX_PIXELS
    Image.new("L", (side, side), 90).save(path)
    photo = load_photo(path, min_long_side=640)
    assert photo.size == (side, side)
    assert max(photo.rgb.shape) < side / 7
    assert before == Image.MAX_IMAGE_PIXELS
    assert not recwarn.list


def test_nothing_is_written_to_the_console(tmp_path, upright):
    """Neither Pillow's warnings nor what native decoders say of damaged files."""
    for suffix in (".jpg", ".tif", ".png"):
        path = tmp_path / f"photo{suffix}"
        upright.save(path)
        content = bytearray(path.read_bytes())
        content[len(content) // 2 : len(content) // 2 + 40] = b"\x55" * 40
        path.write_bytes(content)
    samples = struct.pack("<HHIHH", 277, 3, 1, 3, 0)  # the tag "samples per pixel"
    upright.save(tmp_path / "samples.tif")
    content = (tmp_path / "samples.tif").read_bytes()
    assert samples in content
    wrong = struct.pack("<HHIHH", 277, 3, 1, 168, 0)
    (tmp_path / "samples.tif").write_bytes(content.replace(samples, wrong))
    code = (
        "import sys; from fer_mobile.images import find_photos, load_photo\n"
        "from fer_mobile.errors import PhotoError\n"
        "for path in find_photos(sys.argv[1]):\n"
        "    try: load_photo(path)\n"
        "    except PhotoError: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", code, str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_threads_load_at_once(tmp_path, upright):
    path = tmp_path / "photo.png"
    upright.save(path)
    results: list[np.ndarray] = []
    before = Image.MAX_IMAGE_PIXELS
    threads = [
        threading.Thread(target=lambda: results.append(load_photo(path).rgb)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all((rgb == np.asarray(upright)).all() for rgb in results)
    assert before == Image.MAX_IMAGE_PIXELS


# --- arrays ------------------------------------------------------------------------------


def test_arrays_of_every_allowed_shape(upright):
    rgb = np.asarray(upright)
    gray = np.asarray(upright.convert("L"))
    assert (load_photo(rgb).rgb == rgb).all()
    assert (load_photo(rgb[:, :, ::-1], bgr=True).rgb == rgb).all()
    assert (load_photo(gray).rgb == gray[..., None]).all()
    assert (load_photo(gray[..., None], bgr=True).rgb == gray[..., None]).all()
    assert load_photo(rgb[::2, ::-1]).rgb.flags.c_contiguous
    assert load_photo(rgb).size == (240, 160)


def test_arrays_with_alpha_show_white(upright):
    rgba = np.asarray(upright.convert("RGBA")).copy()
    rgba[:, :100, 3] = 0
    expected = np.asarray(upright).copy()
    expected[:, :100] = 255
    assert (load_photo(rgba).rgb == expected).all()
    assert (load_photo(rgba[:, :, [2, 1, 0, 3]], bgr=True).rgb == expected).all()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8, 3), np.int64),
        np.zeros((8, 8, 3), bool),
        np.zeros((8, 8, 2), np.uint8),
        np.zeros((1, 8, 8, 3), np.uint8),
        np.zeros(8, np.uint8),
        np.zeros((0, 8, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(array):
    with pytest.raises(PhotoError, match="expected uint8 of shape H×W"):
        load_photo(array)


# --- folders -----------------------------------------------------------------------------


def test_find_photos_is_sorted_recursive_and_by_suffix(tmp_path):
    wanted = ["a.JPG", "b/c.heic", "b/d.jpeg", "e.png"]
    for name in [*wanted, "notes.txt", "b/.hidden.jpg", ".cache/f.jpg", "g.jpg.part"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "folder.jpg").mkdir()
    assert find_photos(tmp_path) == [tmp_path / name for name in wanted]
    assert find_photos(tmp_path / "missing") == []
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in PHOTO_SUFFIXES)


# --- the shared photos -------------------------------------------------------------------


def test_all_shared_photos_have_the_size_the_manifest_states():
    folder = os.environ.get("FER_MOBILE_DATA")
    if not folder:
        pytest.skip("FER_MOBILE_DATA is not set")
    import csv

    photos = Path(folder) / "photos"
    with (photos / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 546
    for row in rows:
        photo = load_photo(photos / row["file"], min_long_side=640)
        size = (int(row["width"]), int(row["height"]))
        turned = int(row["exif_orientation"] or 1) >= 5
        assert photo.size in ((size[::-1],) if turned else (size,)), row["file"]
        assert max(photo.rgb.shape) >= min(640, *[max(size)])
