"""One small file of each format that a test can write by hand. What does not belong here: files that test one property."""

import io
from collections.abc import Mapping
from email.message import EmailMessage

import openpyxl

from tests.support.compound_files import compound_file, properties, wide
from tests.support.zip_files import TYPES, relations, zipped

_PRESENTATION = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    f'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="{TYPES}"'
)


def _mail() -> bytes:
    message = EmailMessage()
    message["Subject"] = "Größe der Flut"
    message["From"] = "Jörg <joerg@example.org>"
    message.set_content("Die Flut kommt.")
    message.add_attachment(b"Tor,cm\nOben,4\n", maintype="text", subtype="csv", filename="Pegel.csv")
    message.set_boundary("boundary")
    return message.as_bytes()


def _workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Tor", "cm"], ["Größe", 4], ["Unten", 5]):
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _book() -> bytes:
    return zipped(
        {
            "META-INF/container.xml": '<container><rootfile full-path="b.opf"/></container>',
            "b.opf": '<package><metadata><title>Flut</title></metadata><manifest><item id="a" href="a.xhtml" '
            'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>',
            "a.xhtml": "<html><body><h1>Größe</h1><p>Die Flut kommt.</p></body></html>",
        }
    )


def _open_document() -> bytes:
    text = "<h>Größe</h><p>Die Flut kommt.</p><list><list-item><p>Tor</p></list-item></list>"
    return zipped({"content.xml": f"<document><body><text>{text}</text></body></document>"})


def _open_spreadsheet() -> bytes:
    rows = "".join(
        f"<table-row><table-cell><p>{a}</p></table-cell><table-cell><p>{b}</p></table-cell></table-row>"
        for a, b in (("Tor", "cm"), ("Größe", "4"))
    )
    return zipped(
        {"content.xml": f"<document><body><spreadsheet><table>{rows}</table></spreadsheet></body></document>"}
    )


def _open_presentation() -> bytes:
    page = "<page><frame><text-box><p>Größe der Flut</p></text-box></frame></page>"
    return zipped({"content.xml": f"<document><body><presentation>{page}</presentation></body></document>"})


def _presentation() -> bytes:
    shape = "<p:sp><p:txBody><a:p><a:r><a:t>Größe der Flut</a:t></a:r></a:p></p:txBody></p:sp>"
    return zipped(
        {
            "_rels/.rels": relations({"r": ("officeDocument", "p.xml")}),
            "p.xml": f'<p:presentation {_PRESENTATION}><p:sldIdLst><p:sldId r:id="s"/></p:sldIdLst></p:presentation>',
            "_rels/p.xml.rels": relations({"s": ("slide", "s.xml")}),
            "s.xml": f"<p:sld {_PRESENTATION}><p:cSld><p:spTree>{shape}</p:spTree></p:cSld></p:sld>",
        }
    )


SAMPLES: Mapping[str, bytes] = {
    "archive": zipped({"tor/a.md": "# Größe\n\nDie Flut kommt.", "tor/b.csv": "Tor,cm\nOben,4\n", "c.bin": b"\0\1"}),
    "mail": _mail(),
    "msg": compound_file(
        {"__properties_version1.0": properties({}, 32), **wide({"0037": "Größe", "1000": "Die Flut."})}
    ),
    "csv": 'Tor,cm\nGröße,4\n"a, b",5\n'.encode(),
    "json": '[{"Tor": "Größe", "cm": [4, 5], "at": {"x": null}}]'.encode(),
    "notebook": '{"cells": [{"cell_type": "markdown", "source": ["# Größe"]}, {"cell_type": "code", "source": "x", '
    '"outputs": [{"output_type": "stream", "text": "4"}]}]}'.encode(),
    "subtitles": "1\n00:00:01,000 --> 00:00:02,000\nDie <i>Größe</i> der Flut.\n".encode(),
    "rtf": rb"{\rtf1\ansi{\fonttbl{\f0 A;}}{\info{\title Flut}}\pard Gr\'f6\u223?e\par\trowd\intbl a\cell b\cell\row}",
    "xlsx": _workbook(),
    "epub": _book(),
    "odt": _open_document(),
    "latex": b'\\title{Gr\\"o\\ss e}\\begin{document}\\section{Flut}Die Flut $a_1$ \\emph{kommt}.\n'
    b"\\begin{tabular}{ll}Tor & cm\\\\ "
    b"Oben & 4\\\\\\end{tabular}\\begin{itemize}\\item Tor\\end{itemize}\\end{document}",
    "asciidoc": "= Größe\nAnn\n\n== Flut\nDie *Flut* https://a.b[kommt].\n\n* Tor\n** cm\n\n|===\n"
    "|Tor |cm\n|Oben |4\n|===\n".encode(),
    "org": "#+TITLE: Größe\n* Flut :a:\nDie *Flut* [[a][kommt]].\n- Tor\n  - cm\n"
    "| Tor | cm |\n|---+---|\n| Oben | 4 |\n".encode(),
    "ods": _open_spreadsheet(),
    "odp": _open_presentation(),
    "mhtml": b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html; charset=utf-8\n"
    b"Content-Transfer-Encoding: quoted-printable\n\n<p>Gr=C3=B6=C3=9Fe der Flut</p>\n--b--\n",
    "pptx": _presentation(),
}
"""By format."""
