from __future__ import annotations

import subprocess
from datetime import datetime

import pytest
from PIL import Image, PngImagePlugin

from fer_mobile.gallery.dates import date_taken, taken_within

TAKEN = datetime(2021, 7, 9, 12, 34, 56)


def save(path, exif=None, **options):
    Image.new("RGB", (8, 8)).save(path, exif=(exif or Image.Exif()).tobytes(), **options)
    return path


def exif(tag: int, value: str, ifd: int | None = 0x8769) -> Image.Exif:
    block = Image.Exif()
    block[0x010F] = "a camera"  # without a tag of its own a block is not saved
    (block.get_ifd(ifd) if ifd else block)[tag] = value
    return block


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
    b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" %s</rdf:RDF>'
    b"</x:xmpmeta>"
)


@pytest.mark.parametrize(
    "block",
    [
        exif(0x9003, "2021:07:09 12:34:56"),
        exif(0x9003, "2021-07-09T12:34:56+02:00"),
        exif(0x9004, "2021:07:09 12:34:56"),
        exif(0x0132, "2021:07:09 12:34:56", None),
    ],
)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_exif(tmp_path, block, suffix):
    assert date_taken(save(tmp_path / f"a{suffix}", block)) == TAKEN


@pytest.mark.parametrize(
    "field",
    [
        b'exif:DateTimeOriginal="2021-07-09T12:34:56.789Z"/>',
        b'photoshop:DateCreated = "2021-07-09T12:34:56"/>',
        b"><xmp:CreateDate>2021-07-09T12:34:56</xmp:CreateDate></rdf:Description>",
    ],
)
def test_xmp(tmp_path, field):
    packet = XMP % field
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", packet.decode())
    assert date_taken(save(tmp_path / "a.jpg", xmp=packet)) == TAKEN
    assert date_taken(save(tmp_path / "a.webp", xmp=packet)) == TAKEN
    assert date_taken(save(tmp_path / "a.png", pnginfo=text)) == TAKEN
    assert date_taken(save(tmp_path / "a.tif", tiffinfo={700: packet})) == TAKEN


def test_iptc(tmp_path):
    def record(number: int, value: bytes) -> bytes:
        return bytes([0x1C, 2, number]) + len(value).to_bytes(2, "big") + value

    block = record(55, b"20210709") + record(60, b"123456+0200")
    resource = b"8BIM\x04\x04\0\0" + len(block).to_bytes(4, "big") + block
    payload = b"Photoshop 3.0\0" + resource + b"\0" * (len(block) % 2)
    path = save(tmp_path / "a.jpg")
    jpeg = path.read_bytes()
    segment = b"\xff\xed" + (len(payload) + 2).to_bytes(2, "big") + payload
    path.write_bytes(jpeg[:2] + segment + jpeg[2:])
    assert date_taken(path) == TAKEN


def test_a_date_that_is_none_is_passed_over(tmp_path):
    block = exif(0x9003, "0000:00:00 00:00:00")
    block[0x0132] = "2021:07:09 12:34:56"
    assert date_taken(save(tmp_path / "a.jpg", block)) == TAKEN
    assert date_taken(save(tmp_path / "b.jpg", exif(0x9003, "2021:13:40 99:00:00"))) is None
    assert date_taken(save(tmp_path / "c.jpg")) is None
    (tmp_path / "d.jpg").write_bytes(b"no photo")
    for name in ("d.jpg", "gone.jpg", "x" * 300, "a\0b"):
        assert date_taken(tmp_path / name) is None
    assert date_taken(tmp_path) is None


@pytest.mark.parametrize("field", ["DateTimeOriginal", "XMP-photoshop:DateCreated"])
def test_what_exiftool_writes(exiftool, tmp_path, field):
    path = save(tmp_path / "a.jpg")
    subprocess.run([exiftool, "-q", f"-{field}=2021:07:09 12:34:56", path], check=True)
    assert date_taken(path) == TAKEN


def test_a_photo_that_cannot_be_opened_becomes_a_row(tmp_path):
    old = save(tmp_path / "a.jpg", exif(0x9003, "2001:01:01 00:00:00"))
    gone, undated = tmp_path / ("x" * 300 + ".jpg"), save(tmp_path / "b.jpg")
    assert taken_within([old, gone, undated], "2020", None) == (
        [gone],
        [(old, "photo of another time"), (undated, "photo without a date")],
    )
