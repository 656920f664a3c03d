import pytest

from tests.datasets.corpora import groups, plant, refusal, stems
from voicelstm.datasets import load_add2023, load_codecfake, load_decro

# Codecfake

CODECFAKE = "SSB13650058.wav real 0\nF01_SSB13650058.wav fake 1\nF02_SSB13650058.wav fake 2\n"
COPIES = ["SSB13650058", "F01_SSB13650058", "F02_SSB13650058"]


@pytest.mark.parametrize("home", ["", "Codecfake/"])
@pytest.mark.parametrize(
    ("partition", "folder"), [("train", "train"), ("dev", "dev"), ("C7", "test/C7"), ("A1", "A1")]
)
def test_codecfake_is_read_without_header_and_says_which_codec_made_a_copy(tmp_path, home, partition, folder):
    clips = [f"{home}{folder}/{name}.wav" for name in COPIES]
    plant(tmp_path, *clips, texts={f"{home}label/{partition}.txt": CODECFAKE})
    corpus = load_codecfake(tmp_path, partition)
    assert stems(corpus) == COPIES
    assert corpus.target.tolist() == ["human", "synthetic", "synthetic"]
    assert groups(corpus) == {"system": ["human", "F01", "F02"], "utterance": ["SSB13650058"] * 3}


def test_codecfake_lists_what_is_wrong_in_one_error(tmp_path):
    text = CODECFAKE + "p225_001.wav bonafide 0\nF03_SSB13650058.wav fake\nF01_SSB13650058.wav fake 1\n"
    plant(tmp_path, "train/SSB13650058.wav", texts={"label/train.txt": text})
    message = refusal(load_codecfake, tmp_path)
    assert message.startswith(str(tmp_path / "label" / "train.txt"))
    assert "line 3: F02_SSB13650058.wav" in message
    assert "line 4: 'bonafide'" in message
    assert "Expected one of 'real', 'fake'" in message
    assert "line 5: 2 columns" in message
    assert "line 2 = line 6: F01_SSB13650058.wav" in message
    assert "label/train.txt, with lines such as F01_SSB13650058.wav fake 1, and train/*.wav" in message


# DECRO

DECRO = """\
unknown 20032115 - baidu spoof
G0019 T0055G0019S0420 - aidatatang bonafide
5_541 5_541_20170608085725 - magicdata bonafide
"""


def test_decro_says_language_system_and_the_corpus_that_human_clips_are_from(tmp_path):
    names = ["20032115", "T0055G0019S0420", "5_541_20170608085725"]
    plant(tmp_path, *(f"ch_dev/{name}.wav" for name in names), texts={"ch_dev.txt": DECRO})
    corpus = load_decro(tmp_path, "ch", "dev")
    assert stems(corpus) == names
    assert corpus.target.tolist() == ["synthetic", "human", "human"]
    assert groups(corpus) == {
        "speaker": ["unknown", "G0019", "5_541"],
        "system": ["baidu", "human", "human"],
        "source": ["baidu", "aidatatang", "magicdata"],
    }
    assert stems(load_decro(tmp_path, "ch", "dev", where={"source": ["baidu", "magicdata"]})) == [
        names[0], names[2]
    ]  # fmt: skip
    message = refusal(load_decro, tmp_path, "en", "eval")
    assert "en_eval.txt, with lines such as unknown 20032115 - baidu spoof, and en_eval/*.wav" in message


def test_decro_refuses_a_table_and_files_that_are_missing(tmp_path):
    plant(tmp_path, "en_dev/a.wav", texts={"en_dev.txt": "a,spoof\nunknown b - baidu spoof\n"})
    message = refusal(load_decro, tmp_path, "en", "dev")
    assert "line 1: 1 columns: 'a,spoof'" in message
    assert "line 2: b.wav" in message


# ADD 2023


def test_add_2023_has_genuine_and_fake_clips_and_no_groups(tmp_path):
    names = [f"ADD2023_T1.2R2_E_0000000{number}" for number in (3, 4, 6)]
    labels = dict(zip(names, ["genuine", "fake", "genuine"], strict=True))
    text = "".join(f"{name}.wav {label}\n" for name, label in labels.items())
    home = tmp_path / "Track1.2" / "testR2"
    plant(home, *(f"wav/{name}.wav" for name in names), texts={"label.txt": text, "log.txt": ""})
    corpus = load_add2023(home)
    assert stems(corpus) == names
    assert corpus.target.tolist() == ["human", "synthetic", "human"]
    assert corpus.groups == {}
    message = refusal(load_add2023, tmp_path)
    assert "Track1.2/testR2/label.txt" in message


def test_add_2023_refuses_other_labels_and_missing_files(tmp_path):
    plant(tmp_path, "wav/a.wav", texts={"label.txt": "a.wav real\nb.wav genuine\nc.wav fake\n"})
    message = refusal(load_add2023, tmp_path)
    assert "line 1: 'real'" in message
    assert "line 2: b.wav" in message
    assert "line 3: c.wav" in message


@pytest.mark.parametrize(
    ("load", "arguments", "choices"),
    [
        (load_codecfake, {"partition": "C8"}, "'train', 'dev', 'C1'"),
        (load_decro, {"language": "de"}, "'en', 'ch'"),
        (load_decro, {"partition": "test"}, "'train', 'dev', 'eval'"),
    ],
)
def test_an_unknown_choice_is_refused_with_those_there_are(tmp_path, load, arguments, choices):
    with pytest.raises(ValueError, match=choices):
        load(tmp_path, **arguments)
