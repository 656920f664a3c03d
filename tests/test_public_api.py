"""The public names, with their parameters, as `public_api.txt` has them.

Where a change is meant, announce it in CHANGELOG.md by the policy of docs/trust.rst, and write it anew::

    python tests/test_public_api.py > tests/public_api.txt
"""

import importlib
import inspect
import re
from pathlib import Path

import voicelstm

HERE = Path(__file__).resolve().parent


def documented():
    """Names that docs/api.rst lists, with their modules."""
    module = listing = None
    for line in (HERE.parent / "docs" / "api.rst").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = found[1]
        elif line.startswith(".. "):
            listing = line.startswith(".. autosummary::")
        elif listing and (found := re.fullmatch(r"   ([A-Za-z]\w*)", line)):
            yield module, found[1]
        elif line and not line.startswith(" "):
            listing = False


def parameters(member):
    """Names, kinds and defaults, without annotations."""
    try:
        signature = inspect.signature(member)
    except (TypeError, ValueError):
        return ""
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def public_api():
    lines = [f"voicelstm.{name}" for name in voicelstm.__all__]
    for module, name in documented():
        member = getattr(importlib.import_module(module), name)
        own = f"{module}.{name}"
        if not inspect.isclass(member):
            lines.append(own + (parameters(member) if inspect.isfunction(member) else ""))
            continue
        bases = [base.__name__ for base in member.__mro__[1:] if base.__module__.startswith("voicelstm")]
        lines.append(own + ("" if issubclass(member, Exception) else parameters(member)))
        lines += [f"{own} is a {base}" for base in bases if base.endswith(("Error", "Warning"))]
        for attribute, value in inspect.getmembers_static(member):
            of_ours = any(
                attribute in vars(base) and base.__module__.startswith("voicelstm") for base in member.__mro__
            )
            if attribute.startswith("_") or not of_ours:
                continue
            called = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            lines.append(f"{own}.{attribute}" + (parameters(called) if inspect.isfunction(called) else ""))
    return sorted(set(lines))


def test_no_public_name_or_parameter_appears_or_vanishes_unannounced():
    expected = (HERE / "public_api.txt").read_text(encoding="utf-8").splitlines()
    found = public_api()
    assert len(found) > 150
    assert [f"- {line}" for line in expected if line not in found] == []
    assert [f"+ {line}" for line in found if line not in expected] == []


def test_what_the_package_exports_is_documented():
    names = {name for _, name in documented()}
    assert set(voicelstm.__all__) - {"__version__"} <= names


if __name__ == "__main__":
    print("\n".join(public_api()))
