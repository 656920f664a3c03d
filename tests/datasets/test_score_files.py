import numpy as np
import pandas as pd
import pytest

from voicelstm.datasets import read_scores, write_scores
from voicelstm.exceptions import DatasetError
from voicelstm.metrics import equal_error_rate

NAMES = ["E_0000000024", "E_0000000003", "E_0000000034"]
AWKWARD = [0.1, -1 / 3, 5e-324, 1.7976931348623157e308, 123456789.123456789, np.nextafter(1.0, 2.0)]


def refusal(path, text, **kwargs):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DatasetError) as caught:
        read_scores(path, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("asvspoof5", b"filename\tcm-score\nE_0000000024\t1.5\nE_0000000003\t-2.0\nE_0000000034\t0.25\n"),
        # Written by hand: as the challenges want it, the human clip has the highest score.
        ("asvspoof2021", b"E_0000000024 1.5\nE_0000000003 -2.0\nE_0000000034 0.25\n"),
        (
            "asvspoof2019",
            b"E_0000000024 - bonafide 1.5\nE_0000000003 A08 spoof -2.0\nE_0000000034 A26 spoof 0.25\n",
        ),
    ],
)
def test_each_format_is_written_as_its_challenge_reads_it_and_recognised_again(tmp_path, kind, text):
    labels = {"target": ["human", "synthetic", "synthetic"], "system": ["human", "A08", "A26"]}
    write_scores(
        tmp_path / "s.txt",
        NAMES,
        [-1.5, 2, -0.25],
        format=kind,
        **(labels if kind == "asvspoof2019" else {}),
    )
    assert (tmp_path / "s.txt").read_bytes() == text
    for asked in (None, kind):
        scores = read_scores(tmp_path / "s.txt", format=asked)
        assert scores.utterances.tolist() == NAMES
        assert scores.scores.tolist() == [-1.5, 2.0, -0.25]
        assert scores.format == kind
        if kind == "asvspoof2019":
            assert scores.target.tolist() == labels["target"]
            assert scores.system.tolist() == labels["system"]
        else:
            assert not {"target", "system"} & set(scores)


