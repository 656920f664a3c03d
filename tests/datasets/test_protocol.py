import re
from pathlib import Path

import pytest

from tests.datasets.corpora import flac, plant, refusal
from voicelstm.datasets import (
    load_asvspoof5,
    load_asvspoof2019,
    load_asvspoof2021,
    load_codecfake,
    load_decro,
    load_deepfake_eval_2024,
    load_fake_or_real,
    load_famous_figures,
    load_mlaad,
    load_partialspoof,
    load_spoofceleb,
)
from voicelstm.datasets._problems import Problems
from voicelstm.datasets._protocol import audio_by_stem, named_words, read_lines
from voicelstm.datasets._records import Records

LA_2019 = "ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.train.trn.txt"


def test_bad_lines_of_a_protocol_are_named_with_file_and_number(tmp_path):
    protocol = (
        "LA_0079 LA_T_1 - - bonafide\n"
        "\n"
        "LA_0079 LA_T_2 - A01 spoofed\n"
        "LA_0079 LA_T_3 - spoof\n"
        "LA_0079 LA_T_4 - A01 spoof extra\n"
        "LA_0079 LA_T_1 - A01 spoof\n"
    )
    plant(tmp_path, *flac("ASVspoof2019_LA_train/flac", "LA_T_1"), texts={LA_2019: protocol})
    message = refusal(load_asvspoof2019, tmp_path)
    assert message.startswith(str(tmp_path / LA_2019))
    assert "line 3: 'spoofed'" in message
    assert "line 4: 4 columns" in message
    assert "line 5: 6 columns" in message
    assert "line 1 = line 6: LA_T_1" in message
    assert "SPEAKER CLIP - SYSTEM KEY" in message


def test_bad_lines_and_missing_files_are_in_one_error(tmp_path):
    protocol = "S LA_T_1 - - bonafide\nS LA_T_2 - A01 fake\nS LA_T_3 - spoof\nS LA_T_4 - A01 spoof\n"
    plant(tmp_path, *flac("ASVspoof2019_LA_train/flac", "LA_T_1"), texts={LA_2019: protocol})
    message = refusal(load_asvspoof2019, tmp_path)
    assert "line 2: 'fake'" in message
    assert "line 3: 4 columns" in message
    assert "line 4: LA_T_4.flac" in message


def test_many_missing_files_are_one_short_error_that_tells_the_layout(tmp_path):
    lines = [f"LA_0079 LA_T_{i} - {'A01 spoof' if i % 2 else '- bonafide'}\n" for i in range(500)]
    plant(tmp_path, *flac("ASVspoof2019_LA_train/flac", "LA_T_0"), texts={LA_2019: "".join(lines)})
    message = refusal(load_asvspoof2019, tmp_path)
    assert "Missing files (499)" in message
    assert "line 2: LA_T_1.flac" in message
    assert "and 479 more" in message
    assert str(tmp_path / "ASVspoof2019_LA_train/flac") in message
    assert "LA/ASVspoof2019_LA_train/flac/*.flac" in message
    assert len(message.splitlines()) < 30


@pytest.mark.parametrize(
    ("load", "arguments", "choices"),
    [
        (load_asvspoof2019, {"scenario": "DF"}, "'LA', 'PA'"),
        (load_asvspoof2019, {"partition": "test"}, "'train', 'dev', 'eval'"),
        (load_asvspoof2021, {"track": "VC"}, "'LA', 'DF', 'PA'"),
        (load_asvspoof2021, {"partition": "train"}, "'eval', 'progress', 'hidden', None"),
        (load_asvspoof5, {"partition": "test"}, "'train', 'dev', 'eval'"),
        (load_fake_or_real, {"version": "for-norm"}, "'original', 'norm', '2sec', 'rerec'"),
        (load_fake_or_real, {"partition": "train"}, "'training', 'validation', 'testing', None"),
    ],
)
def test_an_unknown_choice_is_refused_with_those_there_are(tmp_path, load, arguments, choices):
    with pytest.raises(ValueError, match=re.escape(choices)):
        load(tmp_path, **arguments)


def test_lines_keep_their_numbers_and_blank_ones_are_passed_over(tmp_path):
    path = tmp_path / "protocol.txt"
    path.write_bytes("\ufeffa b\r\n\r\n  \n\tc  d\te \n".encode())
    assert read_lines(path, Problems("")) == [(1, ["a", "b"]), (4, ["c", "d", "e"])]
    empty = plant(tmp_path, texts={"empty.txt": " \n"}) / "empty.txt"
    assert "No lines" in refusal(read_lines, empty, Problems("empty.txt"))


