"""A table as text for other programs: LaTeX, Markdown and comma-separated values."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

from vsenumba.printable import not_a_formula, printable
from vsenumba.reports.table import Column, Table, Value

# What means something to LaTeX. A bracket or an asterisk after the end of a row would be read as an option of that end.
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "[": "{[}", "]": "{]}", "*": "{*}", "–": "--", "×": r"$\times$",
}  # fmt: skip
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&:])")


def copies_of(table: Table) -> dict[str, Any]:
    """Return a table in every format: what stands before its rows, each row, and what stands after them.

    The page joins the rows in the order in which they are shown.
    """
    return {"latex": _latex(table), "markdown": _markdown(table), "csv": _csv(table)}


def latex_text(text: str) -> str:
    r"""Return a text as LaTeX shows it.

    Examples
    --------
    >>> print(latex_text("50 % of R&D_x"))
    50 \% of R\&D\_x
    """
    return "".join(_LATEX.get(letter, letter) for letter in text)


def markdown_text(text: str) -> str:
    r"""Return a text as Markdown shows it within a table.

    Examples
    --------
    >>> print(markdown_text("a|b <i>"))
    a\|b \<i\>
    """
    return _MARKDOWN.sub(r"\\\1", text)


def csv_cell(column: Column, value: Value) -> str:
    """Return a value for a cell: a number in full, a name that no spreadsheet reads as a formula."""
    return not_a_formula(printable(value)) if isinstance(value, str) else column.sort_key(value)


def _latex(table: Table) -> dict[str, Any]:
    align = "".join("r" if column.is_number else "l" for column in table.columns)
    header = " & ".join(latex_text(column.name) for column in table.columns)
    return {
        "before": "\n".join(
            [
                r"% needs \usepackage{booktabs}, and \usepackage[T1]{fontenc} for quotes",
                rf"\begin{{tabular}}{{{align}}}",
                r"\toprule",
                rf"{header} \\",
                r"\midrule",
            ]
        ),
        "rows": [" & ".join(map(latex_text, row)) + r" \\" for row in table.shown()],
        "after": "\\bottomrule\n\\end{tabular}",
    }


def _markdown(table: Table) -> dict[str, Any]:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cells)} |"

    header = line([markdown_text(column.name) for column in table.columns])
    rule = line(["--:" if column.is_number else ":--" for column in table.columns])
    rows = [line(list(map(markdown_text, row))) for row in table.shown()]
    return {"before": f"{header}\n{rule}", "rows": rows, "after": ""}


def _csv(table: Table) -> dict[str, Any]:
    rows = [[csv_cell(*pair) for pair in zip(table.columns, row, strict=True)] for row in table.rows]
    names = [not_a_formula(column.name) for column in table.columns]
    return {"before": _csv_line(names), "rows": [_csv_line(row) for row in rows], "after": ""}


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