@pytest.mark.parametrize("kind", ["asvspoof5", "asvspoof2021"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_scores_come_back_bit_for_bit(tmp_path, kind, dtype):
    with np.errstate(over="ignore"):
        scores = np.array([*AWKWARD[:3], *AWKWARD[4:]], dtype=dtype)
    scores = np.append(scores, np.finfo(dtype).max)
    write_scores(tmp_path / "s.txt", [f"u{i}" for i in range(len(scores))], scores, format=kind)
    read = read_scores(tmp_path / "s.txt").scores
    assert read.dtype == np.float64
    assert read.tobytes() == scores.astype(np.float64).tobytes()


def test_labels_may_be_given_in_the_challenges_words(tmp_path):
    write_scores(
        tmp_path / "s",
        ["a", "b"],
        [1, 2],
        target=np.array(["bonafide", "spoof"]),
        system=np.array(["bonafide", "A01"]),
        format="asvspoof2019",
    )
    assert (tmp_path / "s").read_text() == "a - bonafide -1.0\nb A01 spoof -2.0\n"


def test_scores_are_given_back_in_the_order_that_is_asked_for(tmp_path):
    write_scores(tmp_path / "s.tsv", NAMES, [1, 2, 3])
    scores = read_scores(tmp_path / "s.tsv", utterances=[NAMES[2], NAMES[0]])
    assert scores.utterances.tolist() == [NAMES[2], NAMES[0]]
    assert scores.scores.tolist() == [3.0, 1.0]
    with pytest.raises(DatasetError, match="Clips without a score") as caught:
        read_scores(tmp_path / "s.tsv", utterances=["E_1", NAMES[0], "E_2"])
    assert "E_1\n" in str(caught.value)
    assert "E_2" in str(caught.value)


def test_a_name_with_blanks_fits_between_tabs_alone(tmp_path):
    write_scores(tmp_path / "s.tsv", ["my clip"], [1.0])
    assert read_scores(tmp_path / "s.tsv").utterances.tolist() == ["my clip"]
    with pytest.raises(ValueError, match="'my clip' at position 1"):
        write_scores(tmp_path / "s.txt", ["a", "my clip"], [1.0, 2.0], format="asvspoof2021")
    assert not (tmp_path / "s.txt").exists()


@pytest.mark.parametrize("name", ["", "a\tb", "a\nb", " a", "a\u2028b"])
def test_a_name_that_would_break_a_line_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="cannot stand in a line"):
        write_scores(tmp_path / "s.tsv", [name], [1.0])


@pytest.mark.parametrize(
    ("names", "scores", "more", "reason"),
    [
        (["a", "b", "c"], [1, np.nan, np.inf], {}, r"2 of 3 scores .* nan at position 1 \(b\)"),
        (["a", "b", "a"], [1, 2, 3], {}, "'a' stands at positions 0 and 2"),
        (["a", "b"], [1, 2, 3], {}, r"shape \(2,\), not \(3,\)"),
        (["a", "b"], [[1], [2]], {}, r"not \(2, 1\)"),
        (["a"], [1], {"format": "asvspoof2015"}, "'asvspoof5', 'asvspoof2021', 'asvspoof2019'"),
        (["a"], [1], {"target": ["human"]}, "no place for target"),
        (["a"], [1], {"format": "asvspoof2019"}, "give target and system"),
        (
            ["a"],
            [1],
            {"format": "asvspoof2019", "target": ["real"], "system": ["-"]},
            r"target\[0\] is 'real'",
        ),
        (
            ["a"],
            [1],
            {"format": "asvspoof2019", "target": ["spoof"], "system": ["A 1"]},
            r"system\[0\] is 'A 1'",
        ),
        (["a"], [1], {"format": "asvspoof2019", "target": ["spoof"], "system": []}, "0 systems"),
    ],
)
def test_what_cannot_be_written_is_refused_and_the_old_file_stays(tmp_path, names, scores, more, reason):
    (tmp_path / "s").write_text("old")
    with pytest.raises(ValueError, match=reason):
        write_scores(tmp_path / "s", names, scores, **more)
    assert [file.name for file in tmp_path.iterdir()] == ["s"]
    assert (tmp_path / "s").read_text() == "old"


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    write_scores(tmp_path / "s", ["a"], [1.0])
    write_scores(tmp_path / "s", ["b"], [2.0])
    assert read_scores(tmp_path / "s").utterances.tolist() == ["b"]

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_scores(tmp_path / "s", ["c"], [3.0])
    assert read_scores(tmp_path / "s").utterances.tolist() == ["b"]
    assert [file.name for file in tmp_path.iterdir()] == ["s"]
    with pytest.raises(FileNotFoundError, match="does not exist"):
        write_scores(tmp_path / "none" / "s", ["c"], [3.0])


def test_everything_that_is_wrong_is_said_at_once_with_lines(tmp_path):
    text = "filename\tcm-score\na\t1.0\nb\tnan\n\nc\t1.0\t2.0\na\t3\nd 4\ne\t-inf\nf\tx\n"
    message = refusal(tmp_path / "s.tsv", text)
    assert message.startswith(str(tmp_path / "s.tsv"))
    assert "line 3: b: 'nan'" in message
    assert "line 5: 'c\\t1.0\\t2.0'" in message
    assert "line 2 = line 6: a" in message
    assert "line 7: 'd 4'" in message
    assert "line 8: e: '-inf'" in message
    assert "line 9: f: 'x'" in message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "No lines"),
        ("filename\tcm-score\n", "No scores"),
        ("filename\tcm-label\na\tspoof\n", "This is a key"),
        ("filename\tcm-score\tasv-score\tsasv-score\n", "Another header"),
        ("a 1.0 unknown\nb 2.0 fake\n", "line 1: 'unknown'"),
        ("a 1.0 fake\nb 2.0\n", "Expected UTTERANCE SCORE KEY"),
        ("spk\tfilename\tcm-score\tasv-score\tsasv-score\n", "No scores"),
        ("spk\tfilename\tcm-score\tasv-score\tsasv-score\ns\ta\t1\tnan\t2\n", "line 2: a: 'nan'"),
        ("LA_0009 LA_E_1 alaw ita_tx A07 spoof notrim eval -5.8\n", "UTTERANCE ATTACK KEY SCORE"),
        ("a A01 fake 1.0\n", "line 1: 'fake'"),
        ("a A01 spoof 1.0\nb 2.0\n", "line 2: 'b 2.0'"),
        (b"\xff\xfe\x00", "Not UTF-8"),
    ],
)
def test_what_is_no_score_file_is_refused(tmp_path, text, reason):
    assert reason in refusal(tmp_path / "s", text)


def test_a_format_that_is_asked_for_is_held_to(tmp_path):
    assert "Another header" in refusal(tmp_path / "s", "a 1.0\n", format="asvspoof5")
    assert "line 1" in refusal(tmp_path / "s", "a - bonafide 1.0\n", format="asvspoof2021")
    with pytest.raises(ValueError, match="'asvspoof2021'"):
        read_scores(tmp_path / "s", format="2021")
    with pytest.raises(DatasetError, match="no such file"):
        read_scores(tmp_path / "none")


def test_files_of_other_systems_are_read(tmp_path):
    (tmp_path / "s").write_bytes(b"\xef\xbb\xbffilename\tcm-score\r\na\t1e-3\r\n\r\nb\t-7\r\n")
    assert read_scores(tmp_path / "s").scores.tolist() == [-0.001, 7.0]
    (tmp_path / "s").write_text("LA_E_1   -0.5  \nLA_E_2\t2\n")
    assert read_scores(tmp_path / "s").scores.tolist() == [0.5, -2.0]


