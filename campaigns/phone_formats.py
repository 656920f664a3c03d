"""Have a folder of calls in the formats of phones answered, and see that each file is answered or named.

    python campaigns/phone_formats.py
    python campaigns/phone_formats.py --ffmpeg /path/to/ffmpeg --keep /tmp/calls

ffmpeg and sox write the files, from PATH or where the options say; without one of them its files are skipped,
and without both the campaign. They are of one simulated voice, in formats that phones, messengers, recorders and
cameras write, some of them joined, cut off, streamed or without a name that tells. `voicelstm detect` then hears
the folder with nothing else on its PATH. The campaign fails if a file is neither answered nor named on standard
error, if one that holds sound has no label, or if one that does not has one.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Name of the file, and what ffmpeg is told to write it.
BY_FFMPEG = {
    "voice memo.m4a": "-c:a aac",
    "lossless.m4a": "-c:a alac",
    "fragmented.mp4": "-c:a aac -movflags frag_keyframe+empty_moov",
    "radio.aac": "-c:a aac -f adts",
    "narrow.amr": "-ar 8000 -c:a libopencore_amrnb -b:a 12.2k",
    "narrow.3gp": "-ar 8000 -c:a libopencore_amrnb -b:a 12.2k",
    "whatsapp.opus": "-c:a libopus",
    "telegram.oga": "-c:a libopus",
    "browser.webm": "-c:a libopus",
    "browser without length.webm": "-c:a libopus -live 1",
    "vorbis.ogg": "-c:a libvorbis",
    "speex.spx": "-c:a libspeex",
    "windows.wma": "-c:a wmav2",
    "cbr.mp3": "-c:a libmp3lame -b:a 32k",
    "vbr.mp3": "-c:a libmp3lame -q:a 5",
    "vbr without xing.mp3": "-c:a libmp3lame -q:a 5 -write_xing 0",
    "layer2.mp2": "-c:a mp2",
    "archive.flac": "-c:a flac",
    "flac.mka": "-c:a flac",
    "hybrid.wv": "-c:a wavpack",
    "true audio.tta": "-c:a tta",
    "dolby.ac3": "-ar 48000 -c:a ac3",
    "dolby.eac3": "-ar 48000 -c:a eac3",
    "dts.dts": "-ar 48000 -c:a dca -strict -2",
    "apple.aiff": "",
    "apple.caf": "",
    "sun.au": "",
    "sony.w64": "",
    "large.rf64": "-rf64 always -f wav",
    "alaw.wav": "-ar 8000 -c:a pcm_alaw",
    "mulaw.wav": "-ar 8000 -c:a pcm_mulaw",
    "ima adpcm.wav": "-c:a adpcm_ima_wav",
    "ms adpcm.wav": "-c:a adpcm_ms",
    "g722.wav": "-c:a g722",
    "g726.wav": "-ar 8000 -c:a g726 -b:a 32k",
    "mp3 in a wav.wav": "-c:a libmp3lame",
    "deep.wav": "-c:a pcm_s24le",
    "float.wav": "-c:a pcm_f32le",
    "camera.mp4": "VIDEO -c:v mpeg4 -c:a aac",
    "camera.mov": "VIDEO -c:v mpeg4 -c:a aac",
    "camera.mkv": "VIDEO -c:v mpeg4 -c:a libopus",
    "camera.avi": "VIDEO -c:v mpeg4 -c:a libmp3lame",
    "camera.flv": "VIDEO -c:v flv -ar 22050 -c:a libmp3lame",
    "camera.ts": "VIDEO -c:v mpeg2video -r 25 -c:a mp2",
    "camera.mpg": "VIDEO -c:v mpeg2video -r 25 -c:a mp2",
    "silent film.mp4": "VIDEO -an -c:v mpeg4",
}
BY_SOX = {
    "gsm.wav": "-r 8000 -e gsm-full-rate",
    "sphere.sph": "",
    "ulaw.sph": "-r 8000 -e mu-law",
    "voice.voc": "",
    "old.aifc": "",
    "svx.8svx": "",
}
# Made of those, by name: a copy under a name that tells nothing, or the wrong thing; parts of them; two in one.
COPIES = {"no name that tells": "voice memo.m4a", "called so.wav": "voice memo.m4a", "note.bin": "narrow.amr"}
HALVES = {
    "cut.flac": "archive.flac",
    "cut.mp3": "vbr.mp3",
    "cut.webm": "browser.webm",
    "cut.wma": "windows.wma",
    "cut.mkv": "camera.mkv",
    "cut.mpg": "camera.mpg",
    "cut.voc": "voice.voc",
}
JOINED = {
    "two.opus": "whatsapp.opus",
    "two.ogg": "vorbis.ogg",
    "two.mp3": "vbr.mp3",
    "two.flac": "archive.flac",
}
# No recordings, and what cannot be one: samples without a header.
OTHERS = {"notes.txt": b"called back at noon\n", "calls.csv": b"file,when\n", "page.html": b"<html></html>"}
SILENT = {"silent film.mp4", "raw.al", *OTHERS}


def built(folder, ffmpeg, sox, report):
    """Write the files into a folder, those that can be, and return their names."""
    import numpy as np
    import soundfile

    from voicelstm.datasets import make_voices

    samples, rate = make_voices(4, random_state=0).recordings[0]
    source = folder.parent / "source.wav"
    soundfile.write(source, np.tile(samples, 4), rate)
    for name, how in BY_FFMPEG.items() if ffmpeg else ():
        inputs = ["-i", str(source)]
        if "VIDEO" in how:
            inputs += ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=25:duration=2"]
        options = [*how.replace("VIDEO", "").split(), "-ac", "1", str(folder / name)]
        _run([ffmpeg, "-nostdin", "-loglevel", "error", "-y", *inputs, *options], folder / name, report)
    for name, how in BY_SOX.items() if sox else ():
        _run([sox, str(source), *how.split(), str(folder / name)], folder / name, report)
    for targets, change in (
        (COPIES, lambda x: x),
        (HALVES, lambda x: x[: len(x) // 2]),
        (JOINED, lambda x: x + x),
    ):
        for name, of in targets.items():
            if (folder / of).exists():
                (folder / name).write_bytes(change((folder / of).read_bytes()))
    if (folder / "alaw.wav").exists():
        (folder / "raw.al").write_bytes((folder / "alaw.wav").read_bytes()[100:])
    for name, content in OTHERS.items():
        (folder / name).write_bytes(content)
    return sorted(path.name for path in folder.iterdir())


def _run(command, target, report):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode or not target.exists() or not target.stat().st_size:
        target.unlink(missing_ok=True)
        report(f"not written here: {target.name} ({(done.stderr.strip().splitlines() or ['?'])[-1]})")


def heard(folder, where):
    """Answers of `voicelstm detect` about a folder, by name, its standard error, and its exit code."""
    from voicelstm import make_detector, save
    from voicelstm.datasets import make_voices

    X, y = make_voices(40, random_state=0, return_X_y=True)
    detector = make_detector("dynamics", random_state=0, classifier__max_steps=20).fit(X, y)
    save(detector, where / "detector.voicelstm")
    nothing = where / "bin"
    nothing.mkdir()
    command = [
        sys.executable,
        "-m",
        "voicelstm",
        "detect",
        "-m",
        str(where / "detector.voicelstm"),
        str(folder),
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PATH": str(nothing)})
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {Path(each["recording"]).name: each for each in answers}, done.stderr, done.returncode


def faults(names, answers, errors, code):
    """What is not as promised."""
    found = []
    for name in names:
        answer = answers.get(name)
        named = f"/{name}: " in errors
        if answer is None and not named:
            found.append(f"{name}: neither answered nor named")
        elif name in SILENT and answer is not None and "label" in answer:
            found.append(f"{name}: holds no sound, and is answered: {answer['label']}")
        elif name not in SILENT and (answer is None or "label" not in answer):
            found.append(f"{name}: holds sound, and has no answer: {(answer or {}).get('error')}")
        elif name in (*HALVES, *JOINED) and not re.search("cut off: |longer: ", " ".join(answer["warnings"])):
            found.append(f"{name}: nothing is said of what is wrong with it")
    if code != 1:
        found.append(f"exit code {code}, where files were left out")
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ffmpeg", default=shutil.which("ffmpeg"), help="default: that on PATH")
    parser.add_argument("--sox", default=shutil.which("sox"), help="default: that on PATH")
    parser.add_argument("--keep", type=Path, help="folder for the files")
    options = parser.parse_args()
    if not options.ffmpeg and not options.sox:
        print("skipped: neither ffmpeg nor sox is installed")
        return 0
    for name in ("ffmpeg", "sox"):
        if not getattr(options, name):
            print(f"{name} is not installed: its files are skipped")
    with tempfile.TemporaryDirectory() as temporary:
        where = Path(temporary)
        folder = where / "calls"
        folder.mkdir()
        names = built(folder, options.ffmpeg, options.sox, print)
        answers, errors, code = heard(folder, where)
        found = faults(names, answers, errors, code)
        if options.keep:
            shutil.copytree(folder, options.keep, dirs_exist_ok=True)
    labelled = [name for name in answers if "label" in answers[name]]
    for name in labelled:
        for warning in answers[name]["warnings"]:
            print(f"  {name}: {warning}")
    print(errors.strip())
    print(
        f"{len(names)} files: {len(labelled)} answered, {len(names) - len(labelled)} named; exit code {code}"
    )
    for each in found:
        print(f"FAILED {each}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
