import re

import numpy as np
import pytest

from tests.datasets.corpora import groups, plant, refusal, stems
from voicelstm.datasets import load_llama_partialspoof, load_partialspoof

PROTOCOL = "protocols/PartialSpoof_LA_cm_protocols/PartialSpoof.LA.cm.dev.trl.txt"
LINES = "LA_0069 LA_D_1047731 - - bonafide\nLA_0069 CON_D_0000000 - CON spoof\n"
NAMES = ["LA_D_1047731", "CON_D_0000000"]

# PartialSpoof


@pytest.mark.parametrize("home", ["", "database/"])
def test_partialspoof_has_the_columns_of_2019_and_waves_in_con_wav(tmp_path, home):
    plant(tmp_path, *(f"{home}dev/con_wav/{name}.wav" for name in NAMES), texts={f"{home}{PROTOCOL}": LINES})
    corpus = load_partialspoof(tmp_path, "dev")
    assert stems(corpus) == NAMES
    assert corpus.target.tolist() == ["human", "synthetic"]
    assert groups(corpus) == {"speaker": ["LA_0069", "LA_0069"], "system": ["human", "CON"]}
    assert "segments" not in corpus


@pytest.mark.parametrize("home", ["", "database/"])
def test_partialspoof_reads_which_parts_are_synthetic(tmp_path, home):
    plant(tmp_path, *(f"{home}dev/con_wav/{name}.wav" for name in NAMES), texts={f"{home}{PROTOCOL}": LINES})
    (tmp_path / home / "segment_labels").mkdir()
    # As in the release: strings, "1" for bona fide, and clips in another order than the protocol's.
    labels = {
        "CON_D_0000000": np.array(list("1001")),
        "LA_D_1047731": np.array(list("11")),
        "x": np.array(["0"]),
    }
    np.save(tmp_path / home / "segment_labels" / "dev_seglab_0.64.npy", labels)
    corpus = load_partialspoof(tmp_path, "dev", segments=0.64)
    assert [each.tolist() for each in corpus.segments] == [
        [(0.0, 1.28, "human")],
        [
            (0.0, 0.64, "human"),
            (0.64, pytest.approx(1.92), "synthetic"),
            (pytest.approx(1.92), 2.56, "human"),
        ],
    ]
    assert len(load_partialspoof(tmp_path, "dev", return_X_y=True)) == 2
    with pytest.raises(ValueError, match="leave return_X_y or segments out"):
        load_partialspoof(tmp_path, "dev", segments=0.64, return_X_y=True)
    message = refusal(load_partialspoof, tmp_path, "dev", segments=0.01)
    assert "segment_labels/dev_seglab_0.01.npy" in message
    assert "database_segment_labels_v1.2.tar.gz" in message


def test_partialspoof_names_clips_without_labels_of_segments_or_with_others(tmp_path):
    plant(tmp_path, *(f"dev/con_wav/{name}.wav" for name in NAMES), texts={PROTOCOL: LINES})
    (tmp_path / "segment_labels").mkdir()
    np.save(tmp_path / "segment_labels" / "dev_seglab_0.16.npy", {NAMES[0]: np.array(["1", "spoof"])})
    message = refusal(load_partialspoof, tmp_path, "dev", segments=0.16)
    assert (
        f"Clips without labels of segments (1). Fetch the file of this partition.\n    {NAMES[1]}" in message
    )
    assert "Segments with another label" in message


def test_partialspoof_lists_what_is_wrong_in_one_error(tmp_path):
    lines = LINES + "LA_0069 CON_D_1 - CON fake\nLA_0069 CON_D_2 CON spoof\n"
    plant(tmp_path, f"dev/con_wav/{NAMES[0]}.wav", texts={PROTOCOL: lines})
    message = refusal(load_partialspoof, tmp_path, "dev")
    assert "line 2: CON_D_0000000.wav" in message
    assert "line 3: 'fake'" in message
    assert "line 4: 4 columns" in message


# LlamaPartialSpoof

LLAMA = {
    "dev-clean_84_121550_000007_000000": "2.5000 bonafide 0.0000-2.5000-bonafide",
    "dev_84_full": "2.2500 spoof 0.0000-2.2500-spoof",
    "dev_251_partial": "3.0000 spoof 0.0000-1.0000-bonafide 1.0000-2.0000-spoof 2.0000-3.0000-bonafide",
}


def llama(root, part, clips):
    waves = [f"R01TTS.0.{part}/{name}.wav" for name in clips]
    text = "".join(f"{name} {rest}\n" for name, rest in clips.items())
    return plant(root, *waves, texts={f"label_R01TTS.0.{part}.txt": text})


def test_llama_partialspoof_has_duration_key_and_segments(tmp_path):
    corpus = load_llama_partialspoof(llama(tmp_path, "a", LLAMA))
    assert stems(corpus) == list(LLAMA)
    assert corpus.target.tolist() == ["human", "synthetic", "synthetic"]
    assert groups(corpus) == {"speaker": ["84", "84", "251"], "extent": ["human", "full", "partial"]}
    assert corpus.segments[2].tolist() == [(0.0, 1.0, "human"), (1.0, 2.0, "synthetic"), (2.0, 3.0, "human")]
    kept = load_llama_partialspoof(tmp_path, where={"extent": ["human", "partial"]})
    assert [len(each) for each in kept.segments] == [1, 3]


def test_llama_partialspoof_joins_its_parts(tmp_path):
    llama(tmp_path, "a", LLAMA)
    other = {"dev_84_partial_cut": "2.0 spoof 0.0-1.5-spoof 1.5-2.0-bonafide"}
    llama(tmp_path, "b", other)
    assert stems(load_llama_partialspoof(tmp_path, None)) == [*LLAMA, *other]
    assert "Only one class" in refusal(load_llama_partialspoof, tmp_path, "b")


def test_llama_partialspoof_lists_what_is_wrong_in_one_error(tmp_path):
    clips = {
        **LLAMA,
        "dev_84_x": "2.0 spoof 0.0-2.0-fake",
        "nameless": "2.0 spoof 0.0-2.0-spoof",
        "dev_84_y": "2.0 fake 0.0-2.0-spoof",
    }
    llama(tmp_path, "a", clips)
    (tmp_path / "R01TTS.0.a" / "dev_84_full.wav").unlink()
    message = refusal(load_llama_partialspoof, tmp_path)
    assert "line 2: dev_84_full.wav" in message
    assert "line 4 of part a: 'dev_84_x 2.0 spoof 0.0-2.0-fake'" in message
    assert "line 5 of part a" in message
    assert "line 6: 'fake'" in message


@pytest.mark.parametrize(
    ("load", "arguments", "choices"),
    [
        (load_partialspoof, {"partition": "test"}, "'train', 'dev', 'eval'"),
        (load_partialspoof, {"segments": 0.1}, "0.01, 0.02"),
        (load_llama_partialspoof, {"partition": "c"}, "'a', 'b', None"),
    ],
)
def test_an_unknown_choice_is_refused_with_those_there_are(tmp_path, load, arguments, choices):
    with pytest.raises(ValueError, match=re.escape(choices)):
        load(tmp_path, **arguments)
