"""A confusion matrix as a picture: one SVG file that needs nothing else, for light and dark pages.

path.write_text(confusion_svg(pairs, CALL_TYPES, "通话类型"), encoding="utf-8")
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from unicodedata import category, east_asian_width
from xml.etree import ElementTree as ET

from tools.evaluate.confusion import ROOMY, Confusion
from tools.evaluate.report import fail

_FONT = "system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
_STYLE = """
svg { --page: #ffffff; --ink: #1a1d21; --faint: #5b6470; --line: #d5dae1;
      --right: #4a90d9; --wrong: #e8833a; font-family: FONT; }
@media (prefers-color-scheme: dark) {
  svg { --page: #16181c; --ink: #eceff4; --faint: #a4adba; --line: #3a404a;
        --right: #2f6fb5; --wrong: #b5541c; } }
.page { fill: var(--page) } .cell { stroke: var(--line) } .none { fill: none }
.right { fill: var(--right) } .wrong { fill: var(--wrong) }
text { fill: var(--ink); font-size: 14px } .title { font-size: 18px; font-weight: 600 }
.faint { fill: var(--faint); font-size: 12px } .share { font-size: 11px }
""".replace("FONT", _FONT)
_MARGIN = 20.0
_HEAD = 74.0
"""Height of the title and the line below it."""


def confusion_svg(
    pairs: Iterable[tuple[str, str | None]], labels: Sequence[str], title: str
) -> str:
    """The picture, from (right, said) and the labels in the order wanted. Each cell holds how often
    and the share of its row; recall stands at the end of a row, precision below a column."""
    return _Picture(Confusion.of(pairs, labels), title).draw()


def write_picture(path: Path, svg: str) -> None:
    """Write a picture; ends the command with one sentence where that cannot be."""
    try:
        path.write_text(svg, encoding="utf-8")
    except OSError as error:
        fail(f"{path}: cannot be written ({error.strerror})")


class _Picture:
    """A matrix on its way to being drawn."""

    def __init__(self, matrix: Confusion, title: str) -> None:
        self._matrix = matrix
        self._title = title
        self._roomy = len(matrix.said) <= ROOMY
        self._cell = (60.0, 42.0) if self._roomy else (30.0, 26.0)
        names = max(_width(name) for name in (*matrix.right, *matrix.said, "精确率 %"))
        self._left = _MARGIN + names + 12
        self._top = _HEAD + (26.0 if self._roomy else names + 12)

    def draw(self) -> str:
        """The text of the file."""
        matrix, (wide, high) = self._matrix, self._cell
        least = 2 * _MARGIN + max(_width(self._title) * 18 / 14, 460)
        width = max(self._left + wide * len(matrix.said) + 118 + _MARGIN, least)
        height = self._top + high * len(matrix.right) + 40 + _MARGIN
        svg = ET.Element(
            "svg",
            xmlns="http://www.w3.org/2000/svg",
            role="img",
            viewBox=f"0 0 {width:g} {height:g}",
            width=f"{width:g}",
            height=f"{height:g}",
            attrib={"aria-labelledby": "title summary", "lang": "zh-CN"},
        )
        ET.SubElement(svg, "title", id="title").text = f"{self._title}：混淆矩阵"
        ET.SubElement(svg, "desc", id="summary").text = self._summary()
        ET.SubElement(svg, "style").text = _STYLE
        ET.SubElement(svg, "rect", attrib={"class": "page"}, width="100%", height="100%")
        _text(svg, _MARGIN, 34, f"{self._title}：混淆矩阵", "title")
        _text(
            svg, _MARGIN, 56, f"n = {matrix.n}　行：实际　列：系统判断　{self._legend()}", "faint"
        )
        self._names(svg)
        for row, right in enumerate(matrix.right):
            for column, said in enumerate(matrix.said):
                self._draw_cell(svg, (row, column), right, said)
        self._rates(svg)
        # Control characters may stand in no XML, not even escaped.
        drawn = ET.tostring(svg, encoding="unicode")
        return "".join(c for c in drawn if c == "\n" or category(c)[0] != "C") + "\n"

    def _summary(self) -> str:
        """The matrix in words, for who cannot see it."""
        matrix = self._matrix
        rows = (
            f"{right} {matrix.row(right)}："
            + "、".join(f"{s} {n}" for s in matrix.said if (n := matrix.count(right, s)))
            for right in matrix.right
        )
        return f"共 {matrix.n}。实际类别，以及系统判断为何类、各多少：{'；'.join(rows)}。"

    def _legend(self) -> str:
        return "格内：数量与占该行的百分比" if self._roomy else "格内：数量"

    def _names(self, svg: ET.Element) -> None:
        wide, high = self._cell
        for row, name in enumerate(self._matrix.right):
            _text(svg, self._left - 8, self._top + high * (row + 0.5) + 5, name, anchor="end")
        for column, name in enumerate(self._matrix.said):
            x, y = self._left + wide * (column + 0.5), self._top - 8
            if self._roomy:
                _text(svg, x, y, name, anchor="middle")
            else:
                text = _text(svg, x + 5, y, name)
                text.set("transform", f"rotate(-90 {x + 5:g} {y:g})")

    def _draw_cell(self, svg: ET.Element, place: tuple[int, int], right: str, said: str) -> None:
        (wide, high), (row, column) = self._cell, place
        x, y = self._left + wide * column, self._top + high * row
        count, share = self._matrix.count(right, said), 0.0
        kind = "none"
        group = ET.SubElement(svg, "g")
        if count:
            share = count / self._matrix.row(right)
            kind = "right" if right == said else "wrong"
            ET.SubElement(group, "title").text = f"实际{right}，判断{said}：{count}（{share:.0%}）"
        rect = ET.SubElement(
            group, "rect", attrib={"class": f"cell {kind}"}, x=f"{x:g}", y=f"{y:g}"
        )
        rect.set("width", f"{wide:g}")
        rect.set("height", f"{high:g}")
        if not count:
            return
        # Not darker than this, or the numbers would have to change colour.
        rect.set("fill-opacity", f"{0.1 + 0.7 * share:.3f}")
        middle = y + high / 2 + 5
        _text(group, x + wide / 2, middle - (7 if self._roomy else 0), str(count), anchor="middle")
        if self._roomy:
            _text(group, x + wide / 2, middle + 9, f"{share:.0%}", "share", "middle")

    def _rates(self, svg: ET.Element) -> None:
        matrix, (wide, high) = self._matrix, self._cell
        x = self._left + wide * len(matrix.said) + 10
        _text(svg, x, self._top - 8, "召回率（共计）", "faint")
        for row, right in enumerate(matrix.right):
            n = matrix.row(right)
            rate = f"{matrix.count(right, right) / n:.0%}（{n}）"
            _text(svg, x, self._top + high * (row + 0.5) + 5, rate)
        y = self._top + high * len(matrix.right) + 20
        _text(svg, self._left - 8, y, "精确率 %", "faint", "end")
        for column, said in enumerate(matrix.said):
            n = matrix.column(said)
            if n and said in matrix.right:
                rate = f"{100 * matrix.count(said, said) / n:.0f}"
                _text(svg, self._left + wide * (column + 0.5), y, rate, "faint", "middle")


def _text(
    parent: ET.Element, x: float, y: float, words: str, kind: str = "", anchor: str = "start"
) -> ET.Element:
    place = {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor}
    text = ET.SubElement(parent, "text", place | ({"class": kind} if kind else {}))
    text.text = words
    return text


def _width(words: str) -> float:
    """About how wide a text of 14 px is."""
    return sum(14.0 if east_asian_width(c) in "WF" else 8.0 for c in words)
