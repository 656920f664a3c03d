from pathlib import Path

import pytest

from tests.datasets.corpora import flac, groups, plant, refusal, stems
from voicelstm.datasets import load_asvspoof5, load_asvspoof2019, load_asvspoof2021

LA_2019 = "ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.train.trn.txt"
LA_2021 = """\
LA_0009 LA_E_9332881 alaw ita_tx A07 spoof notrim eval
LA_0020 LA_E_7294490 g722 loc_tx bonafide bonafide notrim eval
LA_0020 LA_E_1000003 none loc_tx bonafide bonafide notrim progress
LA_0005 LA_E_1000381 ulaw sin_tx A16 spoof trim hidden
"""
DF_2021 = """\
LA_0023 DF_E_2000011 nocodec asvspoof A14 spoof notrim progress traditional_vocoder - - - -
TEF2 DF_E_2000013 low_m4a vcc2020 Task1-team20 spoof notrim eval neural_vocoder_nonautoregressive \
Task1 team20 FF E
LA_0048 DF_E_2000058 mp3m4a asvspoof - bonafide notrim eval bonafide - - - -
"""
GENDER_AND_CODEC = {"gender": ["F", "M"], "codec": ["-", "-"]}
TEN_COLUMNS = """\
E_1607 E_0009538969 M C05 2 E_0009486171 AC1 A26 spoof -
E_2040 E_0000000034 F - - - AC3 A31 spoof -
E_0017 E_0000000076 F - - - - bonafide bonafide -
"""


# ASVspoof 2019


@pytest.mark.parametrize("inside", ["", "LA"])
def test_asvspoof_2019_la_is_read_from_its_folder_or_the_one_above(tmp_path, inside):
    home = tmp_path / inside
    plant(
        home,
        *flac("ASVspoof2019_LA_train/flac", "LA_T_1138215", "LA_T_1271820", "LA_T_9"),
        texts={LA_2019: "LA_0079 LA_T_1271820 - A01 spoof\nLA_0080 LA_T_1138215 - - bonafide\n"},
    )
    corpus = load_asvspoof2019(str(tmp_path))
    folder = home / "ASVspoof2019_LA_train" / "flac"
    assert corpus.recordings == [str(folder / "LA_T_1271820.flac"), str(folder / "LA_T_1138215.flac")]
    assert corpus.target.tolist() == ["synthetic", "human"]
    assert groups(corpus) == {"speaker": ["LA_0079", "LA_0080"], "system": ["A01", "human"]}
    assert "human: 1 recording\n" in corpus.DESCR
    recordings, target = load_asvspoof2019(tmp_path, return_X_y=True)
    assert recordings == corpus.recordings
    assert target.tolist() == corpus.target.tolist()


@pytest.mark.parametrize("partition", ["dev", "eval"])
def test_asvspoof_2019_pa_has_environments_and_trl_protocols(tmp_path, partition):
    listed = f"ASVspoof2019_PA_cm_protocols/ASVspoof2019.PA.cm.{partition}.trl.txt"
    protocol = "PA_0079 PA_D_1 aaa - bonafide\nPA_0079 PA_D_2 abc AA spoof\n"
    plant(
        tmp_path,
        *flac(f"ASVspoof2019_PA_{partition}/flac", "PA_D_1", "PA_D_2"),
        texts={f"PA/{listed}": protocol},
    )
    corpus = load_asvspoof2019(
        tmp_path, "PA", partition, audio_dir=tmp_path / f"ASVspoof2019_PA_{partition}/flac"
    )
    assert groups(corpus) == {
        "speaker": ["PA_0079", "PA_0079"],
        "system": ["human", "AA"],
        "environment": ["aaa", "abc"],
    }


def test_a_corpus_that_is_not_there_is_told_where_it_should_be(tmp_path):
    assert "LA/ASVspoof2019_LA_cm_protocols" in refusal(load_asvspoof2019, tmp_path / "none")
    message = refusal(load_asvspoof2019, tmp_path)
    assert "No protocol" in message
    assert "No audio" in message
    message = refusal(load_asvspoof2021, plant(tmp_path, *flac("ASVspoof2021_DF_eval/flac", "x")), "DF")
    assert "DF-keys-full.tar.gz" in message
    assert "No audio" not in message
    assert "ASVspoof5.dev.track_1.tsv" in refusal(load_asvspoof5, tmp_path, "dev")
    message = refusal(load_asvspoof5, tmp_path, protocol=tmp_path / "p.tsv", audio_dir=tmp_path / "a")
    assert str(tmp_path / "a") in message


# ASVspoof 2021


