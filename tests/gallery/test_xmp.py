from __future__ import annotations

import json
import shutil
import subprocess
from errno import ENOSPC
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_mobile.errors import InputError
from fer_mobile.gallery.filter import Filter
from fer_mobile.gallery.sinks.xmp import XmpSink, remove_keywords, sidecar_path
from fer_mobile.gallery.sinks.xmp_packet import EMPTY, FIELDS, set_keywords
from fer_mobile.resources import photos_dir
from tests.gallery.samples import face, failed, photo, write

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


def keywords(xmp: bytes, tag: str = SUBJECT) -> list[str]:
    """What any reader of XML finds, which knows nothing of ours."""
    root = ElementTree.fromstring(xmp)
    return [item.text or "" for item in root.iterfind(f".//{tag}//{RDF}li")]


TAGS = tuple(f"{{{field.uri}}}{field.name}" for field in FIELDS)


def write_sidecars(results, *, every_face: bool = False, **query):
    """Sidecars that are right now, and why others were left as they were."""
    sink = write(XmpSink("unused"), results, query=Filter(every_face=every_face, **query))
    return sink.written, sink.unwritten


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
    assert [keywords(written[0].read_bytes(), tag) for tag in TAGS] == [
        ["expression:happiness"], ["expression/happiness"], ["expression|happiness"],
    ]  # fmt: skip
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
    # Every byte of theirs is there, in its order: of ours, lines were put in, and one taken out.
    lines = new.splitlines()
    assert [line for line in DIGIKAM.splitlines() if line not in lines] == [
        b"     <rdf:li>expression:anger</rdf:li>"
    ]

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
    assert sidecar.read_bytes() == DIGIKAM.replace(b"\n     <rdf:li>expression:anger</rdf:li>", b"")


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


def test_a_full_disk_is_said_once(tmp_path, monkeypatch):
    def no_space(path, data):
        raise InputError(path, expected="space", found="none") from OSError(ENOSPC, "No space left")

    monkeypatch.setattr("fer_mobile.gallery.sinks.xmp.write_bytes", no_space)
    with pytest.raises(
        InputError,
        match=r"a\.jpg\.xmp: expected a place that can be written to, found No space left",
    ):
        write_sidecars([photo(tmp_path / name, face("fear")) for name in ("a.jpg", "b.jpg")])


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


def test_a_photo_that_no_longer_matches_loses_its_keyword(picture):
    happy = photo(picture, face("happiness", 0.6))
    ((sidecar,), _) = write_sidecars([happy])
    for query in ({"show": ("sadness",)}, {"min_confidence": 0.9}):
        assert write_sidecars([happy]) == ([sidecar], [])
        assert write_sidecars([happy], **query) == ([], [])
        assert not sidecar.exists()  # we made it, and it said nothing else
    sidecar.write_bytes(DIGIKAM)
    write_sidecars([failed(picture)])
    assert sidecar.read_bytes() == DIGIKAM  # nothing is known of it now


def test_all_of_ours_can_be_taken_out(tmp_path):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        shutil.copy(photos_dir() / "rocket.jpg", tmp_path / name)
    theirs = DIGIKAM.replace(b"\n     <rdf:li>expression:anger</rdf:li>", b"")
    (tmp_path / "b.jpg.xmp").write_bytes(theirs)
    (tmp_path / "c.jpg.xmp").write_bytes(b"no XMP")
    before = (tmp_path / "c.jpg.xmp").stat().st_mtime_ns
    write_sidecars([photo(tmp_path / name, face("fear")) for name in ("a.jpg", "b.jpg")])
    assert len(keywords((tmp_path / "b.jpg.xmp").read_bytes())) == 3
    changed, notes = remove_keywords(tmp_path)
    assert changed == [tmp_path / "a.jpg.xmp", tmp_path / "b.jpg.xmp"]
    assert len(notes) == 1
    assert not (tmp_path / "a.jpg.xmp").exists()
    assert (tmp_path / "b.jpg.xmp").read_bytes() == theirs
    assert (tmp_path / "c.jpg.xmp").stat().st_mtime_ns == before
    assert remove_keywords(tmp_path)[0] == []


