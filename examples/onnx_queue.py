"""A batch service behind a queue: as many processes as cores ask a detector's graph, each with one thread.

::

    find calls -name "*.wav" | python onnx_queue.py detector.onnx > answers.jsonl

The queue is standard input, a path on each line, and each answer is a line of JSON, in the order in which
they are ready. A worker gets its next path when it has answered, so that nothing piles up. A path whose
worker dies, as one that takes too much memory, is tried once more by a new worker and then answered with an
error: it is taken off the queue only with an answer. With RabbitMQ, Amazon SQS or Redis, whose messages stay
until they are acknowledged, put its client in the place of `paths` and `print`, and run one such process on
each machine.
"""

import json
import math
import os
import sys
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import wait

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

    def give(self, path, attempt):
        self.path, self.attempt = path, attempt
        with suppress(OSError):  # it died, of which reading tells
            self.connection.send(path)


def serve(graph, paths, n_workers):
    """Yield an answer for each path."""
    left, again, workers = iter(paths), [], {}

    def next_job():
        return again.pop() if again else (next(left, None), 1)

    def start():
        path, attempt = next_job()
        if path is not None:
            worker = Worker(graph)
            workers[worker.connection] = worker
            worker.give(path, attempt)

    for _ in range(n_workers):
        start()
    while workers:
        for connection in wait(workers):
            worker = workers[connection]
            try:
                answer = connection.recv()
            except (EOFError, ConnectionError):
                del workers[connection]
                if worker.attempt < ATTEMPTS:
                    again.append((worker.path, worker.attempt + 1))
                else:
                    yield {"path": worker.path, "error": "its worker died each time"}
                start()
                continue
            yield {"path": worker.path, **answer}
            worker.give(*next_job())
            if worker.path is None:
                del workers[connection]
                worker.process.join()


def main(graph):
    paths = (line.rstrip("\n") for line in sys.stdin)
    for answer in serve(graph, paths, os.cpu_count() or 1):
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python onnx_queue.py detector.onnx < paths > answers.jsonl")
    main(sys.argv[1])
