"""A batch service behind a queue: as many processes as cores ask a detector's graph, each with one thread.

::

    find calls -name "*.wav" | python onnx_queue.py detector.onnx > answers.jsonl

The queue is standard input, a path on each line, and each answer is a line of JSON, in the order in which
they are ready, also while the queue pauses. A worker gets its next path when it has answered, so that
nothing piles up. A path whose worker dies, as one that takes too much memory, is tried once more by a new
worker and then answered with an error: it is taken off the queue only with an answer. With RabbitMQ, Amazon
SQS or Redis, whose messages stay until they are acknowledged, put its client in the place of `paths` and
`print`, and run one such process on each machine.
"""

import json
import math
import os
import sys
from multiprocessing import get_context
from queue import Queue
from threading import Lock, Thread

from onnx_runtime import Detector

ATTEMPTS = 2


def work(graph, connection):
    """Answer one path after the other, until there are no more."""
    detector = Detector(graph)
    while (path := connection.recv()) is not None:
        try:
            score, segments = detector.ask(path)
            answer = {"score": None if math.isnan(score) else score, "segments": segments}
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the answer
            answer = {"error": str(error)}
        connection.send(answer)


class Worker:
    """A process that has one path at a time."""

    def __init__(self, graph):
        context = get_context("spawn")
        self.connection, there = context.Pipe()
        self.process = context.Process(target=work, args=(graph, there), daemon=True)
        self.process.start()
        there.close()  # so that reading ends if the process does

    def ask(self, path):
        """Return the answer about a path, or None if the process died."""
        try:
            self.connection.send(path)
            return self.connection.recv()
        except (EOFError, OSError):
            return None

    def end(self):
        self.ask(None)  # it answers by its end
        self.process.join()


def answered(graph, paths):
    """Yield an answer for each path, by one worker; if it dies, another takes its place."""
    worker = None
    for path in paths:
        answer = None
        for _ in range(ATTEMPTS):
            worker = worker or Worker(graph)
            answer = worker.ask(path)
            if answer is not None:
                break
            worker = None
        yield {"path": path, **(answer or {"error": "its worker died each time"})}
    if worker is not None:
        worker.end()


def serve(graph, paths, n_workers):
    """Yield an answer for each path as soon as it is there, however long the next path is in coming."""
    paths, lock, answers = iter(paths), Lock(), Queue(n_workers)

    def taken():
        while True:
            with lock:
                path = next(paths, None)
            if path is None:
                return
            yield path

    def attend():
        """Hand on what one worker answers, and then None or the error that ended it."""
        try:
            for answer in answered(graph, taken()):
                answers.put(answer)
            answers.put(None)
        except Exception as error:  # noqa: BLE001  # raised where answers are read
            answers.put(error)

    for _ in range(n_workers):
        Thread(target=attend, daemon=True).start()
    while n_workers:
        answer = answers.get()
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            n_workers -= 1
        else:
            yield answer


def main(graph):
    Detector(graph)  # so that one that cannot be opened is an error before any path is taken
    paths = (line.rstrip("\n") for line in sys.stdin)
    for answer in serve(graph, paths, os.cpu_count() or 1):
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python onnx_queue.py detector.onnx < paths > answers.jsonl")
    main(sys.argv[1])
