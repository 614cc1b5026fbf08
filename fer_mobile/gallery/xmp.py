"""Keywords of an XMP packet: `dc:subject` read and changed, every other byte left as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape

from fer_mobile.errors import InputError

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC: Final = "http://purl.org/dc/elements/1.1/"
_TAG: Final = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")

EMPTY: Final = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="{_RDF}">
  <rdf:Description rdf:about=""/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
""".encode()
"""A packet that says nothing."""


def set_keywords(xmp: bytes, prefix: str, keywords: Iterable[str]) -> bytes:
    """The packet with `keywords` in place of all its keywords that start with `prefix`.

    It is the same bytes where they are there already.  Raises InputError when `xmp` is no XMP
    packet in UTF-8.
    """
    wanted = list(keywords)
    subject, bag, description = _find(_elements(xmp))
    items = bag.children if bag else []
    ours = [item for item in items if item.text.startswith(prefix)]
    if sorted(item.text for item in ours) == sorted(wanted):
        return xmp
    if bag is None:
        if subject is not None:
            raise _no_xmp("a dc:subject that is no list")
        return _inside(xmp, description, _new_subject(wanted))
    name = bag.name(xmp).rpartition(b":")[0]
    li = name + b":li" if name else b"li"
    # From the back, so that the places before stay where they are.
    xmp = _inside(xmp, bag, _items(li, wanted))
    for item in reversed(ours):
        start = len(xmp[: item.start].rstrip())
        xmp = xmp[:start] + xmp[item.end :]
    return xmp


@dataclass(slots=True)
class _Element:
    """Where an element lies in the packet's bytes."""

    uri: str
    start: int
    start_tag_end: int
    end_tag: int = 0
    """Where the end tag starts; of `<a/>` the same as `start`."""
    end: int = 0
    text: str = ""
    children: list[_Element] = field(default_factory=list)

    def name(self, xmp: bytes) -> bytes:
        """The name as it is written, with its prefix."""
        return re.split(rb"[\s/>]", xmp[self.start + 1 : self.start_tag_end], maxsplit=1)[0]


def _elements(xmp: bytes) -> list[_Element]:
    """The packet's elements in the order in which they start."""
    parser = expat.ParserCreate(namespace_separator="")
    found: list[_Element] = []
    open_: list[_Element] = []

    def start(uri: str, attributes: object) -> None:
        at = parser.CurrentByteIndex
        tag = _TAG.match(xmp, at)
        element = _Element(uri, at, tag.end() if tag else at)
        if open_:
            open_[-1].children.append(element)
        open_.append(element)
        found.append(element)

    def end(uri: str) -> None:
        element = open_.pop()
        if xmp[: element.start_tag_end].endswith(b"/>"):
            element.end_tag, element.end = element.start, element.start_tag_end
        else:
            element.end_tag = parser.CurrentByteIndex
            element.end = xmp.index(b">", element.end_tag) + 1

    def text(data: str) -> None:
        open_[-1].text += data

    def doctype(*_: object) -> None:
        raise _no_xmp("a document type")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        xmp.decode("utf-8")
        parser.Parse(xmp, True)
    except (expat.ExpatError, UnicodeDecodeError) as error:
        raise _no_xmp(str(error)) from error
    return found


def _find(elements: list[_Element]) -> tuple[_Element | None, _Element | None, _Element]:
    """The dc:subject, its list of keywords, and the first description."""
    descriptions = [
        description
        for rdf in elements
        if rdf.uri == _RDF + "RDF"
        for description in rdf.children
        if description.uri == _RDF + "Description"
    ]
    if not descriptions:
        raise _no_xmp("no rdf:Description")
    for description in descriptions:
        for subject in description.children:
            if subject.uri == _DC + "subject":
                bags = (_RDF + "Bag", _RDF + "Seq", _RDF + "Alt")
                bag = next((child for child in subject.children if child.uri in bags), None)
                return subject, bag, description
    return None, None, descriptions[0]


def _inside(xmp: bytes, element: _Element, content: bytes) -> bytes:
    """The packet with `content` as the last thing in an element."""
    if element.end_tag != element.start:
        at = len(xmp[: element.end_tag].rstrip())
        return xmp[:at] + content + xmp[at:]
    name = element.name(xmp)
    opened = xmp[: element.end - 2] + b">"
    return opened + content + b"</" + name + b">" + xmp[element.end :]


def _items(li: bytes, keywords: Iterable[str]) -> bytes:
    return b"".join(b"\n<%b>%b</%b>" % (li, escape(word).encode(), li) for word in keywords)


def _new_subject(keywords: Iterable[str]) -> bytes:
    head = f'<dc:subject xmlns:dc="{_DC}"><rdf:Bag xmlns:rdf="{_RDF}">'.encode()
    return b"\n" + head + _items(b"rdf:li", keywords) + b"\n</rdf:Bag></dc:subject>\n"


def _no_xmp(found: str) -> InputError:
    return InputError("XMP", expected="an XMP packet in UTF-8", found=found)
