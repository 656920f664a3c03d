import importlib.util
from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "examples" / "first_steps.ipynb"


def test_the_notebook_is_the_first_page_of_the_gallery():
    spec = importlib.util.spec_from_file_location("notebook", ROOT / "docs" / "notebook.py")
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    assert NOTEBOOK.read_text(encoding="utf-8") == writer.first_steps(), "write it anew: make notebook"


def test_the_notebook_has_no_outputs_and_no_roles_of_rest():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert ":`" not in prose


@pytest.mark.timeout(120)
def test_the_notebook_runs_from_top_to_bottom(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=100, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    pictures = [
        output
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 2
    assert list(tmp_path.iterdir()) == []