def test_what_detects_the_synthetic_clip_does_so_by_the_challenges_file_too(tmp_path):
    log_odds, target = [-2.0, -1.0, 0.5, 3.0], ["human", "human", "synthetic", "synthetic"]
    write_scores(tmp_path / "s", list("abcd"), log_odds)
    assert equal_error_rate(target, read_scores(tmp_path / "s").scores) == 0
    # As a challenge's tool reads it: bona fide from a threshold upwards.
    in_file = [float(line.split("\t")[1]) for line in (tmp_path / "s").read_text().splitlines()[1:]]
    assert min(in_file[:2]) > max(in_file[2:])


def test_zero_has_no_sign(tmp_path):
    write_scores(tmp_path / "s", ["a"], [0.0], format="asvspoof2021")
    assert (tmp_path / "s").read_text() == "a 0.0\n"
    assert not np.signbit(read_scores(tmp_path / "s").scores[0])


def test_three_columns_are_those_of_codecfake(tmp_path):
    # As generate_score.py of Codecfake writes them: the probability of "real", then the key.
    (tmp_path / "s").write_text("F01_SSB1.wav 0.0625 fake\nSSB1.wav 0.875 real\nLA_E_1 0.5 bonafide\n")
    for kind in (None, "codecfake"):
        scores = read_scores(tmp_path / "s", format=kind)
        assert scores.format == "codecfake"
        assert scores.utterances.tolist() == ["F01_SSB1.wav", "SSB1.wav", "LA_E_1"]
        assert scores.scores.tolist() == [-0.0625, -0.875, -0.5]
        assert scores.target.tolist() == ["synthetic", "human", "human"]
        assert "system" not in scores
    with pytest.raises(ValueError, match="'asvspoof5', 'asvspoof2021', 'asvspoof2019'"):
        write_scores(tmp_path / "s", ["a"], [1.0], format="codecfake")


def test_the_key_of_2019_may_be_human(tmp_path):
    (tmp_path / "s").write_text("LA_E_1 - human 2.5\nLA_E_2 A11 spoof -1.5\n")
    scores = read_scores(tmp_path / "s")
    assert scores.format == "asvspoof2019"
    assert scores.target.tolist() == ["human", "synthetic"]
    assert scores.system.tolist() == ["human", "A11"]


SASV = """\
spk\tfilename\tcm-score\tasv-score\tsasv-score
E_0101\tE_0000000001\t4.5\t-1.0\t1.75
E_0102\tE_0000000001\t4.5\t2.0\t3.25
E_0101\tE_0000000002\t-3.5\t0.5\t-1.5
"""


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [1, 2, 0, 4, 3]], ids=["as released", "other order"])
def test_scores_of_track_2_stand_once_for_each_speaker(tmp_path, order):
    lines = [line.split("\t") for line in SASV.splitlines()]
    (tmp_path / "s.tsv").write_text("\n".join("\t".join(line[at] for at in order) for line in lines))
    scores = read_scores(tmp_path / "s.tsv")
    assert scores.format == "asvspoof5_sasv"
    assert scores.utterances.tolist() == ["E_0000000001", "E_0000000001", "E_0000000002"]
    assert scores.speaker.tolist() == ["E_0101", "E_0102", "E_0101"]
    assert scores.scores.tolist() == [-4.5, -4.5, 3.5]
    assert scores.asv_scores.tolist() == [-1.0, 2.0, 0.5]
    assert scores.sasv_scores.tolist() == [1.75, 3.25, -1.5]
    asked = read_scores(tmp_path / "s.tsv", utterances=["E_0000000002", "E_0000000001"])
    assert asked.scores.tolist() == [3.5, -4.5]


def test_scores_of_track_2_that_differ_within_a_clip_are_no_answer_for_it(tmp_path):
    text = SASV.replace("E_0102\tE_0000000001\t4.5", "E_0102\tE_0000000001\t5.5")
    message = refusal(tmp_path / "s.tsv", text, utterances=["E_0000000001", "E_0000000002"])
    assert "Clips with several scores (1)" in message
    assert "line 2 and line 3: E_0000000001" in message
    message = refusal(tmp_path / "s.tsv", SASV + SASV.splitlines()[1])
    assert "line 2 = line 5: E_0101 E_0000000001" in message


@pytest.mark.parametrize("name", ["NA", "nan", "None", "<NA>"])
def test_a_name_that_pandas_takes_for_a_missing_value_is_refused_both_ways(tmp_path, name):
    (tmp_path / "p.tsv").write_text(f"filename\tcm-score\n{name}\t1.0\n")
    assert pd.read_csv(tmp_path / "p.tsv", sep="\t")["filename"].isna().all()
    message = refusal(tmp_path / "s.tsv", f"filename\tcm-score\na\t1.0\n{name}\t2.0\n")
    assert "Lines without the name of a clip (1)" in message
    assert f"line 3: {name!r}" in message
    with pytest.raises(ValueError, match="missing value by pandas"):
        write_scores(tmp_path / "s.tsv", ["a", name], [1.0, 2.0])
