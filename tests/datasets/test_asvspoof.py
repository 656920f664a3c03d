import re
import subprocess
import sys
from pathlib import Path

import pytest

from voicelstm.datasets import (
    load_asvspoof5,
    load_asvspoof2019,
    load_asvspoof2021,
    load_csv,
    load_fake_or_real,
    load_in_the_wild,
    load_wavefake,
)
from voicelstm.exceptions import DatasetError

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


def plant(root, *names, texts=None):
    """Make empty files, and files with the given texts."""
    for name, text in {**dict.fromkeys(names, ""), **(texts or {})}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def flac(folder, *utterances):
    return [f"{folder}/{utterance}.flac" for utterance in utterances]


def groups(corpus):
    return {name: values.tolist() for name, values in corpus.groups.items()}


def stems(corpus):
    return [Path(path).stem for path in corpus.recordings]


def refusal(load, *args, **kwargs):
    with pytest.raises(DatasetError) as caught:
        load(*args, **kwargs)
    return str(caught.value)


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
    }
    assert load_asvspoof2021(tmp_path, "DF", None).groups["vocoder"][0] == "traditional_vocoder"


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
    assert "SPEAKER UTTERANCE CODEC TRANSMISSION SYSTEM KEY TRIM SUBSET" in message


# ASVspoof 5


