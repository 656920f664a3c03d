"""Sphinx configuration; `make docs` builds the pages without a network, but for one that then is empty."""

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Any

from sphinx_gallery.sorting import ExplicitOrder

import voicelstm
from voicelstm.detector import pretrained_content

sys.path.insert(0, str(Path(__file__).parent))
from browser_page import write_page
from card_page import write_tables

project = "voicelstm"
author = "The voicelstm developers"
copyright = author
version = release = voicelstm.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "browser", "tests"]
templates_path = ["_templates"]
default_role = "literal"  # docstrings put parameters in single backquotes, as scikit-learn's do
nitpicky = True
# Other projects' objects are named, not linked: links to them would need their inventories from the network.
nitpick_ignore_regex = [("py:.*", r"(joblib|keras|numpy|scipy|sklearn)\..+")]

autodoc_typehints = "none"  # the docstrings say types, and shapes with them
autosummary_generate = True
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False  # the class template lists them, without a page for each
numpydoc_xref_param_type = False

# In the order in which a user meets the questions; others come last.
EXAMPLES = [
    "plot_first_steps.py",
    "plot_variable_lengths.py",
    "plot_corpora.py",
    "plot_audit.py",
    "plot_coding_past.py",
    "plot_speaker_folds.py",
    "plot_unseen_systems.py",
    "plot_layers_and_units.py",
    "plot_threshold.py",
    "plot_scores_over_time.py",
    "plot_augmentation.py",
    "plot_keras_callback.py",
    "plot_larger_than_memory.py",
    "plot_cluster.py",
    "plot_original_recipe.py",
    "*",
]
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"(^|/)(?!plot_)[^/]*\.py$",  # others are scripts to be run by hand
    "within_subsection_order": ExplicitOrder(EXAMPLES),
    "doc_module": ("voicelstm",),
    "backreferences_dir": "generated/backreferences",
    "ignore_repr_types": "sklearn|voicelstm",  # a fitted estimator at a block's end is no result
    "image_srcset": ["2x"],
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,  # that page loads scripts from other hosts
}

html_theme = "pydata_sphinx_theme"
html_title = f"voicelstm {version}"
html_show_sourcelink = False
html_copy_source = False
html_favicon = "_static/voicelstm.svg"
html_context = {"default_mode": "auto"}  # the reader's system decides between light and dark
html_static_path = ["_static"]
html_css_files = ["voicelstm.css"]
html_sidebars = {page: [] for page in ("index", "changelog", "glossary")}
html_theme_options = {
    "logo": {
        "text": "voicelstm",
        "image_light": "_static/voicelstm.svg",
        "image_dark": "_static/voicelstm.svg",
    },
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "show_prev_next": False,
    "show_toc_level": 2,
    # Lines of code need the width more than short pages need a list of their headings.
    "secondary_sidebar_items": {"[!a]**": ["page-toc"], "api": ["page-toc"], "auto_examples/*": []},
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}


def _skip_foreign_members(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what scikit-learn and Python add to a class; api.rst names the former."""
    function = getattr(obj, "fget", None) or getattr(obj, "__func__", obj)
    module = getattr(function, "__module__", None)
    return None if module and module.startswith("voicelstm") else True


def _markdown_to_rst(app: Any, relative_path: Any, parent: str, content: list[str]) -> None:
    """Turn the headings and links of CHANGELOG.md, all that it has of Markdown's own, into reST."""
    if relative_path.name != "CHANGELOG.md":
        return
    text = re.sub(r"\[([^\]]+)\]\((https?://[^)]+)\)", r"`\1 <\2>`__", content[0])

    def heading(match: re.Match[str]) -> str:
        return f"{match[2]}\n{'=-~'[len(match[1]) - 1] * len(match[2])}\n"

    content[0] = re.sub(r"^(#{1,3}) (.+)$", heading, text, flags=re.MULTILINE)


def _write_card(app: Any) -> None:
    """Write the tables that the page of the packaged detector includes."""
    card = voicelstm.load_pretrained().card_
    sha256 = hashlib.sha256(pretrained_content(card["name"])).hexdigest()
    write_tables(card, sha256, Path(app.srcdir) / "generated" / "card.txt")


def _write_browser_page(app: Any) -> None:
    """Write what the page "In a browser" needs; in CI nothing of it may be missing."""
    output, generated = Path(app.outdir) / "_static" / "browser", Path(app.srcdir) / "generated"
    write_page(voicelstm.load_pretrained(), output, generated, needs_all=os.environ.get("CI") == "true")


def _keep_to_its_origin(
    app: Any, pagename: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Have the browser itself refuse whatever the page "In a browser" would send elsewhere."""
    if pagename == "user_guide/browser":
        policy = "default-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob: data:"
        context["metatags"] += f'\n<meta http-equiv="Content-Security-Policy" content="{policy}">'


def setup(app: Any) -> None:
    app.connect("builder-inited", _write_browser_page)
    app.connect("html-page-context", _keep_to_its_origin)
    app.connect("builder-inited", _write_card)
    app.connect("autodoc-skip-member", _skip_foreign_members)
    app.connect("include-read", _markdown_to_rst)
