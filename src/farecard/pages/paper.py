"""What is printed: documents as PDF, made of a few kinds of parts. Sizes are millimetres."""

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from farecard.pages.requests import File

FONT = "HeiseiKakuGo-W5"  # every viewer has a Gothic for this name; none is carried along
ROLL = 85.0  # the paper of a ticket machine: as wide as a ticket, as long as it needs to be
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
    """A table; ``right``: the columns of figures."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int] = ()


class Code(NamedTuple):
    """A QR code, with its text under it for a hand to type. ``side`` in millimetres."""

    text: str
    side: float = 32


Part = Heading | Words | Sum | Table | Code


def pdf(name: str, title: str, parts: Sequence[Part], *, roll: bool = False) -> File:
    """A document as a file to look at and print: on A4, or on the paper of a ticket machine."""
    width, margin, size = (ROLL * mm, 5 * mm, 8.0) if roll else (A4[0], 20 * mm, 10.5)
    inner = width - 2 * margin
    made = [flowable for part in parts for flowable in _made(part, inner, size)]
    height = A4[1]
    if roll:
        height = 2 * margin + sum(_height(one, inner) for one in made) + 2 * mm
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=(width, height), leftMargin=margin, rightMargin=margin, topMargin=margin,
        bottomMargin=margin, title=title, author="farecard", invariant=1,
    )  # fmt: skip
    for frame in ("leftPadding", "rightPadding", "topPadding", "bottomPadding"):
        setattr(document, frame, 0)
    document.build(made)
    return File(out.getvalue(), "application/pdf", f"{name}.pdf", inline=True)


def _height(flowable: Flowable, width: float) -> float:
    before, after = flowable.getSpaceBefore(), flowable.getSpaceAfter()
    return float(flowable.wrap(width, 100_000)[1] + before + after)


def _style(size: float, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(
        f"s{size}", fontName=FONT, fontSize=size, leading=size * 1.5, textColor=_INK, wordWrap="CJK", **more
    )  # fmt: skip


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _made(part: Part, width: float, size: float) -> list[Flowable]:
    """A part as the library lays it out."""
    if isinstance(part, Heading):
        return [Paragraph(_escaped(part.text), _style(size * 1.5)), Spacer(1, size / 2)]
    if isinstance(part, Words):
        return [Paragraph(_escaped(part.text), _style(part.size or size)), Spacer(1, size / 3)]
    if isinstance(part, Code):
        side = part.side * mm
        widget = QrCodeWidget(part.text, barLevel="M")
        x0, y0, x1, y1 = widget.getBounds()
        drawing = Drawing(side, side, transform=[side / (x1 - x0), 0, 0, side / (y1 - y0), 0, 0])
        drawing.add(widget)
        drawing.hAlign = "LEFT"
        return [drawing, Paragraph(_escaped(part.text), _style(size)), Spacer(1, size / 2)]
    return [_table(part, width, size), Spacer(1, size)]


def _table(part: Sum | Table, width: float, size: float) -> Flowable:
    cell = _style(size)
    right = _style(size, alignment=2)
    if isinstance(part, Sum):
        rows = [*part.rows, *([part.total] if part.total else [])]
        lines = [[Paragraph(_escaped(a), cell), Paragraph(_escaped(b), right)] for a, b in rows]
        made = LongTable(lines, colWidths=[width * 0.6, width * 0.4])
        last = [("LINEABOVE", (0, -1), (-1, -1), 1, _INK)] if part.total else []
        made.setStyle(TableStyle([*_GRID, *last]))
        return made
    lines = [
        [Paragraph(_escaped(text), right if n in part.right else cell) for n, text in enumerate(row)]
        for row in [part.head, *part.rows]
    ]  # fmt: skip
    made = LongTable(lines, colWidths=[width / len(part.head)] * len(part.head), repeatRows=1)
    made.setStyle(TableStyle([*_GRID, ("LINEBELOW", (0, 0), (-1, 0), 1, _INK)]))
    return made


_GRID = [
    ("LINEBELOW", (0, 0), (-1, -1), 0.3, _LINE),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 1),
    ("RIGHTPADDING", (0, 0), (-1, -1), 1),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
]
