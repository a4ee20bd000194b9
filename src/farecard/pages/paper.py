"""What is printed: documents as PDF, made of a few kinds of parts. Sizes are millimetres."""

import asyncio
import io
import re
from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
    TableStyle,
)

from farecard.pages.requests import File

FONT = "HeiseiKakuGo-W5"  # every viewer has a Gothic for this name; none is carried along
ROLL = 85.0  # the paper of a ticket machine: as wide as a ticket, as long as it needs to be
_JAPANESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
_INK = HexColor("#1b1c1d")
_LINE = HexColor("#8a8d91")
registerFont(UnicodeCIDFont(FONT))


class Heading(NamedTuple):
    """What a document, or a part of it, is."""

    text: str


class Words(NamedTuple):
    """A paragraph. ``size`` in points, 0: as usual."""

    text: str
    size: float = 0


class Sum(NamedTuple):
    """An arithmetic: (name, amount as written) one under the other, and what it comes to."""

    rows: Sequence[tuple[str, str]]
    total: tuple[str, str] | None = None


class Table(NamedTuple):
    """A table; ``right``: the columns of figures, ``widths``: how wide each is beside the others."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int] = ()
    widths: Sequence[float] = ()


class Code(NamedTuple):
    """A QR code, with its text under it for a hand to type. ``side`` in millimetres."""

    text: str
    side: float = 32


Part = Heading | Words | Sum | Table | Code


async def printed(name: str, title: str, parts: Sequence[Part], *, roll: bool = False) -> File:
    """The same, made beside the event loop: a long table takes a while, and nobody else shall wait for it."""
    return await asyncio.to_thread(pdf, name, title, parts, roll=roll)


def pdf(name: str, title: str, parts: Sequence[Part], *, roll: bool = False) -> File:
    """A document as a file to look at and print: on A4, or on the paper of a ticket machine."""
    width, margin, size = (ROLL * mm, 5 * mm, 8.0) if roll else (A4[0], 20 * mm, 10.5)
    inner = width - 2 * margin
    made = [flowable for part in parts for flowable in _made(part, inner, size)]
    height = A4[1]
    if roll:
        height = 2 * margin + sum(_height(one, inner) for one in made) + 2 * mm
    out = io.BytesIO()
    document = BaseDocTemplate(
        out, pagesize=(width, height), title=title, author="farecard", invariant=1
    )
    frame = Frame(margin, margin, inner, height - 2 * margin, 0, 0, 0, 0)  # no padding within
    document.addPageTemplates(PageTemplate(frames=[frame]))
    document.build(made)
    return File(out.getvalue(), "application/pdf", f"{name}.pdf", inline=True)


def _height(flowable: Flowable, width: float) -> float:
    before, after = flowable.getSpaceBefore(), flowable.getSpaceAfter()
    return float(flowable.wrap(width, 100_000)[1] + before + after)


def _said(text: str, size: float, *, right: bool = False) -> Flowable:
    """A text as a paragraph. Japanese breaks anywhere, all else between words."""
    style = ParagraphStyle(
        "farecard", fontName=FONT, fontSize=size, leading=size * 1.5, textColor=_INK,
        alignment=2 if right else 0, wordWrap="CJK" if _JAPANESE.search(text) else None,
    )  # fmt: skip
    # the standard faces of this kind draw a backslash for the half-width sign
    return Paragraph(escape(text.replace("¥", "￥")), style)


def _made(part: Part, width: float, size: float) -> list[Flowable]:
    """A part as the library lays it out."""
    if isinstance(part, Heading):
        return [_said(part.text, size * 1.5), Spacer(1, size / 2)]
    if isinstance(part, Words):
        return [_said(part.text, part.size or size), Spacer(1, size / 3)]
    if isinstance(part, Code):
        side = part.side * mm
        widget = QrCodeWidget(part.text, barLevel="M")
        x0, y0, x1, y1 = widget.getBounds()
        drawing = Drawing(side, side, transform=[side / (x1 - x0), 0, 0, side / (y1 - y0), 0, 0])
        drawing.add(widget)
        drawing.hAlign = "LEFT"
        return [drawing, _said(part.text, size), Spacer(1, size / 2)]
    return [_table(part, width, size), Spacer(1, size)]


def _table(part: Sum | Table, width: float, size: float) -> Flowable:
    if isinstance(part, Sum):
        rows = [*part.rows, *([part.total] if part.total else [])]
        lines = [[_said(name, size), _said(amount, size, right=True)] for name, amount in rows]
        made = LongTable(lines, colWidths=[width * 0.6, width * 0.4])
        last = [("LINEABOVE", (0, -1), (-1, -1), 1, _INK)] if part.total else []
        made.setStyle(TableStyle([*_GRID, *last]))
        return made
    widths = part.widths or [1.0] * len(part.head)
    columns = [width * one / sum(widths) for one in widths]
    lines = [
        [_cell(text, size, columns[n], right=n in part.right) for n, text in enumerate(row)]
        for row in [part.head, *part.rows]
    ]
    made = LongTable(lines, colWidths=columns, repeatRows=1)
    plain = [
        ("FONT", (0, 0), (-1, -1), FONT, size, size * 1.5),
        ("TEXTCOLOR", (0, 0), (-1, -1), _INK),
    ]
    plain += [("ALIGN", (n, 0), (n, -1), "RIGHT") for n in part.right]
    made.setStyle(TableStyle([*_GRID, *plain, ("LINEBELOW", (0, 0), (-1, 0), 1, _INK)]))
    return made


def _cell(text: str, size: float, width: float, *, right: bool) -> Flowable | str:
    """A text in a table: as it is where it fits in a line, which is most of the work saved; else broken."""
    shown = text.replace("¥", "￥")
    if stringWidth(shown, FONT, size) <= width - 2:
        return shown
    return _said(text, size, right=right)


_GRID = [
    ("LINEBELOW", (0, 0), (-1, -1), 0.3, _LINE),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 1),
    ("RIGHTPADDING", (0, 0), (-1, -1), 1),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
]