def test_words_get_their_names_and_others_are_noted():
    lines = [(3, ["u1", "s1", "-", "bonafide"]), (5, ["u2", "s1", "-", "spoof"]), (6, ["u3", "spoof"])]
    problems = Problems("protocol.txt")
    records = named_words(lines, ("clip", "speaker", "", "key"), problems)
    columns = {"clip": ["u1", "u2"], "speaker": ["s1", "s1"], "key": ["bonafide", "spoof"]}
    assert records == Records(columns, [3, 5])
    assert "line 6: 2 columns: 'u3', 'spoof'" in refusal(problems.raise_any)


def test_the_first_folder_that_has_a_clip_counts_and_what_is_no_audio_does_not(tmp_path):
    plant(
        tmp_path,
        "a/x.flac",
        "b/x.wav",
        "b/y.wav",
        "b/y.txt",
        "b/.z.wav",
        "b/deep/w.wav",
        "b/folder.wav/v.txt",
    )
    (tmp_path / "b" / "l.wav").symlink_to(tmp_path / "b" / "y.wav")
    links = set()
    assert audio_by_stem([tmp_path / "a", tmp_path / "b"], ".wav", links) == {
        "x": str(tmp_path / "a" / "x.flac"),
        "y": str(tmp_path / "b" / "y.wav"),
        "l": str(tmp_path / "b" / "l.wav"),
    }
    assert links == {str(tmp_path / "b" / "l.wav")}


@pytest.mark.parametrize(
    ("load", "column", "files", "lists"),
    [
        (
            load_asvspoof2021,
            "subset",
            flac("flac", *"abcd"),
            {
                "trial_metadata.txt": (
                    "S a none - bonafide bonafide notrim eval\nS b none - A07 spoof notrim eval\n"
                    "S c none - bonafide bonafide notrim progress\nS d none - A07 spoof notrim progress\n"
                )
            },
        ),
        (
            load_deepfake_eval_2024,
            "partition",
            [f"audio-data/{name}.mp3" for name in "abcd"],
            {
                "audio-metadata-publish.csv": (
                    "Filename,Finetuning Set,Ground Truth\n"
                    "a.mp3,Train,Real\nb.mp3,Train,Fake\nc.mp3,Test,Real\nd.mp3,Test,Fake\n"
                )
            },
        ),
    ],
    ids=["load_asvspoof2021", "load_deepfake_eval_2024"],
)
def test_a_partition_that_where_contradicts_is_refused(tmp_path, load, column, files, lists):
    plant(tmp_path, *files, texts=lists)
    one, other = ("eval", "progress") if column == "subset" else ("train", "test")
    assert [Path(path).stem for path in load(tmp_path, partition=one).recordings] == ["a", "b"]
    for wanted in (other, [one, other]):
        with pytest.raises(ValueError, match="give partition=None"):
            load(tmp_path, partition=one, where={column: wanted})
    kept = load(tmp_path, partition=None, where={column: other})
    assert [Path(path).stem for path in kept.recordings] == ["c", "d"]
    same = load(tmp_path, partition=one, where={column: [one]})
    assert [Path(path).stem for path in same.recordings] == ["a", "b"]


MLAAD = "path|original_file|language|duration|model_name|architecture|transcript\n"
#: A reader, its arguments, its files, and its list of a human clip and of one of the system "A01" or "a01".
WITH_SYSTEMS = [
    (
        load_asvspoof2019,
        {},
        flac("ASVspoof2019_LA_train/flac", "h", "s"),
        {LA_2019: "S h - - bonafide\nS s - A01 spoof\n"},
    ),
    (
        load_asvspoof2021,
        {},
        flac("flac", "h", "s"),
        {
            "trial_metadata.txt": (
                "S h none - bonafide bonafide notrim eval\nS s none - A01 spoof notrim eval\n"
            )
        },
    ),
    (
        load_asvspoof5,
        {},
        flac("flac_T", "h", "s"),
        {"ASVspoof5.train.tsv": "S h F - - - AC1 bonafide bonafide -\nS s F - - - AC1 A01 spoof -\n"},
    ),
    (
        load_codecfake,
        {},
        ["train/h.wav", "train/s.wav"],
        {"label/train.txt": "h.wav real 0\ns.wav fake A01\n"},
    ),
    (
        load_decro,
        {},
        ["en_train/h.wav", "en_train/s.wav"],
        {"en_train.txt": "S h - magicdata bonafide\nS s - A01 spoof\n"},
    ),
    (
        load_partialspoof,
        {},
        ["train/con_wav/h.wav", "train/con_wav/s.wav"],
        {
            "protocols/PartialSpoof_LA_cm_protocols/PartialSpoof.LA.cm.train.trl.txt": (
                "S h - - bonafide\nS s - A01 spoof\n"
            )
        },
    ),
    (
        load_spoofceleb,
        {},
        flac("flac/train/a00/i", "h") + flac("flac/train/a01/i", "s"),
        {"metadata/train.csv": "file,speaker,attack\na00/i/h.flac,i,a00\na01/i/s.flac,i,a01\n"},
    ),
    (
        load_famous_figures,
        {},
        ["D/Bonafide/h.wav", "D/A01/s.wav"],
        {
            "protocol.txt": (
                "AudioName\tSpeaker\tSource\tLabel\tAudioPath\n"
                "h.wav\tD\t-\tbonafide\tD/-/h.wav\ns.wav\tD\tA01\tspoof\tD/A01/s.wav\n"
            )
        },
    ),
    (
        load_mlaad,
        {"human": "readers"},
        ["fake/en/A01/s.wav", "readers/en_US/by_book/male/r/b/wavs/h.wav"],
        {"fake/en/A01/meta.csv": f"{MLAAD}./fake/en/A01/s.wav|en_US/x/h.wav|en|2.5|A01|kind|Yes\n"},
    ),
]


