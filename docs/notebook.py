"""Write examples/first_steps.ipynb, the gallery's first page as a notebook: `make notebook`."""

import json
import re
from pathlib import Path

from sphinx_gallery.gen_gallery import DEFAULT_GALLERY_CONF
from sphinx_gallery.notebook import jupyter_notebook
from sphinx_gallery.py_source_parser import split_code_and_text_blocks

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SOURCE, NOTEBOOK = EXAMPLES / "plot_first_steps.py", EXAMPLES / "first_steps.ipynb"


def first_steps() -> str:
    """The notebook's text, without outputs."""
    _, blocks = split_code_and_text_blocks(str(SOURCE))
    notebook = jupyter_notebook(blocks, DEFAULT_GALLERY_CONF, EXAMPLES)
    # The Python that wrote it is of no interest, and would differ from machine to machine.
    notebook["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        if cell["cell_type"] == "markdown":
            cell["source"] = [_without_roles("".join(cell["source"]))]
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _without_roles(text: str) -> str:
    """Markdown has no cross-references: put the name that each would show."""
    text = re.sub(r"`sphx_glr_auto_examples_(\w+\.py)`", r"`examples/\1`", text)
    text = re.sub(r":\w+:`~(?:\w+\.)*(\w+)`", r"`\1`", text)
    return re.sub(r":\w+:`([^`<]+)`", r"`\1`", text)


if __name__ == "__main__":
    NOTEBOOK.write_text(first_steps(), encoding="utf-8")