@pytest.mark.parametrize("folder", ["", "ASVspoof5_protocols/"])
def test_asvspoof_5_as_released_has_ten_columns(tmp_path, folder):
    plant(
        tmp_path,
        *flac("flac_E_eval", "E_0009538969", "E_0000000034", "E_0000000076"),
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


def test_in_the_wild_lists_what_is_wrong_with_lines(tmp_path):
    table = "file,speaker,label\n0.wav,A,spoof\n1.wav,A,bona-fide\n0.wav,A,spoof\n2.wav,A,fake\n"
    plant(tmp_path, "0.wav", "2.wav", texts={"meta.csv": table})
    message = refusal(load_in_the_wild, tmp_path)
    assert "line 3: 1.wav" in message
    assert "line 2 = line 4: 0.wav" in message
    assert "line 5: 'fake'" in message
    assert "release_in_the_wild/meta.csv" in refusal(load_in_the_wild, tmp_path / "none")


# WaveFake


def test_wavefake_joins_folders_of_vocoders_with_the_human_side(tmp_path):
    plant(
        tmp_path,
        "LJSpeech-1.1/wavs/LJ008-0217.wav",
        "LJSpeech-1.1/metadata.csv",
        "jsut_ver1.1/basic5000/wav/BASIC5000_0001.wav",
        "wavefake/generated_audio/ljspeech_melgan/LJ008-0217_gen.wav",
        "wavefake/generated_audio/ljspeech_hifiGAN/LJ008-0217_generated.wav",
        "wavefake/generated_audio/ljspeech_waveglow/LJ008-0217.wav",
        "wavefake/generated_audio/jsut_parallel_wavegan/BASIC5000_0001_gen.wav",
        "wavefake/generated_audio/common_voices_prompts_from_conformer_fastspeech2_pwg_ljspeech/generated/gen_0.wav",
        "wavefake/generated_audio/.cache/x.wav",
    )
    human = [tmp_path / "LJSpeech-1.1", str(tmp_path / "jsut_ver1.1/basic5000/wav")]
    corpus = load_wavefake(tmp_path / "wavefake", human=human)
    rows = zip(
        corpus.target, *(corpus.groups[name] for name in ("system", "speaker", "utterance")), strict=True
    )
    assert {tuple(map(str, row)) for row in rows} == {
        ("human", "human", "ljspeech", "LJ008-0217"),
        ("human", "human", "jsut", "BASIC5000_0001"),
        ("synthetic", "ljspeech_melgan", "ljspeech", "LJ008-0217"),
        ("synthetic", "ljspeech_hifiGAN", "ljspeech", "LJ008-0217"),
        ("synthetic", "ljspeech_waveglow", "ljspeech", "LJ008-0217"),
        ("synthetic", "jsut_parallel_wavegan", "jsut", "BASIC5000_0001"),
        ("synthetic", "common_voices_prompts_from_conformer_fastspeech2_pwg_ljspeech", "ljspeech", "gen_0"),
    }
    assert len(corpus.recordings) == 7


def test_wavefake_does_not_take_the_human_side_for_a_vocoder(tmp_path):
    plant(tmp_path, "LJSpeech-1.1/wavs/LJ1.wav", "ljspeech_melgan/LJ1_gen.wav")
    corpus = load_wavefake(tmp_path, human=tmp_path / "LJSpeech-1.1" / "wavs")
    assert corpus.groups["system"].tolist() == ["human", "ljspeech_melgan"]
    assert corpus.groups["speaker"].tolist() == ["ljspeech", "ljspeech"]


def test_wavefake_names_folders_that_are_missing_or_empty(tmp_path):
    plant(tmp_path, "wavs/LJ1.wav", "generated_audio/ljspeech_melgan/readme.txt")
    message = refusal(load_wavefake, tmp_path, human=tmp_path / "wavs")
    assert "Folders without audio" in message
    assert str(tmp_path / "generated_audio" / "ljspeech_melgan") in message
    assert "LJSpeech-1.1/wavs" in refusal(load_wavefake, tmp_path, human=tmp_path / "none")


# Fake-or-Real


@pytest.mark.parametrize(
    ("home", "start"),
    [
        ("for-2sec", ""),
        ("for-2sec", "for-2sec"),
        ("for-2sec/for-2seconds", ""),
        ("for-2sec/for-2seconds", "for-2sec"),
    ],
)
def test_fake_or_real_is_read_as_published_and_as_its_copies_nest_it(tmp_path, home, start):
    for part in ("training", "validation", "testing"):
        plant(
            tmp_path, f"{home}/{part}/fake/file1.wav", *(f"{home}/{part}/real/file{i}.wav" for i in (10, 9))
        )
    plant(tmp_path, "for-norm/testing/real/other.wav", "for-norm/testing/fake/other.wav")
    corpus = load_fake_or_real(tmp_path / start, "2sec", "testing")
    names = [Path(path).relative_to(tmp_path / home).as_posix() for path in corpus.recordings]
    assert names == ["testing/real/file9.wav", "testing/real/file10.wav", "testing/fake/file1.wav"]
    assert corpus.target.tolist() == ["human", "human", "synthetic"]
    assert groups(corpus) == {"partition": ["testing"] * 3}
    every = load_fake_or_real(tmp_path / start, "2sec", None)
    assert every.groups["partition"].tolist() == [
        p for p in ("training", "validation", "testing") for _ in range(3)
    ]


def test_fake_or_real_does_not_take_one_version_for_another(tmp_path):
    plant(tmp_path, "for-norm/training/fake/a.wav", "for-norm/training/real/b.wav")
    message = refusal(load_fake_or_real, tmp_path / "for-norm", "rerec")
    assert "for-rerec/training/real/*.wav" in message
    assert "'for-norm'" in refusal(load_fake_or_real, tmp_path, "rerec")
    message = refusal(load_fake_or_real, tmp_path, "norm", "testing")
    assert str(tmp_path / "for-norm" / "testing" / "real") in message


# This project's manifest, and what importing costs


def test_this_projects_manifest_is_a_table_for_load_csv(corpus_dir, manifest):
    speech = [row for row in manifest if row["subset"] == "speech"]
    corpus = load_csv(corpus_dir / "manifest.csv", where={"subset": "speech"})
    assert len(corpus.recordings) == len(speech)
    assert corpus.target.tolist() == [row["label"] for row in speech]
    for name in ("speaker", "system", "family"):
        assert corpus.groups[name].tolist() == [row[name] for row in speech]


def test_importing_the_loaders_does_not_import_what_downloads():
    script = "import sys, voicelstm.datasets; print([n for n in ('pooch', 'requests') if n in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
