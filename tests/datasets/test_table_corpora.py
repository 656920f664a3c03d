from pathlib import Path

import pytest

from tests.datasets.corpora import groups, plant, refusal, stems
from voicelstm.datasets import (
    load_deepfake_eval_2024,
    load_fakeavceleb,
    load_famous_figures,
    load_in_the_wild,
    load_spoofceleb,
)


def below(root, corpus):
    return [Path(path).relative_to(root).as_posix() for path in corpus.recordings]


# In-the-Wild


@pytest.mark.parametrize("folder", ["", "release_in_the_wild/"])
def test_in_the_wild_spells_bona_fide_with_a_hyphen(tmp_path, folder):
    rows = "0.wav,Alec Guinness,spoof\n10.wav,Barack Obama,bona-fide\n4.wav,Alec Guinness,bona-fide\n"
    names = [f"{folder}{name}.wav" for name in (0, 4, 10)]
    plant(tmp_path, *names, texts={f"{folder}meta.csv": f"file,speaker,label\n{rows}"})
    corpus = load_in_the_wild(tmp_path)
    assert stems(corpus) == ["0", "10", "4"]
    assert corpus.target.tolist() == ["synthetic", "human", "human"]
    assert groups(corpus) == {"speaker": ["Alec Guinness", "Barack Obama", "Alec Guinness"]}
    assert stems(load_in_the_wild(tmp_path, where={"speaker": "Alec Guinness"})) == ["0", "4"]


def test_in_the_wild_refuses_a_file_that_is_listed_with_both_labels(tmp_path):
    table = "file,speaker,label\na.wav,A,spoof\n./a.wav,A,bona-fide\n"
    plant(tmp_path, "a.wav", texts={"meta.csv": table})
    assert "line 2 = line 3: a.wav" in refusal(load_in_the_wild, tmp_path)


def test_in_the_wild_lists_what_is_wrong_with_lines(tmp_path):
    table = "file,speaker,label\n0.wav,A,spoof\n1.wav,A,bona-fide\n0.wav,A,spoof\n2.wav,A,fake\n"
    plant(tmp_path, "0.wav", "2.wav", texts={"meta.csv": table})
    message = refusal(load_in_the_wild, tmp_path)
    assert "line 3: 1.wav" in message
    assert "line 2 = line 4: 0.wav" in message
    assert "line 5: 'fake'" in message
    assert "release_in_the_wild/meta.csv" in refusal(load_in_the_wild, tmp_path / "none")


# SpoofCeleb

SPOOFCELEB = """\
file,speaker,attack
a00/id10318/YYsxcZ5saac-00002-006.flac,id10318,a00
a06/id10318/YYsxcZ5saac-00002-006.flac,id10318,a06
a06/id10326/NKOA_Q89wDM-00066-003.flac,id10326,a06
"""
SPOOFCELEB_FILES = [line.split(",")[0] for line in SPOOFCELEB.splitlines()[1:]]


@pytest.mark.parametrize("home", ["", "spoofceleb/"])
def test_spoofceleb_names_files_with_folders_and_attack_00_is_human(tmp_path, home):
    plant(
        tmp_path,
        *(f"{home}flac/development/{name}" for name in SPOOFCELEB_FILES),
        texts={f"{home}metadata/development.csv": SPOOFCELEB},
    )
    corpus = load_spoofceleb(tmp_path, "development")
    assert below(tmp_path / home / "flac/development", corpus) == SPOOFCELEB_FILES
    assert corpus.target.tolist() == ["human", "synthetic", "synthetic"]
    assert groups(corpus) == {
        "speaker": ["id10318", "id10318", "id10326"],
        "system": ["human", "a06", "a06"],
    }
    assert len(load_spoofceleb(tmp_path, "development", where={"speaker": "id10318"}).recordings) == 2


def test_spoofceleb_lists_what_is_wrong_in_one_error(tmp_path):
    table = SPOOFCELEB + "x.flac,id1,b00\ny.flac,id1\n"
    plant(tmp_path, f"flac/train/{SPOOFCELEB_FILES[0]}", texts={"metadata/train.csv": table})
    message = refusal(load_spoofceleb, tmp_path)
    assert "line 3: a06/id10318/YYsxcZ5saac-00002-006.flac" in message
    assert "line 5: 'b00'" in message
    assert "line 6: 2 cells" in message
    assert "'a00', 'a01'" in message
    with pytest.raises(ValueError, match="'train', 'development', 'evaluation'"):
        load_spoofceleb(tmp_path, "dev")


