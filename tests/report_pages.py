"""What the tests of reports share: runs to report on, and a reader of the page."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np

import vsenumba as vse
from vsenumba.data import AnnotationSet

HOSTILE = [
    "<script>alert(1)</script>", "</script><script>alert(2)</script>", "</bdi></td><img src=x onerror=alert(3)>",
    '"onmouseover="alert(4)', "' onload='alert(5)", "javascript:alert(6)", "&lt;b&gt;", "<!--", "]]>", "\u202egpj.exe",
    "{{7*7}}", "{% raw %}", "=1+1", "+cmd", "-2", "@sum", "50 % of R&D_x", "a|b", "[x](y)", "*star*", "a\\b", "~^#${}",
    "</style>", "</title>", "x" * 400, "猫", "שלום",
]  # fmt: skip


def hostile_set(names=HOSTILE):
    """Return a set whose labels and images have hostile names; every image has three labels of a group."""
    rng = np.random.default_rng(0)
    lists = [
        [names[(i + step) % len(names)] for step in rng.choice(5, 3, replace=False)] for i in range(4 * len(names))
    ]
    ids = [f"{names[i % len(names)]} {i}" for i in range(len(lists))]
    return AnnotationSet.from_lists(lists, ids)


def small_model(**settings):
    """Return a model that is soon trained, the same each time."""
    chosen = {"n_factors": 4, "n_epochs": 2, "sampler": "uniform", "deterministic": True, "random_state": 0}
    return vse.ImageAnnotator(**(chosen | settings))


class Page(HTMLParser):
    """What a reader of HTML makes of a report."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.headings = [], [], []
        self.tables, self.texts, self.tips = {}, [], []
        self.scripts, self.styles, self.policy = [], [], ""
        self._path = []
        self._cells = None
        self.feed(text)
        self.close()

    @property
    def copies(self):
        """The data of the page."""
        return json.loads(self.scripts[0])

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.attributes += [(tag, *one) for one in attrs]
        if tag not in ("meta", "img", "link", "input", "br"):
            self._path.append(tag)
        if tag == "table":
            self._cells = self.tables.setdefault(values["data-key"], [])
        elif tag == "tr":
            self._cells.append([])
        elif tag in ("td", "th"):
            self._cells[-1].append("")
        elif tag == "h2":
            self.headings.append("")
        elif tag in ("script", "style"):
            (self.scripts if tag == "script" else self.styles).append("")
        elif tag == "title" and "svg" in self._path:
            self.tips.append("")
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]

    def handle_endtag(self, tag):
        assert self._path[-1] == tag, f"</{tag}> within {self._path}"
        self._path.pop()

    def handle_data(self, data):
        if not self._path:
            return
        inner = self._path[-1]
        if inner in ("script", "style"):
            (self.scripts if inner == "script" else self.styles)[-1] += data
            return
        self.texts.append(data)
        if inner == "h2":
            self.headings[-1] += data
        if inner == "title" and "svg" in self._path:
            self.tips[-1] += data
        if {"td", "th"} & set(self._path) and inner != "caption":
            self._cells[-1][-1] += data.strip("\n")
