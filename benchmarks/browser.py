"""What an answer costs in the browser: the page "In a browser" of the documentation, in headless Chromium.

It needs the pages as `make docs` builds them, playwright and a Chromium. The first answer is that of a page
that has just loaded its detector, the median of several; it counts from the choice of the file to the
picture. Later ones are of the same page. On a machine that others use, times are longer than on a quiet one:
the load is printed with them, and the processor time of all of Chromium, which such a machine changes less.
"""

import argparse
import functools
import http.server
import os
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import soundfile
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from voicelstm.datasets import make_voices

SITE = Path(__file__).resolve().parents[1] / "docs" / "_build" / "html"
PAGE = "user_guide/browser.html"
RATE = 16000
SHORT, LONG = 4, 5 * 60  # s
N_PAGES, N_LATER = 5, 10

# Rows: what a release is to reach at least, and what would be better.
TARGETS = {
    "what is loaded": ("MB", ""),
    "page to ready": ("ms", ""),
    "first answer, 4 s": ("300 ms", "100 ms"),
    "first answer, 4 s: of it the graph": ("ms", ""),
    "later answers, 4 s": ("ms", ""),
    "later answers, 4 s: of it the graph": ("ms", ""),
    "later answers, 4 s: processor time": ("ms", ""),
    "5 minutes": ("ms", ""),
}
# What the page tells of its next answer: ms in all, and of them in the graph.
NEXT = """() => {
    const took = () => performance.getEntriesByName('answer').at(-1).duration;
    window.answer = new Promise(done => document.getElementById('in-browser').addEventListener(
        'answer', ({detail}) => done([took(), detail.tookMs]), {once: true}));
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def serve(site):
    """Serve a folder on this machine; return its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def write_recordings(short, long):
    """Write two files of simulated voices."""
    X, _ = make_voices(300, random_state=0, return_X_y=True)
    voices = np.resize(np.concatenate([samples for samples, _ in X]), LONG * RATE)
    soundfile.write(short, voices[: SHORT * RATE], RATE)
    soundfile.write(long, voices, RATE)


def answer(page, path):
    """Choose a file; return ms in all, and in the graph."""
    page.evaluate(NEXT)
    page.set_input_files("#in-browser-file", path)
    return page.evaluate("window.answer")


def measured(chromium, address, folder, n_pages):
    """Measure; return a number for each row."""
    short, long = folder / "short.wav", folder / "long.wav"
    write_recordings(short, long)
    ready, first, later, used = [], [], [], []
    for _ in range(n_pages):
        page = chromium.new_page()  # with a cache of its own
        start = time.perf_counter()
        page.goto(f"{address}/{PAGE}")
        page.wait_for_selector("[data-ready]", state="attached")
        ready.append(1000 * (time.perf_counter() - start))
        first.append(answer(page, short))
        before = processor_time()
        later += [answer(page, short) for _ in range(N_LATER)]
        used.append(1000 * (processor_time() - before) / N_LATER)
        of_long = answer(page, long)[0]
        page.close()
    (first, of_first), (later, of_later) = (
        (statistics.median(each) for each in zip(*found, strict=True)) for found in (first, later)
    )
    return {
        "page to ready": statistics.median(ready),
        "first answer, 4 s": first,
        "first answer, 4 s: of it the graph": of_first,
        "later answers, 4 s": later,
        "later answers, 4 s: of it the graph": of_later,
        "later answers, 4 s: processor time": statistics.median(used),
        "5 minutes": of_long,
    }


def processor_time():
    """Return what this process's children have used, and theirs, in s."""
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(each.user + each.system for each in times)


def size_of(site):
    """Return what the page loads of its own, in MB."""
    files = (path for path in (site / "_static" / "browser").rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files) / 1e6


def show(found):
    """Print the numbers beside what was asked for."""
    table = Table(title=f"An answer in the browser (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)")
    for name, justify in (("", "left"), ("measured", "right"), ("at least", "right"), ("stretch", "right")):
        table.add_column(name, justify=justify)
    for name, value in found.items():
        least, stretch = TARGETS[name]
        unit = least.split(" ")[-1]
        table.add_row(name, f"{value:.3g} {unit}", least if least != unit else "", stretch)
    Console(width=110).print(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, default=SITE, help="folder of the built pages")
    parser.add_argument("--chromium", default=os.environ.get("CHROMIUM") or shutil.which("chromium"))
    parser.add_argument("--pages", type=int, default=N_PAGES, help="pages of which a median is taken")
    arguments = parser.parse_args()
    if not (arguments.site / "_static" / "browser" / "detector.onnx").is_file():
        raise SystemExit(f"{arguments.site} holds no such page: build it first, with `make docs`.")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = playwright.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox"])
        address = serve(arguments.site)
        found = measured(chromium, address, Path(folder), arguments.pages)
        chromium.close()
    show({"what is loaded": size_of(arguments.site), **found})


if __name__ == "__main__":
    main()
