"""Keywords of an XMP packet: read and changed, every other byte left as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape

from fer_mobile.errors import InputError

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC: Final = "http://purl.org/dc/elements/1.1/"
_META: Final = "adobe:ns:meta/"
_TOOLKIT: Final = "fer-mobile"
_TAG: Final = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")

EMPTY: Final = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="{_META}" x:xmptk="{_TOOLKIT}">
 <rdf:RDF xmlns:rdf="{_RDF}">
  <rdf:Description rdf:about=""/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
""".encode()
"""A packet that says nothing."""


class Field(NamedTuple):
    """A property that holds keywords as a list."""

    uri: str
    prefix: str
    name: str
    kind: str
    """The kind of list that it is written as: Bag or Seq."""
    separator: str
    """What stands between a category and a word in it."""


SUBJECT: Final = Field(_DC, "dc", "subject", "Bag", ":")
FIELDS: Final = (
    SUBJECT,
    Field("http://www.digikam.org/ns/1.0/", "digiKam", "TagsList", "Seq", "/"),
    Field("http://ns.adobe.com/lightroom/1.0/", "lr", "hierarchicalSubject", "Bag", "|"),
)
"""Where photo managers look for keywords: all of them, digiKam and Immich, Lightroom."""


def set_keywords(xmp: bytes, prefix: str, keywords: Iterable[str], field: Field = SUBJECT) -> bytes:
    """The packet with `keywords` in place of all those of a field that start with `prefix`.

    It is the same bytes where they are there already; a list that this empties is taken out.
    Raises InputError when `xmp` is no XMP packet in UTF-8.
    """
    wanted = list(keywords)
    element, bag, description = _find(_elements(xmp), field)
    items = bag.children if bag else []
    ours = [item for item in items if item.text.startswith(prefix)]
    if sorted(item.text for item in ours) == sorted(wanted):
        return xmp
    if element is None:
        return _inside(xmp, description, _new_list(field, wanted))
    if bag is None:
        raise _no_xmp(f"a {field.prefix}:{field.name} that is no list")
    if len(ours) == len(items) and not wanted:
        return _without(xmp, element)
    name = bag.name(xmp).rpartition(b":")[0]
    li = name + b":li" if name else b"li"
    # From the back, so that the places before stay where they are.
    xmp = _inside(xmp, bag, _items(li, wanted))
    for item in reversed(ours):
        xmp = _without(xmp, item)
    return xmp


def is_ours_and_empty(xmp: bytes) -> bool:
    """Whether the packet was made from `EMPTY` and holds no property now."""
    elements = _elements(xmp)
    return any(
        element.uri == _META + "xmpmeta" and element.attributes.get(_META + "xmptk") == _TOOLKIT
        for element in elements
    ) and not any(
        each.children or set(each.attributes) - {_RDF + "about"} for each in _descriptions(elements)
    )


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
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[_Element] = field(default_factory=list)

    def name(self, xmp: bytes) -> bytes:
        """The name as it is written, with its prefix."""
        return re.split(rb"[\s/>]", xmp[self.start + 1 : self.start_tag_end], maxsplit=1)[0]


def _elements(xmp: bytes) -> list[_Element]:
    """The packet's elements in the order in which they start."""
    parser = expat.ParserCreate(namespace_separator="")
    elements: list[_Element] = []
    open_: list[_Element] = []

    def start(uri: str, attributes: dict[str, str]) -> None:
        at = parser.CurrentByteIndex
        tag = _TAG.match(xmp, at)
        element = _Element(uri, at, tag.end() if tag else at, attributes=attributes)
        if open_:
            open_[-1].children.append(element)
        open_.append(element)
        elements.append(element)

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
    return elements


def _descriptions(elements: list[_Element]) -> list[_Element]:
    return [
        description
        for rdf in elements
        if rdf.uri == _RDF + "RDF"
        for description in rdf.children
        if description.uri == _RDF + "Description"
    ]


def _find(
    elements: list[_Element], field: Field
) -> tuple[_Element | None, _Element | None, _Element]:
    """The field's element, its list of keywords, and a description to put a new one into."""
    descriptions = _descriptions(elements)
    if not descriptions:
        raise _no_xmp("no rdf:Description")
    uri = field.uri + field.name
    for description in descriptions:
        if uri in description.attributes:
            raise _no_xmp(f"a {field.prefix}:{field.name} that is no list")
        for element in description.children:
            if element.uri == uri:
                bags = (_RDF + "Bag", _RDF + "Seq", _RDF + "Alt")
                bag = next((child for child in element.children if child.uri in bags), None)
                return element, bag, description
    return None, None, next((each for each in descriptions if each.children), descriptions[0])


def _without(xmp: bytes, element: _Element) -> bytes:
    """The packet without an element and the blanks before it."""
    return xmp[: len(xmp[: element.start].rstrip())] + xmp[element.end :]


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


def _new_list(field: Field, keywords: Iterable[str]) -> bytes:
    name, kind = f"{field.prefix}:{field.name}", f"rdf:{field.kind}"
    head = f'<{name} xmlns:{field.prefix}="{field.uri}"><{kind} xmlns:rdf="{_RDF}">'.encode()
    return b"\n" + head + _items(b"rdf:li", keywords) + f"\n</{kind}></{name}>".encode()


def _no_xmp(found: str) -> InputError:
    return InputError("XMP", expected="an XMP packet in UTF-8", found=found)
