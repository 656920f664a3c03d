from pathlib import Path

import pytest

from tests.datasets.corpora import groups, plant, refusal
from voicelstm.datasets import load_fake_or_real, load_wavefake

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
