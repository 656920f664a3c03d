"""How the benchmarks measure: all sides in turn, medians, one thread where that is asked."""

import statistics
import time

from rich.console import Console
from rich.table import Table


def medians(sides, repeats):
    """Run each side once for warming up, then all in turn; return each one's median time.

    Parameters
    ----------
    sides : dict of str to callable
        What to run.
    repeats : int
        How often.

    Returns
    -------
    dict of str to float
        Seconds.
    """
    times = {name: [] for name in sides}
    for run in sides.values():
        run()
    for _ in range(repeats):
        for name, run in sides.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def show(title, seconds, subject):
    """Print times and how many times as fast the subject is.

    Parameters
    ----------
    title : str
        Of the table.
    seconds : dict of str to float
        By name of the side.
    subject : str
        The side that the others are compared with.
    """
    table = Table(title=title, title_justify="left")
    table.add_column("side")
    table.add_column("median", justify="right")
    table.add_column(f"{subject} is", justify="right")
    for name, value in seconds.items():
        ratio = "" if name == subject else f"{value / seconds[subject]:.2f} times as fast"
        table.add_row(name, f"{1000 * value:.3g} ms" if value < 1 else f"{value:.2f} s", ratio)
    Console(width=100).print(table)
