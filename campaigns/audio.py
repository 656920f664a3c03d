"""Read mutated audio files, and count what becomes of them.

    python campaigns/audio.py --files 50000 --seed 0 --keep /tmp/audio_failures
    python campaigns/audio.py --files 50000 --only FFmpeg-

Files are those of the shared folder's `awkward/`, where it is there, and one of each format that soundfile
writes, and of those of phones and cameras that FFmpeg within PyAV writes, mutated as `audio_mutations.py` says; or
of these files those whose names contain what --only says. Each is read by `read_audio` and by `MFCCTransformer.transform`, in
another process that may take 10 s of processor time per file, and beyond what it has 64 MiB of address space and
ten times the decoded size: samples of the type and rate that are asked for, of all channels, of a minute at most,
as many as the header says, or 64 times the file's size where soundfile cannot read that, since codecs of speech
make it so much smaller. A file fails the
campaign where it gives anything but finite samples, finite features or AudioError; a process that dies is recorded
with its signal, and the next one goes on. The same seed draws the same files.
"""

import argparse
import collections
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADROOM = 64 * 2**20
SLOWEST = 10  # s of processor time
LONGEST = 60.0  # s, max_duration
WAIT = 240  # s in which a process must tell of a file


def bases(shared, only=""):
    from audio_mutations import written

    contents = written()
    if shared.is_dir():
        contents |= {
            path.name: path.read_bytes() for path in sorted(shared.iterdir()) if path.suffix != ".csv"
        }
    return {name: content for name, content in contents.items() if only in name}


def digest_of(contents):
    return hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()


def work(shared, only, seed, first, stop, trace):
    """Read the files of these numbers, and tell of each on standard output, and in a file where one is fatal."""
    import faulthandler
    import random
    import resource
    import warnings

    import librosa
    import numpy as np
    import soundfile

    from audio_mutations import mutated
    from voicelstm import MFCCTransformer
    from voicelstm.audio import read_audio
    from voicelstm.exceptions import AudioError

    faulthandler.enable(trace)
    faulthandler.register(signal.SIGPROF, trace, chain=True)
    # Some decoders print of their own.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    warnings.simplefilter("ignore")
    contents = bases(Path(shared), only)
    print(json.dumps({"contents": digest_of(contents)}), file=out, flush=True)
    pages = resource.getpagesize()

    def address_space():
        with open("/proc/self/statm") as file:  # noqa: PTH123
            return int(file.read().split()[0]) * pages

    def attempt(what):
        try:
            return what(), None
        except AudioError as error:
            return None, error
        except BaseException as error:  # noqa: BLE001
            return None, error

    def judged(values, error, path):
        if isinstance(error, AudioError):
            return (
                ("refused", "")
                if path in str(error)
                else ("FAILED", f"{error!r:.200} does not name the file")
            )
        if error is not None:
            return "FAILED", f"raised {error!r:.300}"
        if not len(values) or not np.isfinite(values).all():
            return "FAILED", "gives nothing, NaN or infinity"
        return "read", ""

    def decoded_size(path, size, rate, dtype):
        """Bytes of the samples, by what the header says, and by the file's size where nobody can read that."""
        try:
            header = soundfile.info(path)
        except Exception:  # noqa: BLE001 - soundfile raises many kinds
            return 64 * size
        frames = min(header.frames, LONGEST * header.samplerate)
        return (
            frames
            * header.channels
            * np.dtype(dtype).itemsize
            * max(1, (rate or 0) / max(header.samplerate, 1))
        )

    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        path = os.path.join(folder, "recording.wav")  # noqa: PTH118
        front = {rate: MFCCTransformer(sample_rate=rate, max_duration=LONGEST) for rate in (16000, None)}
        late = [content for name, content in contents.items() if name == "FFmpeg-m4a"]
        for content in (
            b"",
            b"OggS" + bytes(100),
            *late,
            *list(contents.values())[:3],
        ):  # what is imported late
            Path(path).write_bytes(content)
            attempt(lambda: read_audio(path, sample_rate=16000))
            attempt(lambda: front[16000].transform([path]))
            attempt(
                lambda: librosa.load(path)
            )  # which compiles functions, and keeps them for other processes
        for number in range(first, stop):
            content, kind, base = mutated(contents, seed, number)
            rng = random.Random(f"how/{seed}/{number}")
            rate, duration = rng.choice([16000, 16000, None, 8000, 44100]), rng.choice([LONGEST, 1.0, 0.05])
            dtype = rng.choice([np.float32, np.float64])
            Path(path).write_bytes(content)
            print(json.dumps({"begins": number}), file=out, flush=True)
            allowed = HEADROOM + 10 * int(decoded_size(path, len(content), rate, dtype))
            resource.setrlimit(resource.RLIMIT_AS, (address_space() + allowed, resource.RLIM_INFINITY))
            signal.setitimer(signal.ITIMER_PROF, SLOWEST)  # kills, even within a dependency's C code
            start = time.process_time()
            read, error = attempt(
                lambda: read_audio(path, sample_rate=rate, max_duration=duration, dtype=dtype)  # noqa: B023
            )
            features, second = attempt(lambda: front[16000 if rate else None].transform([path])[0])  # noqa: B023
            seconds = time.process_time() - start
            signal.setitimer(signal.ITIMER_PROF, 0)
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            samples = None if read is None else read[0]
            outcomes = [judged(samples, error, path), judged(features, second, path)]
            if samples is not None and len(samples) > duration * read[1] + 1:
                outcomes[0] = "FAILED", f"{len(samples)} samples at {read[1]} Hz are beyond max_duration"
            print(json.dumps({"number": number, "kind": kind, "base": base, "seconds": seconds, "outcomes": outcomes}),
                  file=out, flush=True)  # fmt: skip
            del samples, features, read, error, second