def test_asvspoof_2021_la_keeps_the_evaluation_subset_and_every_column_of_the_key(tmp_path):
    plant(
        tmp_path,
        *flac("ASVspoof2021_LA_eval/flac", "LA_E_9332881", "LA_E_7294490"),
        texts={"keys/LA/CM/trial_metadata.txt": LA_2021},
    )
    corpus = load_asvspoof2021(tmp_path)
    assert stems(corpus) == ["LA_E_9332881", "LA_E_7294490"]
    assert corpus.target.tolist() == ["synthetic", "human"]
    assert groups(corpus) == {
        "speaker": ["LA_0009", "LA_0020"],
        "system": ["A07", "human"],
        "codec": ["alaw", "g722"],
        "transmission": ["ita_tx", "loc_tx"],
        "trim": ["notrim", "notrim"],
        "subset": ["eval", "eval"],
    }


def test_asvspoof_2021_la_can_be_narrowed_by_any_column(tmp_path):
    plant(
        tmp_path,
        *flac("ASVspoof2021_LA_eval/flac", "LA_E_9332881", "LA_E_1000003", "LA_E_1000381"),
        texts={"ASVspoof2021_LA_eval/keys/LA/CM/trial_metadata.txt": LA_2021},
    )
    corpus = load_asvspoof2021(tmp_path, partition=None, where={"codec": ["alaw", "none", "ulaw"]})
    assert stems(corpus) == ["LA_E_9332881", "LA_E_1000003", "LA_E_1000381"]
    assert corpus.groups["trim"].tolist() == ["notrim", "notrim", "trim"]
    assert "Only one class" in refusal(load_asvspoof2021, tmp_path, partition="hidden")
    message = refusal(load_asvspoof2021, tmp_path, where={"codec": "opus"})
    assert "'codec' holds 'alaw', 'g722', 'none', 'ulaw'" in message
    assert "'vocoder'" in refusal(load_asvspoof2021, tmp_path, where={"vocoder": "unknown"})


@pytest.mark.parametrize(
    "folders",
    [
        ("ASVspoof2021_DF_eval/flac", "ASVspoof2021_DF_eval/flac"),
        (
            "ASVspoof2021_DF_eval_part00/ASVspoof2021_DF_eval/flac",
            "ASVspoof2021_DF_eval_part03/ASVspoof2021_DF_eval/flac",
        ),
    ],
    ids=["parts together", "parts apart"],
)
def test_asvspoof_2021_df_has_source_and_vocoder(tmp_path, folders):
    plant(
        tmp_path,
        *flac(folders[0], "DF_E_2000013", "DF_E_2000011"),
        *flac(folders[1], "DF_E_2000058"),
        texts={"DF-keys-full/keys/DF/CM/trial_metadata.txt": DF_2021},
    )
    corpus = load_asvspoof2021(tmp_path, "DF")
    assert [str(Path(path).relative_to(tmp_path).parent) for path in corpus.recordings] == list(folders)
    assert groups(corpus) == {
        "speaker": ["TEF2", "LA_0048"],
        "system": ["Task1-team20", "human"],
        "codec": ["low_m4a", "mp3m4a"],
        "source": ["vcc2020", "asvspoof"],
        "trim": ["notrim", "notrim"],
        "subset": ["eval", "eval"],
        "vocoder": ["neural_vocoder_nonautoregressive", "bonafide"],
        "task": ["Task1", "-"],
        "team": ["team20", "-"],
        "gender_pair": ["FF", "-"],
        "language": ["E", "-"],
    }
    assert load_asvspoof2021(tmp_path, "DF", None).groups["vocoder"][0] == "traditional_vocoder"


def test_a_key_of_df_that_ends_before_the_teams_is_read(tmp_path):
    key = "".join(" ".join(line.split()[:9]) + "\n" for line in DF_2021.replace("\\\n", "").splitlines())
    plant(
        tmp_path, *flac("flac", "DF_E_2000013", "DF_E_2000058"), texts={"keys/DF/CM/trial_metadata.txt": key}
    )
    assert list(load_asvspoof2021(tmp_path, "DF").groups)[-1] == "vocoder"


def test_asvspoof_2021_pa_has_rooms_distances_and_devices(tmp_path):
    # The first line is that of the evaluation package's README, the other a clip of the same room.
    key = (
        "PA_0010 PA_E_1000001 R3 M3 d4 r1 m1 s4 c4 spoof notrim eval\n"
        "PA_0010 PA_E_1000002 R3 M3 D4 - - - - bonafide notrim eval\n"
        "PA_0010 PA_E_1000003 R3 M3 d4 r1 m1 s4 c4 spoof trim hidden\n"
    )
    plant(
        tmp_path,
        *flac("ASVspoof2021_PA_eval_part00/ASVspoof2021_PA_eval/flac", "PA_E_1000001", "PA_E_1000002"),
        texts={"keys/PA/CM/trial_metadata.txt": key},
    )
    corpus = load_asvspoof2021(tmp_path, "PA")
    assert corpus.target.tolist() == ["synthetic", "human"]
    assert groups(corpus) == {
        "speaker": ["PA_0010", "PA_0010"],
        "system": ["s4", "human"],
        "asv_room": ["R3", "R3"],
        "asv_microphone": ["M3", "M3"],
        "asv_distance": ["d4", "D4"],
        "attacker_room": ["r1", "-"],
        "attacker_microphone": ["m1", "-"],
        "replay_device": ["s4", "-"],
        "attacker_distance": ["c4", "-"],
        "trim": ["notrim", "notrim"],
        "subset": ["eval", "eval"],
    }


