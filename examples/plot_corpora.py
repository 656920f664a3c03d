"""
Corpora, each in a layout of its own
====================================

Published corpora list their clips in different ways, and a reader for each makes the same of all of them:
paths, labels and groups. Here are six of the ways, on small trees of simulated voices that this script
writes, and then a detector that trains on one tree and is asked about another. :ref:`corpora` lists all
readers.
"""

# %%
# Simulated voices stand for the corpora, written as WAV files.

from pathlib import Path
from tempfile import TemporaryDirectory

import scipy.io.wavfile

from voicelstm.datasets import make_voices

voices = make_voices(320, random_state=0)
y, speaker, system = voices.target, voices.groups["speaker"], voices.groups["system"]
folder = TemporaryDirectory()
home = Path(folder.name)


def write(name, content):
    """Write lines of a text file, or a voice as a WAV file, and the folders that it needs."""
    file = home / name
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, list):
        file.write_text("\n".join(content) + "\n")
    else:
        samples, sample_rate = voices.recordings[content]
        scipy.io.wavfile.write(file, sample_rate, samples)


# %%
# A list of words
# ---------------
# DECRO has a text file for each language and part: speaker, clip, a dash, what made it, and a key. ASVspoof,
# PartialSpoof, Codecfake and ADD 2023 have lists too.

from voicelstm.datasets import load_decro

keys = {"human": "bonafide", "synthetic": "spoof"}
lines = []
for at in range(200):
    lines.append(f"{speaker[at]} {at} - {system[at]} {keys[y[at]]}")
    write(f"decro/en_train/{at}.wav", at)
write("decro/en_train.txt", lines)
print(*lines[:2], sep="\n")

train = load_decro(home / "decro", "en", "train")
print(train.DESCR)

# %%
# A table with a header
# ---------------------
# SpoofCeleb has a table for each part, and no column of labels: the attack a00 is none. In-the-Wild,
# Deepfake-Eval-2024, FakeAVCeleb and Famous Figures have tables too.

from voicelstm.datasets import load_spoofceleb

attacks = {"human": "a00", **{f"synthetic-{number}": f"a{number + 1:02}" for number in range(6)}}
lines = ["file,speaker,attack"]
for at in range(200, 300):
    attack = attacks[system[at]]
    file = f"{attack}/{speaker[at]}/{at}.wav"
    lines.append(f"{file},{speaker[at]},{attack}")
    write(f"spoofceleb/flac/evaluation/{file}", at)
write("spoofceleb/metadata/evaluation.csv", lines)
print(*lines[:3], sep="\n")

test = load_spoofceleb(home / "spoofceleb", "evaluation")
print(test.DESCR)

# %%
# Folders
# -------
# LibriSeVoc has a folder ``gt`` for recordings and one for each vocoder that made them anew. The files' names
# say which clips belong together. DFADD, WaveFake and Fake-or-Real are folders too.

from voicelstm.datasets import load_librisevoc

write("LibriSeVoc/gt/8_1_000006_000009.wav", 300)
for vocoder in ("melgan", "wavernn"):
    write(f"LibriSeVoc/{vocoder}/8_1_000006_000009_gen.wav", 301)
copies = load_librisevoc(home / "LibriSeVoc")
for name, group in copies.groups.items():
    print(name, group.tolist())

# %%
# A table of each system
# ----------------------
# MLAAD has a table beside the clips of each system. The human recordings are those of another corpus, whose
# folder `human` names. Quotes in these tables are part of what is said.

from voicelstm.datasets import load_mlaad

write("M-AILABS/en_US/by_book/female/mary/emma/wavs/emma_01.wav", 302)
write("MLAAD/fake/en/tts/emma_01.wav", 303)
header = "path|original_file|language|model_name|architecture|transcript"
row = './fake/en/tts/emma_01.wav|en_US/by_book/female/mary/emma/wavs/emma_01.wav|en|tts|vits|"Well'
write("MLAAD/fake/en/tts/meta.csv", [header, row])
for name, group in load_mlaad(home / "MLAAD", human=home / "M-AILABS").groups.items():
    print(name, group.tolist())

# %%
# Lists of parts
# --------------
# LlamaPartialSpoof has clips of which a part is synthetic: clip, duration, key, and where the parts are.
# PartialSpoof keeps them in a file of arrays.

from voicelstm.datasets import load_llama_partialspoof

write("llama/R01TTS.0.a/dev01_8_1_000006_000009.wav", 304)
write("llama/R01TTS.0.a/dev01_8_1_000007_000000_partial.wav", 305)
lines = [
    "dev01_8_1_000006_000009 1.00 bonafide 0.00-1.00-bonafide",
    "dev01_8_1_000007_000000_partial 1.00 spoof 0.00-0.60-bonafide 0.60-1.00-spoof",
]
write("llama/label_R01TTS.0.a.txt", lines)
partial = load_llama_partialspoof(home / "llama", "a")
print(partial.target.tolist(), partial.groups["extent"].tolist())
print(partial.segments[1])

# %%
# Any other list
# --------------
# :func:`~voicelstm.datasets.load_csv` reads what someone made of a corpus, whatever its columns are called
# and whatever stands between them; or a data frame.

from voicelstm.datasets import load_csv

write("own/1.wav", 306)
write("own/2.wav", 307)
write("own/list.txt", ["1.wav|ana|real", "2.wav|ana|fake"])
own = load_csv(
    home / "own" / "list.txt",
    delimiter="|",
    columns=["path", "speaker", "label"],
    labels={"real": "human", "fake": "synthetic"},
)
print(own.target.tolist(), own.groups["speaker"].tolist())

# %%
# What is wrong is said at once
# -----------------------------
# Missing files, unknown labels and lines of another form come in one error, which says how the corpus is laid
# out.

from voicelstm.exceptions import DatasetError

write("other/en_dev/1.wav", 308)
write("other/en_dev.txt", ["ana 1 - human bonafide", "ana 2 - tts spoof", "ana 3 - tts false", "ana 4 spoof"])
try:
    load_decro(home / "other", "en", "dev")
except DatasetError as error:
    print(error)

# %%
# Train on one, test on another
# -----------------------------
# Both are paths, labels and groups, so that the same lines work for any two corpora. (These two have the same
# simulated speakers; others do not.) Scores go to a file that the challenges' tools read.

from voicelstm import detect, evaluate, make_detector
from voicelstm.datasets import write_scores

detector = make_detector("dynamics", random_state=0).fit(train.recordings, train.target)
found = evaluate(detector, test.recordings, test.target, groups={"system": test.groups["system"]})
print(found)

scores = [answer.score for answer in detect(detector, test.recordings)]
write_scores(home / "scores.txt", [Path(file).stem for file in test.recordings], scores)
print(*(home / "scores.txt").read_text().splitlines()[:3], sep="\n")
folder.cleanup()