def campaign(shared, contents, seed, first, stop, report=lambda done, failures: None, only=""):
    """Have the files read, by as many processes as it takes, each of which has to have the same to mutate.

    Returns the outcomes by what was asked and what came, by mutation, the failures, and the slowest file's
    time.
    """
    outcomes, kinds = collections.Counter(), collections.defaultdict(collections.Counter)
    failures, slowest, begun = [], 0.0, None
    at, same = first, digest_of(contents)
    while at < stop:
        trace = tempfile.TemporaryFile()  # noqa: SIM115
        numbers = seed, at, min(at + 5000, stop), trace.fileno()
        process = subprocess.Popen(
            [sys.executable, __file__, "--work", str(shared), only, *map(str, numbers)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=[trace.fileno()],
        )
        begun, ended = None, at
        heard = [time.monotonic()]
        threading.Thread(target=_kill_when_silent, args=(process, heard), daemon=True).start()
        for line in process.stdout:
            heard[0] = time.monotonic()
            told = json.loads(line)
            if "contents" in told:
                if told["contents"] != same:
                    raise RuntimeError("two processes have different files to mutate: do they hold the time?")
                continue
            if "begins" in told:
                begun = told["begins"]
                continue
            ended = told["number"] + 1
            slowest = max(slowest, told["seconds"])
            for what, (outcome, why) in zip(("read_audio", "transform"), told["outcomes"], strict=True):
                outcomes[what, outcome] += 1
                kinds[told["kind"]][outcome] += 1
                if outcome == "FAILED":
                    failures.append((told["number"], told["kind"], told["base"], f"{what} {why}"))
            if ended % 1000 == 0:
                report(ended - first, failures)
        status = process.wait()
        if ended < min(at + 5000, stop):
            if begun is None or begun < ended:
                raise RuntimeError(f"the process that reads ended with {status} before file {ended}")
            died = signal.Signals(-status).name if status < 0 else f"status {status}"
            outcomes["process", f"died of {died}"] += 1
            trace.seek(0)
            where = trace.read().decode(errors="replace").strip()
            failures.append((begun, "?", "?", f"killed the process: {died}\n{where}"))
            ended = begun + 1
        trace.close()
        at = ended
    return outcomes, kinds, failures, slowest


def _kill_when_silent(process, heard):
    while process.poll() is None:
        if time.monotonic() - heard[0] > WAIT:
            process.kill()
        time.sleep(1)


def main():
    if sys.argv[1:2] == ["--work"]:
        shared, only, *numbers = sys.argv[2:]
        return work(shared, only, *map(int, numbers))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="part of the names of the files to mutate")
    parser.add_argument("--keep", type=Path, help="folder for the files that fail")
    options = parser.parse_args()
    shared = Path(os.environ.get("VOICELSTM_SHARED", ROOT.parent / "shared")) / "awkward"
    contents = bases(shared, options.only)
    start = time.monotonic()
    outcomes, kinds, failures, slowest = campaign(
        shared, contents, options.seed, options.first, options.first + options.files,
        lambda done, failures: print(f"{done} files, {time.monotonic() - start:.0f} s, {len(failures)} failures", flush=True),
        options.only,
    )  # fmt: skip
    print(f"{len(contents)} files to mutate, {'with' if shared.is_dir() else 'without'} {shared}")
    for (what, outcome), n in sorted(outcomes.items()):
        print(f"{what:12} {outcome:20} {n:8}")
    print(f"slowest file: {slowest:.2f} s of processor time, failures: {len(failures)}")
    for kind, counts in sorted(kinds.items()):
        print(f"{kind:18}", json.dumps(counts, sort_keys=True))
    from audio_mutations import mutated

    for number, _, _, why in failures[:60]:
        content, kind, base = mutated(contents, options.seed, number)
        print(f"FAILED {number} {kind} of {base}: {why}")
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{options.seed}-{number}-{kind}").write_bytes(content)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
