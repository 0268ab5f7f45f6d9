"""XML without what can hurt: no document types, so no entities that grow or reach outside, and only encodings that are letters."""

import codecs
import re
from pathlib import Path
from xml.etree import ElementTree

from .gate import one_line

_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.-]{1,40})["'][^>]{0,200}\?>""")
_LETTERS = re.compile(
    r"utf.?(8|16|32)|iso.?8859|latin|ascii|cp\d|windows|gb|big5|euc|shift|koi8|mac|tis|johab|hz|kz|ptcp|viscii"
)


class _Builder(ElementTree.TreeBuilder):
    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise _DocumentType(name)


class _DocumentType(Exception):
    pass


def parse_xml(file: Path, raw: bytes) -> tuple[ElementTree.Element, bool]:
    """(the root, whether the letters are sure). Encodings that expat does not know are decoded here, and a file that is not what it
    says is read byte by byte, which is of use where the names of its classes are plain. ValueError, naming the file, for what is no
    XML and for a document type."""
    plain = raw.removeprefix(codecs.BOM_UTF8)
    declared = _DECLARED.match(plain)
    try:
        try:
            return _root(raw), True
        except (ElementTree.ParseError, ValueError, LookupError) as error:
            content, sure = plain[declared.end() if declared else 0 :], True
            try:
                if declared is None:
                    content.decode()  # what is UTF-8 is no better as Latin-1
                    raise error
                text = content.decode(_letters(declared[1].decode("ascii")))
            except (UnicodeError, LookupError):
                text, sure = content.decode("latin-1"), False
            return _root(text), sure
    except _DocumentType as found:
        raise ValueError(
            f"{file}: it has a document type (<!DOCTYPE {str(found)[:40]}>), through which XML can fetch and grow; delete that part."
        ) from None
    except (ElementTree.ParseError, ValueError) as error:
        raise ValueError(f"{file}: this is not XML ({one_line(error)}); write it again.") from None


def _root(content: bytes | str) -> ElementTree.Element:
    parser = ElementTree.XMLParser(target=_Builder())
    parser.feed(content)
    return parser.close()


def _letters(encoding: str) -> str:
    """LookupError for a codec of Python's that is no way to write letters (rot13, punycode, unicode_escape, ...)."""
    name = codecs.lookup(encoding).name
    if not _LETTERS.match(name):
        raise LookupError(encoding)
    return name
