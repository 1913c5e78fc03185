"""Sphinx builds the documentation with this: ``sphinx-build -W -n docs site``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

import vsenumba

lexers["csv"] = TextLexer()  # which Pygments lacks

project = "vsenumba"
author = "The vsenumba developers"
copyright = f"2026, {author}"
version = release = vsenumba.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "command_line",
    "mathml",
    "public_members",
    "repository_links",
    "toggle_names",
]
exclude_patterns = ["gallery", "site"]
templates_path = ["templates"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
smartquotes = False
toc_object_entries_show_parents = "hide"
nitpicky = True
# A name in single backticks that exists but is not public stays plain text; see `default_role`.
nitpick_ignore_regex = [("py:obj", r".*")]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "substitution"]
myst_heading_anchors = 4

# Names in single backticks become links where they name something that is documented, and plain text elsewhere.
default_role = "autolink"
autosummary_generate = True
autodoc_typehints = "none"
autodoc_default_options = {"member-order": "bysource"}
numpydoc_show_class_members = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

sphinx_gallery_conf = {
    "examples_dirs": ["gallery"],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r".*\.py",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "image_scrapers": ("matplotlib",),
    "min_reported_time": 1e9,
}

html_theme = "pydata_sphinx_theme"
html_title = "vsenumba"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}
html_theme_options = {
    "navbar_persistent": ["search-button"],
    "collapse_navigation": True,
    "logo": {"text": "vsenumba"},
    "github_url": "https://github.com/vsenumba/vsenumba",
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 5,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_show_sourcelink = False
