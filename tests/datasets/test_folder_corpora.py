from pathlib import Path

import pytest

from tests.datasets.corpora import groups, plant, refusal
from voicelstm.datasets import load_dfadd, load_fake_or_real, load_librisevoc, load_wavefake

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
    assert "Folders that are missing or without audio" in message
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


# DFADD


def plant_dfadd(root):
    for part, number in (("train", "001"), ("valid", "002"), ("test", "003")):
        plant(
            root,
            f"DATASET_VCTK_BONAFIDE/{part}/p227_{number}.wav",
            f"DATASET_GradTTS/{part}/p227_{number}_GradTTS.flac",
            f"DATASET_PflowTTS/{part}/p345_{number}_pflow.flac",
        )
    return plant(root, "DATASET_GradTTS/train.txt")


def test_dfadd_says_system_speaker_and_utterance_by_folder_and_name(tmp_path):
    corpus = load_dfadd(plant_dfadd(tmp_path), "test")
    assert [Path(path).relative_to(tmp_path).as_posix() for path in corpus.recordings] == [
        "DATASET_GradTTS/test/p227_003_GradTTS.flac",
        "DATASET_PflowTTS/test/p345_003_pflow.flac",
        "DATASET_VCTK_BONAFIDE/test/p227_003.wav",
    ]
    assert corpus.target.tolist() == ["synthetic", "synthetic", "human"]
    assert groups(corpus) == {
        "speaker": ["p227", "p345", "p227"],
        "system": ["GradTTS", "PflowTTS", "human"],
        "utterance": ["p227_003", "p345_003", "p227_003"],
        "partition": ["test"] * 3,
    }
    assert load_dfadd(tmp_path, None).groups["partition"].tolist() == [
        part for part in ("train", "valid", "test") for _ in range(3)
    ]


def test_dfadd_refuses_human_clips_that_were_merged_into_a_system(tmp_path):
    plant(plant_dfadd(tmp_path), "DATASET_GradTTS/train/p227_001.wav")
    message = refusal(load_dfadd, tmp_path)
    assert "Human clips in the folder of a system (1)" in message
    assert str(tmp_path / "DATASET_GradTTS/train/p227_001.wav") in message


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("DATASET_GradTTS/train/p227_001_mic1.flac", "Human clips in the folder of a system (1)"),
        (
            "DATASET_VCTK_BONAFIDE/train/p227_001_GradTTS.wav",
            "Synthetic clips in the folder of human clips (1)",
        ),
    ],
)
def test_dfadd_refuses_names_that_belong_into_another_folder(tmp_path, file, kind):
    plant(plant_dfadd(tmp_path), file)
    message = refusal(load_dfadd, tmp_path)
    assert kind in message
    assert f"{tmp_path / file}\n" in f"{message}\n"
    assert "Move these files out" in message
    assert len(load_dfadd(tmp_path, "test").recordings) == 3


def test_dfadd_takes_vctks_newer_names_for_human(tmp_path):
    plant(plant_dfadd(tmp_path), "DATASET_VCTK_BONAFIDE/train/p345_001_mic2.flac")
    corpus = load_dfadd(tmp_path)
    assert corpus.groups["system"].tolist() == ["GradTTS", "PflowTTS", "human", "human"]
    assert corpus.groups["utterance"].tolist() == ["p227_001", "p345_001", "p227_001", "p345_001"]


def test_dfadd_names_folders_that_are_missing(tmp_path):
    plant(tmp_path, "DATASET_GradTTS/train/p227_001_GradTTS.flac", "DATASET_VCTK_BONAFIDE/test/p227_001.wav")
    message = refusal(load_dfadd, tmp_path)
    assert str(tmp_path / "DATASET_VCTK_BONAFIDE" / "train") in message
    assert "DATASET_VCTK_BONAFIDE/train/*.wav" in refusal(load_dfadd, tmp_path / "none")
    assert "DATASET_*" in refusal(load_dfadd, tmp_path / "DATASET_GradTTS")
    with pytest.raises(ValueError, match="'train', 'valid', 'test', None"):
        load_dfadd(tmp_path, "dev")


# LibriSeVoc

BASES = ["26_495_000004_000000", "6147_34605_000006_000009"]


def plant_librisevoc(root):
    copies = [f"{vocoder}/{base}_gen.wav" for vocoder in ("diffwave", "wavernn") for base in BASES]
    return plant(root, *(f"gt/{base}.wav" for base in BASES), *copies)


@pytest.mark.parametrize("home", ["", "LibriSeVoc"])
def test_librisevoc_takes_the_speaker_from_the_name(tmp_path, home):
    plant_librisevoc(tmp_path / home)
    corpus = load_librisevoc(tmp_path)
    assert corpus.target.tolist() == ["synthetic"] * 2 + ["human"] * 2 + ["synthetic"] * 2
    assert groups(corpus) == {
        "speaker": ["26", "6147"] * 3,
        "system": ["diffwave", "diffwave", "human", "human", "wavernn", "wavernn"],
        "utterance": BASES * 3,
    }


def test_librisevoc_keeps_the_clips_of_the_authors_lists(tmp_path):
    plant_librisevoc(tmp_path / "LibriSeVoc")
    plant(tmp_path, texts={"test.txt": f"{BASES[1]}.wav\n"})
    corpus = load_librisevoc(tmp_path / "LibriSeVoc", "test")
    assert corpus.groups["utterance"].tolist() == [BASES[1]] * 3
    assert "dev.txt" in refusal(load_librisevoc, tmp_path, "dev")
    (tmp_path / "LibriSeVoc" / "wavernn" / f"{BASES[1]}_gen.wav").unlink()
    message = refusal(load_librisevoc, tmp_path, "test")
    assert f"wavernn/{BASES[1]}" in message
    assert "test.txt names these" in message


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (f"gt_16k/{BASES[0]}.wav", "Human clips in the folder of a vocoder (1)"),
        (f"wavernn/{BASES[0]}.wav", "Human clips in the folder of a vocoder (1)"),
        (f"gt/{BASES[0]}_gen.wav", "Synthetic clips in gt (1)"),
    ],
)
def test_librisevoc_refuses_names_that_belong_into_another_folder(tmp_path, file, kind):
    plant(plant_librisevoc(tmp_path), file)
    message = refusal(load_librisevoc, tmp_path)
    assert kind in message
    assert f"{tmp_path / file}\n" in f"{message}\n"
    assert "Move these files out" in message


def test_librisevoc_names_folders_that_are_missing_or_empty(tmp_path):
    plant(tmp_path, "wavernn/1_2_gen.wav")
    assert str(tmp_path / "gt") in refusal(load_librisevoc, tmp_path)
    plant(tmp_path, "gt/1_2.wav", "wavenet/readme.txt")
    message = refusal(load_librisevoc, tmp_path)
    assert str(tmp_path / "wavenet") in message
    assert "gt/*.wav" in message
