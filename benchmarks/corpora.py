"""How long it takes to list corpora of a million recordings: seconds, CPU seconds and memory of each reader.

Makes trees of empty files, each for a reader of one kind, in the temporary folder, and removes them. Each
takes minutes to make, and a million inodes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

_RUN = """
import json, resource, sys, time
from voicelstm import datasets

arguments = json.loads(sys.argv[1])
reader = getattr(datasets, arguments.pop("reader"))
start, cpu = time.perf_counter(), time.process_time()
corpus = reader(**arguments)
print(json.dumps({
    "recordings": len(corpus.recordings),
    "seconds": time.perf_counter() - start,
    "cpu_seconds": time.process_time() - cpu,
    "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def touch(files: Iterable[Path]) -> None:
    """Make empty files, and the folders that they need."""
    folders = set()
    for file in files:
        if file.parent not in folders:
            file.parent.mkdir(parents=True, exist_ok=True)
            folders.add(file.parent)
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY))


def write(path: Path, lines: Iterable[str]) -> None:
    """Write a list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        file.writelines(f"{line}\n" for line in lines)


def csv_in_folders(root: Path, n_rows: int) -> dict[str, str]:
    """Make a table of a thousand recordings in each folder."""
    rows = [f"s{row // 1000}/clip{row:07}.wav" for row in range(n_rows)]
    touch(root / row for row in rows)
    labels = ("human", "synthetic")
    lines = (f"{row},{labels[at % 2]},s{at // 1000}" for at, row in enumerate(rows))
    write(root / "t.csv", ("path,label,speaker", *lines))
    return {"reader": "load_csv", "path": str(root / "t.csv")}


def spoofceleb(root: Path, n_rows: int) -> dict[str, str]:
    """Make a table of files in a folder for each attack and speaker."""
    rows = [(row % 24, row // 24 % 1000, row) for row in range(n_rows)]
    files = [f"a{attack:02}/id{speaker:05}/{row:08}.flac" for attack, speaker, row in rows]
    touch(root / "flac" / "train" / file for file in files)
    lines = (
        f"{file},id{speaker:05},a{attack:02}" for file, (attack, speaker, _) in zip(files, rows, strict=True)
    )
    write(root / "metadata" / "train.csv", ("file,speaker,attack", *lines))
    return {"reader": "load_spoofceleb", "path": str(root), "partition": "train"}


def codecfake(root: Path, n_rows: int) -> dict[str, str]:
    """Make a list of files in one folder."""
    names = [f"{f'F{row % 7:02}_' if row % 7 else ''}SSB{row // 7:08}.wav" for row in range(n_rows)]
    touch(root / "train" / name for name in names)
    lines = (f"{name} {'fake' if row % 7 else 'real'} {row % 7}" for row, name in enumerate(names))
    write(root / "label" / "train.txt", lines)
    return {"reader": "load_codecfake", "path": str(root), "partition": "train"}


def mlaad(root: Path, n_rows: int) -> dict[str, str]:
    """Make tables of a thousand clips of each system, and as many human recordings."""
    header = "path|original_file|language|duration|model_name|architecture|transcript"
    for system in range(n_rows // 2000):
        name = f"system{system:04}"
        folder = root / "MLAAD" / "fake" / f"l{system % 40:02}" / name
        clips = [f"b{clip:04}_{system}.wav" for clip in range(1000)]
        originals = [f"en_US/by_book/male/r{at % 9}/b/wavs/{clip}" for at, clip in enumerate(clips)]
        rows = (
            f'./fake/x/{name}/{clip}|{original}|en|2.5|org/{name}|kind|He said "no'
            for clip, original in zip(clips, originals, strict=True)
        )
        write(folder / "meta.csv", (header, *rows))
        touch(folder / clip for clip in clips)
        touch(root / "M-AILABS" / original for original in originals)
    return {"reader": "load_mlaad", "path": str(root / "MLAAD"), "human": str(root / "M-AILABS")}


TREES = {make.__name__: make for make in (csv_in_folders, spoofceleb, codecfake, mlaad)}


def main() -> None:
    """Print a row for each reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--tree", action="append", choices=list(TREES))
    options = parser.parse_args()
    for name in options.tree or TREES:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            arguments = TREES[name](Path(folder), options.rows)
            made = time.perf_counter() - start
            command = [sys.executable, "-c", _RUN, json.dumps(arguments)]
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            print(
                f"{arguments['reader']:20} {found['recordings']:8} recordings {found['seconds']:6.1f} s,"
                f" {found['cpu_seconds']:6.1f} s of CPU, {found['megabytes']:6.0f} MB (made in {made:.0f} s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
