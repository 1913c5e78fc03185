"""Tables as text for other programs: read back, they are the tables; nothing in them is an order to a program."""

from __future__ import annotations

import csv
import io
import re

import pytest
from report_pages import HOSTILE

from vsenumba.printable import not_a_formula, printable
from vsenumba.reports.copies import copies_of
from vsenumba.reports.table import Column, Table

TABLE = Table(
    "t",
    "A table",
    [Column("a & b_c"), Column("n", 0), Column("x", 3)],
    [[name, 1000 * i, i / 3 if i % 4 else None] for i, name in enumerate(HOSTILE)],
)


def whole(key):
    copy = copies_of(TABLE)[key]
    return "\n".join([copy["before"], *copy["rows"], *([copy["after"]] if copy["after"] else [])]) + "\n"


def test_csv_is_read_back():
    rows = list(csv.reader(io.StringIO(whole("csv"))))
    assert rows[0] == ["a & b_c", "n", "x"]
    assert [row[0] for row in rows[1:]] == [not_a_formula(printable(name)) for name in HOSTILE]
    for row, (_, n, x) in zip(rows[1:], TABLE.rows, strict=True):
        assert int(row[1]) == n
        assert row[2] == "" if x is None else float(row[2]) == pytest.approx(x, rel=1e-8)


def test_no_cell_of_csv_is_a_formula():
    rows = list(csv.reader(io.StringIO(whole("csv"))))
    assert not [row for row in rows if row[0].startswith(("=", "+", "-", "@"))]
    assert {"'=1+1", "'+cmd", "'-2", "'@sum"} <= {row[0] for row in rows}


def test_latex_has_no_character_with_a_meaning_but_its_own():
    lines = whole("latex").splitlines()
    rows = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert len(rows) == len(HOSTILE)
    for row in [lines[3], *rows]:
        assert row.endswith(r" \\")
        plain = row.removesuffix(r" \\")
        for command in ("textbackslash", "textasciicircum", "textasciitilde", "textless", "textgreater", "textbar"):
            plain = plain.replace(rf"\{command}{{}}", "")
        plain = plain.replace(r"\textquotedbl{}", "").replace("{[}", "").replace("{]}", "").replace("{*}", "")
        plain = re.sub(r"\\[{}$&#%_]", "", plain)
        assert plain.count("&") == 2
        assert not re.search(r'[\\{}$#%_^~<>|"\[\]*]', plain)


def test_markdown_has_as_many_cells_as_columns():
    header, rule, *rows = whole("markdown").splitlines()
    assert rule == "| :-- | --: | --: |"
    for row in [header, *rows]:
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 4
        assert not re.search(r"(?<!\\)(?:\\\\)*[<>*_\[\]`]", row)
    assert rows[HOSTILE.index("a|b")].startswith(r"| a\|b |")