def test_a_sidecar_keeps_its_rights_its_link_and_its_other_names(tmp_path):
    (tmp_path / "store").mkdir()
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(photos_dir() / "rocket.jpg", tmp_path / name)
        (tmp_path / "store" / f"{name}.xmp").write_bytes(DIGIKAM)
    (tmp_path / "a.jpg.xmp").symlink_to("store/a.jpg.xmp")
    (tmp_path / "b.jpg.xmp").hardlink_to(tmp_path / "store" / "b.jpg.xmp")
    for sidecar in (tmp_path / "store").iterdir():
        sidecar.chmod(0o664)
    write_sidecars([photo(tmp_path / name, face("fear")) for name in ("a.jpg", "b.jpg")])
    assert (tmp_path / "a.jpg.xmp").is_symlink()
    assert (tmp_path / "b.jpg.xmp").samefile(tmp_path / "store" / "b.jpg.xmp")
    for sidecar in (tmp_path / "store").iterdir():
        assert sidecar.stat().st_mode & 0o777 == 0o664
        assert "expression:fear" in keywords(sidecar.read_bytes())


def test_a_sidecar_of_lightroom_is_joined_if_it_is_this_photos_alone(tmp_path):
    for name in ("a.jpg", "b.jpg", "b.cr2", "c.jpg", "c.png"):
        (tmp_path / name).touch()
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.xmp").touch()
    assert sidecar_path(tmp_path / "a.jpg") == tmp_path / "a.xmp"
    for name in ("b.jpg", "c.jpg", "c.png", "d.jpg"):
        assert sidecar_path(tmp_path / name) == tmp_path / f"{name}.xmp"
    (tmp_path / "a.jpg.xmp").touch()
    assert sidecar_path(tmp_path / "a.jpg") == tmp_path / "a.jpg.xmp"


def test_a_field_that_is_no_list_is_left_alone(picture, tmp_path):
    content = packet(
        '<rdf:Description xmlns:lr="http://ns.adobe.com/lightroom/1.0/"'
        ' lr:hierarchicalSubject="a"/>'
    )
    (tmp_path / "rocket.jpg.xmp").write_bytes(content)
    written, notes = write_sidecars([photo(picture, face("fear"))])
    assert written == []
    assert "a lr:hierarchicalSubject that is no list" in notes[0]
    assert (tmp_path / "rocket.jpg.xmp").read_bytes() == content


def test_exiftool_reads_it(exiftool, picture, tmp_path):
    for content in (None, DIGIKAM):
        sidecar = tmp_path / "rocket.jpg.xmp"
        sidecar.unlink(missing_ok=True)
        if content:
            sidecar.write_bytes(content)
        write_sidecars([photo(picture, face("sadness"))])
        fields = ["-XMP-dc:Subject", "-XMP-digiKam:TagsList", "-XMP-lr:HierarchicalSubject"]
        command = [exiftool, "-json", "-struct", "-validate", "-warning", *fields, str(sidecar)]
        (read,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        assert "expression:sadness" in read["Subject"]
        assert read["TagsList"] == ["expression/sadness"]
        assert read["HierarchicalSubject"] == ["expression|sadness"]
        assert read.get("Warning") is None


def test_keywords_beside_those_that_exiftool_writes(exiftool, picture, tmp_path):
    sidecar = tmp_path / "rocket.jpg.xmp"
    command = [
        exiftool, "-q", "-o", sidecar, "-XMP-dc:Subject=sea", "-XMP-digiKam:TagsList=Places/Sea",
        "-XMP-lr:HierarchicalSubject=Places|Sea", picture,
    ]  # fmt: skip
    subprocess.run(command, check=True)
    before = sidecar.read_bytes()
    write_sidecars([photo(picture, face("fear"))])
    assert [keywords(sidecar.read_bytes(), tag) for tag in TAGS] == [
        ["sea", "expression:fear"], ["Places/Sea", "expression/fear"],
        ["Places|Sea", "expression|fear"],
    ]  # fmt: skip
    remove_keywords(tmp_path)
    assert sidecar.read_bytes() == before