def test_the_list_of_trials_is_not_taken_for_the_key(tmp_path):
    trials = plant(
        tmp_path,
        *flac("ASVspoof2021_LA_eval/flac", "LA_E_9332881"),
        texts={"ASVspoof2021_LA_eval/ASVspoof2021.LA.cm.eval.trl.txt": "LA_E_9332881\nLA_E_7294490\n"},
    )
    message = refusal(
        load_asvspoof2021,
        tmp_path,
        protocol=trials / "ASVspoof2021_LA_eval/ASVspoof2021.LA.cm.eval.trl.txt",
    )
    assert "line 2: 1 columns" in message
    assert "SPEAKER CLIP CODEC TRANSMISSION SYSTEM KEY TRIM SUBSET" in message


# ASVspoof 5


@pytest.mark.parametrize("above", ["", "ASVspoof5_eval/"])
@pytest.mark.parametrize("folder", ["", "ASVspoof5_protocols/", "protocols/"])
def test_asvspoof_5_as_released_has_ten_columns(tmp_path, folder, above):
    plant(
        tmp_path,
        *flac(f"{above}flac_E_eval", "E_0009538969", "E_0000000034", "E_0000000076"),
        texts={f"{folder}ASVspoof5.eval.track_1.tsv": TEN_COLUMNS},
    )
    corpus = load_asvspoof5(tmp_path, "eval")
    assert stems(corpus) == ["E_0009538969", "E_0000000034", "E_0000000076"]
    assert corpus.target.tolist() == ["synthetic", "synthetic", "human"]
    assert groups(corpus) == {
        "speaker": ["E_1607", "E_2040", "E_0017"],
        "system": ["A26", "A31", "human"],
        "gender": ["M", "F", "F"],
        "codec": ["C05", "-", "-"],
        "codec_quality": ["2", "-", "-"],
        "original": ["E_0009486171", "-", "-"],
        "attack_tag": ["AC1", "AC3", "-"],
    }


@pytest.mark.parametrize(
    ("lines", "further"),
    [
        (["T_1 T_01 F - A05 spoof", "T_2 T_02 M - bonafide bonafide"], GENDER_AND_CODEC),
        (["T_1\tT_01\tF\t-\tA05\tspoof", "T_2\tT_02\tM\t-\t-\tbonafide"], GENDER_AND_CODEC),
        (["T_1 T_01 - A05 spoof", "T_2 T_02 - - bonafide"], {}),
        (["T_1 T_01 A05 spoof", "T_2 T_02 bonafide bonafide"], {}),
        (["T_1 T_01 F - - - x AC3 A05 spoof -", "T_2 T_02 M - - - x - - bonafide -"], GENDER_AND_CODEC),
    ],
    ids=["six", "six, tabs", "five", "four", "eleven"],
)
def test_asvspoof_5_finds_the_key_in_releases_of_other_widths(tmp_path, lines, further):
    plant(
        tmp_path,
        *flac("flac_T", "T_01", "T_02"),
        texts={"ASVspoof5.train.metadata.txt": "\n".join(lines)},
    )
    corpus = load_asvspoof5(tmp_path)
    assert corpus.target.tolist() == ["synthetic", "human"]
    assert groups(corpus) == {"speaker": ["T_1", "T_2"], "system": ["A05", "human"], **further}


def test_the_key_of_asvspoof_5_is_the_last_of_columns_that_look_like_one(tmp_path):
    protocol = "T_1 T_01 F - spoof spoof -\nT_2 T_02 M - bonafide bonafide -\n"
    plant(tmp_path, *flac("flac_T", "T_01", "T_02"), texts={"ASVspoof5.train.tsv": protocol})
    assert load_asvspoof5(tmp_path).groups["system"].tolist() == ["spoof", "human"]


def test_one_bad_line_does_not_move_the_key_of_asvspoof_5(tmp_path):
    text = TEN_COLUMNS + "E_1 E_9 F - - - - - - - bonafide bonafide\nE_1 E_8 F - - - AC1 A18 fake -\n"
    plant(tmp_path, "flac_E_eval/x.flac", texts={"ASVspoof5.eval.track_1.tsv": text})
    message = refusal(load_asvspoof5, tmp_path, "eval")
    assert "line 4: 12 columns" in message
    assert "line 5: 'fake'" in message
    text = "E_1607 E_0009538969\n"
    plant(tmp_path, texts={"ASVspoof5.eval.track_1.tsv": text})
    assert "No key" in refusal(load_asvspoof5, tmp_path, "eval")
    plant(tmp_path, texts={"ASVspoof5.eval.track_1.tsv": "\n"})
    assert "No lines" in refusal(load_asvspoof5, tmp_path, "eval")