def test_spoofceleb_refuses_an_attack_that_the_folder_contradicts(tmp_path):
    table = SPOOFCELEB.replace(",id10326,a06", ",id10326,a00")
    plant(tmp_path, *(f"flac/train/{name}" for name in SPOOFCELEB_FILES), texts={"metadata/train.csv": table})
    message = refusal(load_spoofceleb, tmp_path)
    assert "Clips in the folder of another label (1)" in message
    assert f"line 4: 'a00', in {SPOOFCELEB_FILES[2]}" in message


def test_columns_that_are_missing_are_named_together(tmp_path):
    plant(tmp_path, "flac/train/x.flac", texts={"metadata/train.csv": "path,speaker,label\nx.flac,a,a00\n"})
    message = refusal(load_spoofceleb, tmp_path)
    assert "Columns that the header lacks (2)" in message
    assert "    'file'\n    'attack'" in message
    assert "'path', 'speaker', 'label'" in message


# Deepfake-Eval-2024

DEEPFAKE_EVAL = """\
Filename,Finetuning Set,Ground Truth,Language,Notes
one.m4a,Train,Real,English,
two.mp4,Test,Fake,Hindi,"first, and last"
three.dat,Test,Real,English,
"""


@pytest.mark.parametrize("home", ["", "Deepfake-Eval-2024/"])
def test_deepfake_eval_2024_has_films_among_its_audio_and_keeps_further_columns(tmp_path, home):
    files = ["one.m4a", "two.mp4", "three.dat"]
    plant(
        tmp_path,
        *(f"{home}audio-data/{name}" for name in files),
        texts={f"{home}audio-metadata-publish.csv": DEEPFAKE_EVAL},
    )
    corpus = load_deepfake_eval_2024(tmp_path)
    assert below(tmp_path / home / "audio-data", corpus) == files
    assert corpus.target.tolist() == ["human", "synthetic", "human"]
    assert groups(corpus) == {
        "partition": ["train", "test", "test"],
        "Language": ["English", "Hindi", "English"],
        "Notes": ["", "first, and last", ""],
    }
    assert stems(load_deepfake_eval_2024(tmp_path, "test")) == ["two", "three"]


def test_deepfake_eval_2024_lists_what_is_wrong_in_one_error(tmp_path):
    table = DEEPFAKE_EVAL + "four.mp3,Test,Unknown,English,\n"
    plant(tmp_path, "audio-data/one.m4a", "audio-data/four.mp3", texts={"audio-metadata-publish.csv": table})
    message = refusal(load_deepfake_eval_2024, tmp_path)
    assert "line 3: two.mp4" in message
    assert "line 4: three.dat" in message
    assert "line 5: 'unknown'" in message


# FakeAVCeleb

FAKEAVCELEB = "source,target1,target2,method,category,type,race,gender,path,\n" + "".join(
    f"{before},{kind},{race},men,{name},FakeAVCeleb/{kind}/{race}/men/{before[:7]}\n"
    for before, kind, race, name in [
        ("id00076,-,-,real,A", "RealVideo-RealAudio", "African", "00109.mp4"),
        ("id00076,-,-,rtvc,B", "RealVideo-FakeAudio", "African", "00109_fake.mp4"),
        ("id05332,id04774,-,fsgan,C", "FakeVideo-RealAudio", "Asian (East)", "1_id04774.mp4"),
        ("id05332,id04774,-,wav2lip,D", "FakeVideo-FakeAudio", "Asian (East)", "1_id04774.mp4"),
    ]
)
FAKEAVCELEB_FILES = [
    "RealVideo-RealAudio/African/men/id00076/00109.mp4",
    "RealVideo-FakeAudio/African/men/id00076/00109_fake.mp4",
    "FakeVideo-RealAudio/Asian (East)/men/id05332/1_id04774.mp4",
    "FakeVideo-FakeAudio/Asian (East)/men/id05332/1_id04774.mp4",
]


@pytest.mark.parametrize("home", ["", "FakeAVCeleb/", "FakeAVCeleb_v1.2/"])
def test_fakeavceleb_labels_the_sound_and_finds_films_by_a_column_without_name(tmp_path, home):
    texts = {f"{home}meta_data.csv": FAKEAVCELEB}
    plant(tmp_path, *(f"{home}{name}" for name in FAKEAVCELEB_FILES), texts=texts)
    corpus = load_fakeavceleb(tmp_path)
    assert below(tmp_path / home, corpus) == FAKEAVCELEB_FILES
    assert corpus.target.tolist() == ["human", "synthetic", "human", "synthetic"]
    assert groups(corpus) == {
        "speaker": ["id00076", "id00076", "id05332", "id05332"],
        "type": [name.split("/")[0] for name in FAKEAVCELEB_FILES],
        "method": ["real", "rtvc", "fsgan", "wav2lip"],
        "category": list("ABCD"),
        "race": ["African", "African", "Asian (East)", "Asian (East)"],
        "gender": ["men"] * 4,
    }
    assert "left out" not in corpus.DESCR


