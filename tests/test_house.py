"""What a reader of the folder listing relies on: which file tests which, and where docstrings are long."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE, TESTS = ROOT / "src" / "voicelstm", ROOT / "tests"
SECTION = re.compile(
    r"^ *(Parameters|Returns|Yields|Raises|Warns|Attributes|See Also|Notes|References|Examples)\n *-{3,}$",
    re.M,
)


def test_every_module_has_a_test_file_of_its_name():
    modules = {path for path in SOURCE.rglob("_*.py") if not path.name.startswith("__")}
    assert len(modules) > 50
    expected = {TESTS / path.relative_to(SOURCE).with_name(f"test{path.name}") for path in modules}
    assert {str(path.relative_to(ROOT)) for path in expected if not path.exists()} == set()


def test_a_reader_sees_few_entries_at_the_top():
    assert len([path for path in SOURCE.iterdir() if path.name != "__pycache__"]) <= 18


def documented():
    """Last parts of the names that the API page lists."""
    return set(re.findall(r"^ {3}(\w+)$", (ROOT / "docs" / "api.rst").read_text(encoding="utf-8"), re.M))


def with_sections(node, public, within=False):
    """Names of the internal functions and classes in a module or class whose docstrings have sections."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            in_class = isinstance(node, ast.ClassDef)
            known = within and not child.name.startswith("_") if in_class else child.name in public
            if not known and SECTION.search(ast.get_docstring(child) or ""):
                yield child.name
            if isinstance(child, ast.ClassDef):
                yield from with_sections(child, public, known)


def test_internal_docstrings_are_short():
    public = documented()
    assert {"MFCCTransformer", "load_csv"} <= public
    found = [
        f"{path.relative_to(SOURCE)}: {name}"
        for path in sorted(SOURCE.rglob("*.py"))
        for name in with_sections(ast.parse(path.read_text(encoding="utf-8")), public)
    ]
    assert len(found) < 15, found


def test_a_docstring_with_sections_is_found_wherever_an_internal_one_stands():
    sections = '"""One.\\n\\nParameters\\n----------\\nx : int\\n"""'
    source = f"""
def public(): {sections}
def internal(): {sections}
def short(): "One."
class Public:
    def method(self): {sections}
    def _method(self): {sections}
class Internal:
    def method(self): {sections}
"""
    found = list(with_sections(ast.parse(source), {"public", "Public"}))
    assert found == ["internal", "_method", "method"]
