"""What the page "In a browser" needs besides its text: the detector's graph, and ONNX Runtime from npm."""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import voicelstm
from voicelstm.command._meaning import measured_at
from voicelstm.datasets import make_voices

__all__ = ["MissingPieceError", "write_page"]

_SOURCES = Path(__file__).parent / "browser"
# Of its many builds the one that needs no graphics card, under a name that every host sends as a script.
_RUNTIME_FILES = {
    "package/dist/ort.wasm.bundle.min.mjs": "ort.wasm.bundle.min.js",
    "package/dist/ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
}

_RATE = 16000  # Hz


class MissingPieceError(Exception):
    """Something that the page needs is not on this machine, and cannot be fetched."""


def write_page(detector: Any, output: Path, generated: Path, *, needs_all: bool) -> None:
    """Write the files of the page, and what its text includes.

    If a piece is missing, that text says which one, or with `needs_all` it is a MissingPieceError.
    """
    missing = None
    try:
        _write_files(output, detector)
    except MissingPieceError as error:
        if needs_all:
            raise
        missing = str(error)
    generated.mkdir(parents=True, exist_ok=True)
    for name, lines in (("browser.txt", _page(missing)), ("browser_card.txt", _said_of(detector.card_))):
        (generated / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_files(folder: Path, detector: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        voicelstm.export_onnx(detector, folder / "detector.onnx")
    except ImportError as error:
        raise MissingPieceError(f"the detector's graph cannot be written: {error}") from error
    _write_runtime(folder / "onnxruntime")
    card = detector.card_
    points = [{key: each[key] for key in ("name", "threshold")} for each in card["operating_points"]]
    known = {"name": card["name"], "errs": _how_it_errs(card), "operating_points": points}
    (folder / "card.json").write_text(json.dumps(known), encoding="utf-8")
    X, _ = make_voices(20, random_state=0, return_X_y=True)
    soundfile.write(folder / "voice.wav", np.concatenate([x for x, _ in X])[: 4 * _RATE], _RATE, "PCM_16")
    for source in _SOURCES.iterdir():
        if source.suffix in (".js", ".css"):
            shutil.copy(source, folder)


def _write_runtime(folder: Path) -> None:
    """Write ONNX Runtime's files of the version that package.json says, unless they are there."""
    package = json.loads((_SOURCES / "package.json").read_text(encoding="utf-8"))
    ((name, version),) = package["dependencies"].items()
    integrity = package["integrity"][name]
    stamp = folder / "integrity.txt"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == integrity:
        return
    with tempfile.TemporaryDirectory() as temporary:
        archive = _fetched(f"{name}@{version}", Path(temporary))
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if integrity != f"sha512-{found}":
            raise ValueError(
                f"{name}@{version} has the integrity sha512-{found}, and docs/browser/package.json says"
                f" {integrity}; find out which is right."
            )
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as held:
            for member, file_name in _RUNTIME_FILES.items():
                content = held.extractfile(member)
                assert content is not None  # a file, not a folder
                (folder / file_name).write_bytes(content.read())
    stamp.write_text(integrity, encoding="utf-8")


def _fetched(package: str, folder: Path) -> Path:
    """Fetch a package's archive from npm, or from what npm keeps of earlier times."""
    npm = shutil.which("npm")
    if npm is None:
        raise MissingPieceError(f"{package} comes from npm, which is not installed; Node.js brings it.")
    # By itself it would try again for minutes on a machine without a network.
    patience = ["--prefer-offline", "--fetch-retries=2", "--fetch-retry-mintimeout=1000"]
    options = [*patience, "--fetch-retry-maxtimeout=5000", "--loglevel=error", f"--pack-destination={folder}"]
    done = subprocess.run([npm, "pack", package, *options], cwd=folder, capture_output=True, text=True)
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise MissingPieceError(f"{package} cannot be fetched from npm: {said[0] if said else 'no archive'}")
    return archives[0]


def _page(missing: str | None) -> Iterable[str]:
    if missing is None:
        html = (_SOURCES / "page.html").read_text(encoding="utf-8")
        yield from (".. raw:: html", "", textwrap.indent(html, "   "))
    else:
        yield from (
            ".. note::",
            "",
            "   These pages were built without the detector: this one is empty::",
            "",
        )
        yield textwrap.indent(missing, 6 * " ")


def _said_of(card: dict[str, Any]) -> Iterable[str]:
    yield _how_it_errs(card)
    yield ""
    yield from (f"- {limit}" for limit in card["limits"])
    yield from ("", "Operating points are thresholds that have a name:", "")
    yield from (f"- {measured_at(point)}" for point in card["operating_points"])


def _how_it_errs(card: dict[str, Any]) -> str:
    as_recorded = next(rate for rate in card["rates"] if rate["value"] == "as they are")
    human, synthetic = (
        f"{100 * as_recorded[key]:.0f}\N{NO-BREAK SPACE}%"
        for key in ("human_called_synthetic", "synthetic_called_human")
    )
    return (
        f"It errs often: of sources and systems that training left out, {human} of human recordings are"
        f" called synthetic and {synthetic} of synthetic ones human."
    )