def test_fakeavceleb_refuses_a_film_of_two_labels_and_a_type_that_the_folder_contradicts(tmp_path):
    first = FAKEAVCELEB.splitlines()[1]
    table = f"{FAKEAVCELEB}{first.replace('RealAudio,', 'FakeAudio,')}\n"
    plant(tmp_path, *FAKEAVCELEB_FILES, texts={"meta_data.csv": table})
    message = refusal(load_fakeavceleb, tmp_path)
    assert "The same clip with two labels (1)" in message
    place = f"line 2 = line 6: {FAKEAVCELEB_FILES[0]}, 'RealVideo-RealAudio' and 'RealVideo-FakeAudio'"
    assert place in message
    assert f"line 6: 'RealVideo-FakeAudio', in {FAKEAVCELEB_FILES[0]}" in message


def test_fakeavceleb_keeps_the_first_of_rows_that_name_a_film_twice_and_says_so(tmp_path):
    last = FAKEAVCELEB.splitlines()[-1]
    table = f"{FAKEAVCELEB}{last.replace('wav2lip', 'faceswap-wav2lip')}\n"
    plant(tmp_path, *FAKEAVCELEB_FILES, texts={"meta_data.csv": table})
    corpus = load_fakeavceleb(tmp_path)
    assert corpus.groups["method"].tolist() == ["real", "rtvc", "fsgan", "wav2lip"]
    assert "4 of 5 rows" in corpus.DESCR
    assert "1 of its rows name a clip again" in corpus.DESCR


def test_fakeavceleb_lists_what_is_wrong_in_one_error(tmp_path):
    table = FAKEAVCELEB.replace("C,FakeVideo-RealAudio", "C,FakeVideo")
    plant(tmp_path, *FAKEAVCELEB_FILES[:1], texts={"meta_data.csv": table})
    message = refusal(load_fakeavceleb, tmp_path)
    assert "line 3: RealVideo-FakeAudio/African/men/id00076/00109_fake.mp4" in message
    assert "line 4: 'FakeVideo'" in message
    assert "meta_data.csv, whose last column, without a name, is a folder" in message


# Famous Figures

FAMOUS = [
    "AudioName\tSpeaker\tSource\tLabel\tAudioPath",
    "1.wav\tDonald_Trump\t-\tbonafide\t/nfs/turbo/famousfigures/Donald_Trump/-/1.wav",
    "2.wav\tDonald_Trump\txtts\tspoof\t/nfs/turbo/famousfigures/Donald_Trump/xtts/2.wav",
    '3 "b".wav\tJoe_Biden\tBonafide\tBona-fide\tJoe_Biden/Bonafide/3 "b".wav',
]
FAMOUS_FILES = ["Donald_Trump/Bonafide/1.wav", "Donald_Trump/xtts/2.wav", 'Joe_Biden/Bonafide/3 "b".wav']


@pytest.mark.parametrize("home", ["", "famousfigures/"])
def test_famous_figures_end_lines_as_windows_does_and_paths_are_of_another_disk(tmp_path, home):
    plant(tmp_path, *(f"{home}{name}" for name in FAMOUS_FILES))
    (tmp_path / home / "protocol.txt").write_bytes("\r\n".join([*FAMOUS, ""]).encode())
    corpus = load_famous_figures(tmp_path)
    assert below(tmp_path / home, corpus) == FAMOUS_FILES
    assert corpus.target.tolist() == ["human", "synthetic", "human"]
    assert groups(corpus) == {
        "speaker": ["Donald_Trump", "Donald_Trump", "Joe_Biden"],
        "system": ["human", "xtts", "human"],
    }


def test_famous_figures_list_what_is_wrong_in_one_error(tmp_path):
    lines = [*FAMOUS, "4.wav\tJoe_Biden\txtts\tfake\tJoe_Biden/xtts/4.wav", "5.wav\tJoe_Biden\txtts\tspoof"]
    plant(tmp_path, *FAMOUS_FILES[:2], texts={"protocol.txt": "\n".join(lines)})
    message = refusal(load_famous_figures, tmp_path)
    assert 'line 4: Joe_Biden/Bonafide/3 "b".wav' in message
    assert "line 5: 'fake'" in message
    assert "line 6: 4 cells" in message
    assert "AudioName, Speaker, Source, Label and AudioPath between tabs" in message
