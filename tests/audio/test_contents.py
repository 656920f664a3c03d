import io
import os
import pickle
import random

import numpy as np
import pytest
import soundfile

from tests.audio.encoded import FORMATS, encode, encoded, tone
from voicelstm.audio._contents import found_instead_of_sound


def written(tmp_path, content):
    path = tmp_path / "no name that tells"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", FORMATS)
def test_sound_of_phones_and_cameras_is_sound_by_its_content(tmp_path, suffix):
    content = encoded(suffix, tone(440, 1.0, FORMATS[suffix][2]))
    assert found_instead_of_sound(written(tmp_path, content)) is None


@pytest.mark.parametrize("container", sorted(soundfile.available_formats()))
def test_what_libsndfile_writes_is_sound(tmp_path, container):
    if container in ("RAW", "SD2"):
        pytest.skip("it has no header, or has it in another file")
    path = tmp_path / "no name that tells"
    subtype = soundfile.default_subtype(container)
    with path.open("wb") as file:
        try:
            soundfile.write(file, tone(440, 1.0), 16000, format=container, subtype=subtype)
        except soundfile.LibsndfileError:
            pytest.skip("it is not written to an open file")
    assert found_instead_of_sound(path) is None


def test_a_film_is_sound_if_it_has_an_audio_track(tmp_path):
    heard = encode(tone(440, 1.0), "mp4", "aac", 16000, film=True)
    assert found_instead_of_sound(written(tmp_path, heard)) is None
    silent = encode(np.zeros(16000), "mp4", "aac", 16000, film=True, tracks=0)
    assert found_instead_of_sound(written(tmp_path, silent)) == "an MP4/M4A file without sound"


def test_an_mp3_behind_junk_is_sound(tmp_path):
    content = random.Random(0).randbytes(2000) + encode(tone(440, 1.0), "mp3", "libmp3lame", 16000)
    assert found_instead_of_sound(written(tmp_path, content)) is None


def test_a_damaged_recording_is_one(tmp_path):
    file = io.BytesIO()
    soundfile.write(file, tone(440, 1.0), 16000, format="FLAC")
    assert found_instead_of_sound(written(tmp_path, file.getvalue()[:30])) is None


@pytest.mark.parametrize("suffix", ["m4a", "wv", "mka", "wma"])
def test_a_recording_that_is_cut_off_before_anything_can_be_decoded_is_one_all_the_same(tmp_path, suffix):
    content = encoded(suffix, tone(440, 1.0))
    assert found_instead_of_sound(written(tmp_path, content[: len(content) // 3])) is None
    assert found_instead_of_sound(written(tmp_path, content[:40])) is None


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file (0 bytes)"),
        (b"path,label\n", "text ('path,label')"),
        (b"PK\x03\x04" + bytes(100), "a ZIP archive"),
        (pickle.dumps(list(range(1000))), "a pickle"),
        ("path,label\na.wav,human\n".encode("utf-16"), "text in UTF-16"),
        (np.arange(20000, dtype="<i2").tobytes(), "bytes of no known audio format"),
        (random.Random(1).randbytes(100_000), "bytes of no known audio format"),
        (b"\xff\xfb" + random.Random(2).randbytes(5000), "an MPEG audio stream without sound"),
    ],
    ids=["empty", "text", "zip", "pickle", "utf-16", "ramp", "random", "two bytes of MPEG"],
)
def test_what_is_no_sound_is_named(tmp_path, content, found):
    assert found_instead_of_sound(written(tmp_path, content)) == found


def test_random_bytes_are_never_sound(tmp_path):
    for seed in range(40):
        found = found_instead_of_sound(written(tmp_path, random.Random(seed).randbytes(20_000)))
        assert found is not None


def test_links_that_lead_nowhere_and_pipes_are_named_and_not_waited_for(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    assert found_instead_of_sound(link) == "a link that leads nowhere"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert found_instead_of_sound(tmp_path / "pipe") == "something that is not a regular file"
