import re

import pytest

from tests.datasets.corpora import flac, plant, refusal
from voicelstm.datasets import load_asvspoof5, load_asvspoof2019, load_asvspoof2021, load_fake_or_real
from voicelstm.datasets._problems import Problems
from voicelstm.datasets._protocol import Trial, audio_by_stem, read_lines, trials_of

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
    assert "SPEAKER UTTERANCE - SYSTEM KEY" in message


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
        (load_asvspoof2021, {"track": "PA"}, "'LA', 'DF'"),
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
    assert read_lines(path) == [(1, ["a", "b"]), (4, ["c", "d", "e"])]
    assert "No lines" in refusal(read_lines, plant(tmp_path, texts={"empty.txt": " \n"}) / "empty.txt")


def test_words_get_their_names_and_what_is_bona_fide_has_the_system_human():
    lines = [(3, ["u1", "s1", "-", "-", "bonafide"]), (5, ["u2", "s1", "-", "A01", "spoof"])]
    problems = Problems("protocol.txt")
    assert trials_of(lines, ("utterance", "speaker", "", "system", "key"), problems) == [
        Trial(3, "u1", "bonafide", {"speaker": "s1", "system": "human"}),
        Trial(5, "u2", "spoof", {"speaker": "s1", "system": "A01"}),
    ]
    problems.raise_any()


def test_further_columns_are_bad_lines_unless_they_are_reserved():
    names, lines = ("utterance", "key"), [(1, ["u1", "spoof", "-", "FF"])]
    problems = Problems("protocol.txt")
    assert trials_of(lines, names, problems, reserved=True) == [Trial(1, "u1", "spoof", {})]
    problems.raise_any()
    assert trials_of(lines, names, problems) == []
    assert "line 1: 4 columns: 'u1', 'spoof', '-', 'FF'" in refusal(problems.raise_any)


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
    assert audio_by_stem([tmp_path / "a", tmp_path / "b"]) == {
        "x": str(tmp_path / "a" / "x.flac"),
        "y": str(tmp_path / "b" / "y.wav"),
    }