@pytest.mark.parametrize(
    ("load", "arguments", "files", "lists"), WITH_SYSTEMS, ids=[each[0].__name__ for each in WITH_SYSTEMS]
)
def test_where_keeps_human_clips_by_the_system_that_groups_call_human(
    tmp_path, load, arguments, files, lists
):
    plant(tmp_path, *files, texts=lists)
    arguments = {name: tmp_path / value for name, value in arguments.items()}
    corpus = load(tmp_path, **arguments)
    systems = set(corpus.groups["system"].tolist())
    assert corpus.groups["system"][corpus.target == "human"].tolist() == ["human"]
    assert systems - {"human"} <= {"A01", "a01"}
    kept = load(tmp_path, **arguments, where={"system": list(systems)})
    assert kept.recordings == corpus.recordings
    message = refusal(load, tmp_path, **arguments, where={"system": "human"})
    assert "Only one class" in message
    assert "'human': 1 recording" in message


@pytest.mark.parametrize("extension", [".flac", ".mp3", ".wav"])
def test_of_files_with_one_name_the_one_that_the_corpus_has_counts(tmp_path, extension):
    plant(tmp_path, "c.flac", "c.mp3", "c.wav")
    assert audio_by_stem([tmp_path], extension, set()) == {"c": str(tmp_path / f"c{extension}")}


def test_one_file_with_two_names_is_refused(tmp_path):
    plant(tmp_path, "en_train/a.wav", texts={"en_train.txt": "S a - x spoof\nS b - y bonafide\n"})
    (tmp_path / "en_train" / "b.wav").symlink_to("a.wav")
    message = refusal(load_decro, tmp_path)
    assert "The same file more than once (1)" in message
    folder = tmp_path / "en_train"
    assert f"    line 1: {folder}/a.wav = line 2: {folder}/b.wav" in message


def test_a_folder_that_is_a_link_is_seen_through(tmp_path):
    rows = "a00/i/x.flac,i,a00\na00/j/x.flac,j,a00\na01/i/x.flac,i,a01\n"
    plant(
        tmp_path,
        *(f"flac/train/{name}/i/x.flac" for name in ("a00", "a01")),
        texts={"metadata/train.csv": f"file,speaker,attack\n{rows}"},
    )
    (tmp_path / "flac/train/a00/j").symlink_to(tmp_path / "flac/train/a00/i")
    message = refusal(load_spoofceleb, tmp_path)
    assert "The same file more than once (1)" in message
    assert "line 2" in message
    assert "line 3" in message


@pytest.mark.parametrize("again", ["a00//i/x.flac", "a00/./i/x.flac", "a00/j/../i/x.flac", "./a00/i/x.flac"])
def test_one_name_that_is_written_in_two_ways_is_refused(tmp_path, again):
    rows = f"a00/i/x.flac,i,a00\n{again},other,a00\na01/i/x.flac,i,a01\n"
    plant(
        tmp_path,
        *(f"flac/train/{name}/i/x.flac" for name in ("a00", "a01")),
        texts={"metadata/train.csv": f"file,speaker,attack\n{rows}"},
    )
    message = refusal(load_spoofceleb, tmp_path)
    assert "The same clip more than once (1)" in message
    assert "line 2 = line 3: a00/i/x.flac" in message
    # Not even where one of both is asked for.
    assert "The same clip" in refusal(load_spoofceleb, tmp_path, where={"speaker": "i"})
