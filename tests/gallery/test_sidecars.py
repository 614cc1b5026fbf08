from __future__ import annotations

import json
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_mobile.errors import InputError
from fer_mobile.gallery.sidecars import write_sidecars
from fer_mobile.gallery.xmp import EMPTY, set_keywords
from fer_mobile.resources import photos_dir
from tests.gallery.samples import face, failed, photo

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
SUBJECT = "{http://purl.org/dc/elements/1.1/}subject"

DIGIKAM = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <!-- > a comment > -->
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/>
  <rdf:Description rdf:about=''
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:digiKam="http://www.digikam.org/ns/1.0/"
    digiKam:Note="two&#xA;lines and a > sign">
   <dc:subject>
    <rdf:Bag>
     <rdf:li>fishing &amp; Bj\xc3\xb6rn</rdf:li>
     <rdf:li>expression:anger</rdf:li>
     <rdf:li>expressionism</rdf:li>
    </rdf:Bag>
   </dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def keywords(xmp: bytes) -> list[str]:
    """What any reader of XML finds, which knows nothing of ours."""
    root = ElementTree.fromstring(xmp)
    return [item.text or "" for item in root.iterfind(f".//{SUBJECT}//{RDF}li")]


def packet(body: str) -> bytes:
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/">{body}</rdf:RDF>'
    ).encode()


@pytest.fixture
def picture(tmp_path):
    return shutil.copy(photos_dir() / "rocket.jpg", tmp_path / "rocket.jpg")


def test_a_new_sidecar(picture, tmp_path):
    before = picture.read_bytes()
    results = [photo(picture, face("happiness")), photo(tmp_path / "nobody.jpg"), failed("x.jpg")]
    written, left = write_sidecars(results)
    assert written == [tmp_path / "rocket.jpg.xmp"]
    assert left == []
    assert keywords(written[0].read_bytes()) == ["expression:happiness"]
    assert picture.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rocket.jpg", "rocket.jpg.xmp"]


def test_an_existing_sidecar_keeps_all_that_is_not_ours(picture, tmp_path):
    sidecar = tmp_path / "rocket.jpg.xmp"
    sidecar.write_bytes(DIGIKAM)
    several = photo(picture, face("fear"), face("happiness"), face("fear"))
    write_sidecars([several], every_face=True)
    new = sidecar.read_bytes()
    assert keywords(new) == [
        "fishing & Björn", "expressionism", "expression:fear", "expression:happiness",
    ]  # fmt: skip
    without_lists = [xmp[: xmp.index(b"<rdf:Bag")] for xmp in (DIGIKAM, new)]
    assert without_lists[0] == without_lists[1]
    assert new.endswith(DIGIKAM[DIGIKAM.index(b"\n    </rdf:Bag>") :])

    time = sidecar.stat().st_mtime_ns
    write_sidecars([several], every_face=True)
    assert sidecar.stat().st_mtime_ns == time  # all was right: not touched
    write_sidecars([photo(picture, face("anger"))])
    assert keywords(sidecar.read_bytes()) == [
        "fishing & Björn",
        "expressionism",
        "expression:anger",
    ]
    write_sidecars([photo(picture)])
    assert keywords(sidecar.read_bytes()) == ["fishing & Björn", "expressionism"]


@pytest.mark.parametrize(
    ("body", "others"),
    [
        ("<rdf:Description/>", []),
        ("<rdf:Description></rdf:Description>", []),
        ("<rdf:Description><dc:subject><rdf:Bag/></dc:subject></rdf:Description>", []),
        ("<rdf:Description dc:format='a/>b' />", []),
        (
            '<d:Description xmlns:d="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><s:subject'
            ' xmlns:s="http://purl.org/dc/elements/1.1/"><d:Seq><d:li>a</d:li></d:Seq></s:subject>'
            "</d:Description>",
            ["a"],
        ),
        (
            '<Description xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><dc:subject>'
            "<Bag><li>a</li></Bag></dc:subject></Description>",
            ["a"],
        ),
    ],
)
def test_every_form_of_a_packet(body: str, others: list[str]):
    new = set_keywords(packet(body), "our:", ["our:1", "our:<2>"])
    assert keywords(new) == [*others, "our:1", "our:<2>"]
    assert set_keywords(new, "our:", ["our:<2>", "our:1"]) == new
    assert keywords(set_keywords(new, "our:", [])) == others


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b" ", "no element found"),
        (b"<a", "unclosed token"),
        (DIGIKAM[:-120], "no element found"),
        (b"<html></html>", "no rdf:Description"),
        (DIGIKAM.decode().encode("utf-16"), "invalid start byte"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + packet("<rdf:Description/>"), "a document type"),
        (packet("<rdf:Description><dc:subject>a</dc:subject></rdf:Description>"), "no list"),
    ],
)
def test_a_sidecar_that_cannot_be_understood_is_left_alone(picture, tmp_path, content, reason):
    other = shutil.copy(picture, tmp_path / "other.jpg")
    sidecar = tmp_path / "rocket.jpg.xmp"
    sidecar.write_bytes(content)
    written, left = write_sidecars([photo(picture, face("fear")), photo(other, face("fear"))])
    assert written == [tmp_path / "other.jpg.xmp"]
    assert len(left) == 1
    assert reason in left[0]
    assert "rocket.jpg.xmp was left as it is" in left[0]
    assert sidecar.read_bytes() == content


def test_a_sidecar_that_cannot_be_written(picture, tmp_path):
    (tmp_path / "rocket.jpg.xmp").mkdir()
    written, left = write_sidecars([photo(picture, face("fear"))])
    assert written == []
    assert "rocket.jpg.xmp" in left[0]


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4, unique=True))
def test_others_keywords_survive_any_change(others, ours):
    others = [word for word in others if not word.startswith("our:")]
    ours = ["our:" + word for word in ours]
    start = set_keywords(EMPTY, "", others)
    both = set_keywords(start, "our:", ours)
    assert sorted(keywords(both)) == sorted([*others, *ours])
    assert keywords(set_keywords(both, "our:", [])) == others


@given(st.binary())
def test_no_bytes_do_more_than_be_refused(data):
    with pytest.raises(InputError):
        set_keywords(data, "our:", ["our:1"])


@pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="needs exiftool (Debian: libimage-exiftool-perl)"
)
def test_exiftool_reads_it(picture, tmp_path):
    for content in (None, DIGIKAM):
        sidecar = tmp_path / "rocket.jpg.xmp"
        sidecar.unlink(missing_ok=True)
        if content:
            sidecar.write_bytes(content)
        write_sidecars([photo(picture, face("sadness"))])
        command = ["exiftool", "-json", "-validate", "-warning", "-XMP-dc:Subject", str(sidecar)]
        (read,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        assert "expression:sadness" in read["Subject"]
        assert read.get("Warning") is None
