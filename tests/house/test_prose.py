"""What people read is plain English: no word or turn of phrase that docs/contributing/writing.md advises against."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import vsenumba

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("changelog.d/*.md"))
    if page.name != "writing.md" and "auto_examples" not in page.parts
)
PACKAGE = Path(vsenumba.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# What to avoid, as a pattern, and what to write.
ADVICE = {
    r"foretell|foretold": "predict, estimate",
    r"stands? for an image|stand(s|ing)? for the image": "represents the image",
    r"where randomness (starts|comes from)": "random seed",
    r"\bbe asked about\b|\basked about\b": "get suggestions for, query",
    r"an? (NVIDIA )?card\b|on cards?\b": "a GPU",
    r"\bunless told otherwise\b": "by default",
    r"\bto the letter\b": "exactly",
    r"\bwhat (falls|fell) short\b": "limitations",
    r"\bas (good|soon|fast|many) as may be\b": "as ... as possible",
    r"\bsuits? the (inputs|rest)\b": "depends on the inputs",
    r"\bno (file|format|folder|model|set|set of) that is\b": "is not a ...",
    r"\bto come\b": "new",
    r"\bit takes as long\b|\btake as long\b": "need the same time",
    r"\bgiven up\b": "skipped",
    r"\bhalf a dozen\b|\bsome dozens\b": "a number",
    r"\bby hand\b": "in a one-off measurement",
    r"\ball there (is|are)\b|\bwhat there (is|was)\b": "all available",
    r"\bhearsay\b|\bby heart\b": "memorised",
    r"\bof (one's|their|your) own\b(?= (choosing|making))": "custom",
    r"\bin like company\b": "in similar contexts",
    r"\bdecides anew\b|\bbegins? anew\b": "again",
    r"\bto be told apart\b": "to be distinguished",
}
DOUBLED = re.compile(r"\b([A-Za-z]+) \1\b", flags=re.IGNORECASE)
# Which may stand twice.
TWICE = {"that", "had", "is"}


def prose(text: str) -> str:
    """Return a page without what is not prose: code, formulas, tables of numbers, links' targets."""
    text = re.sub(r"^(```|:::).*?^\1", lambda match: "\n" * match[0].count("\n"), text, flags=re.M | re.S)
    text = re.sub(r"`[^`\n]*`|\$[^$\n]*\$|\]\([^)]*\)|<[^>\n]*>", "", text)
    return re.sub(r"^\|.*\|$", "", text, flags=re.M)


def faults(text: str) -> list[str]:
    """Return what to avoid in a text, each with its line and the advice."""
    found = []
    for pattern, advice in ADVICE.items():
        for match in re.finditer(pattern.replace(" ", r"\s+"), text, flags=re.IGNORECASE):
            found.append(f"line {text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}: write {advice!r}")
    for match in DOUBLED.finditer(text):
        if match[1].lower() not in TWICE:
            found.append(f"line {text.count(chr(10), 0, match.start()) + 1}: {match[0]!r} stands twice")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages(page):
    assert faults(prose(page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_docstrings_help_and_messages(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    # Examples of commands are code.
    strings = [node for node in strings if " " in node.value and not node.value.startswith("vsenumba ")]
    found = {node.lineno: faults(re.sub(r"``[^`]*``|`[^`]*`", "", node.value)) for node in strings}
    assert {line: lines for line, lines in found.items() if lines} == {}


def test_the_check_finds_faults():
    assert len(faults("It will foretell what there is, and the the end.")) == 3
    assert faults(prose("Code says `what there is`.\n\n```\nforetell\n```\n")) == []
