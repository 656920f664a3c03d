import hashlib
from pathlib import Path

import pytest

from tests.datasets.digits_server import ARCHIVE, CONTENTS, fetch, left_in, packed
from voicelstm.exceptions import DatasetError


def test_the_archive_becomes_recordings_with_speaker_and_digit(server, tmp_path):
    corpus = fetch(server, tmp_path / "new" / "home")
    assert [Path(path).name for path in corpus.recordings] == [
        "0_jackson_0.wav", "0_jackson_2.wav", "0_jackson_10.wav", "7_theo_5.wav",
    ]  # fmt: skip
    for path in corpus.recordings:
        assert Path(path).read_bytes() == CONTENTS[Path(path).name]
    assert corpus.target.tolist() == ["human"] * 4
    assert corpus.groups["speaker"].tolist() == ["jackson", "jackson", "jackson", "theo"]
    assert corpus.groups["digit"].tolist() == [0, 0, 0, 7]
    assert corpus.groups["index"].tolist() == [0, 2, 10, 5]
    assert "human speech alone" in corpus.DESCR
    assert len(left_in(tmp_path / "new" / "home")) == 1  # no archive, nothing half done
    assert server.starts == [0]


def test_what_is_there_is_not_asked_for_again(server, tmp_path):
    first = fetch(server, tmp_path)
    server.starts.clear()
    again, target = fetch(server, tmp_path, return_X_y=True, download_if_missing=False)
    assert again == first.recordings
    assert target.tolist() == first.target.tolist()
    assert server.starts == []


def test_a_kept_part_of_another_file_fails_the_checksum_and_is_not_kept(server, tmp_path):
    server.cuts = [70_000]
    with pytest.raises(ConnectionError):
        fetch(server, tmp_path, n_retries=0)
    (part,) = left_in(tmp_path)
    (tmp_path / part).write_bytes(b"x" * 70_000)
    with pytest.raises(DatasetError, match="checksum"):
        fetch(server, tmp_path)
    assert left_in(tmp_path) == []
    assert len(fetch(server, tmp_path).recordings) == 4


def test_a_wrong_checksum_leaves_nothing_that_looks_finished(server, tmp_path):
    server.content = packed({"f/recordings/0_eve_0.wav": b"RIFF"})
    with pytest.raises(DatasetError, match="checksum") as caught:
        fetch(server, tmp_path)
    assert server.url in str(caught.value)
    assert hashlib.sha256(server.content).hexdigest() in str(caught.value)
    assert left_in(tmp_path) == []
    with pytest.raises(DatasetError, match="Not fetched yet"):
        fetch(server, tmp_path, download_if_missing=False)


def test_without_a_checksum_any_archive_of_digits_is_taken(server, tmp_path):
    server.content = packed({"f/recordings/3_eve_0.wav": b"RIFF"})
    assert fetch(server, tmp_path, known_hash=None).groups["speaker"].tolist() == ["eve"]


def test_no_file_of_the_archive_gets_out_of_its_folder(server, tmp_path):
    server.content = packed(
        {
            "../../recordings/0_out_0.wav": b"one level up",
            "/recordings/1_root_0.wav": b"absolute",
            "f/recordings/../../../evil.wav": b"out",
            "f/recordings/2_link_0.wav": "/etc/passwd",
            "f/recordings/3_eve_0.wav": b"good",
            "f/3_elsewhere_0.wav": b"not a recording",
        }
    )
    home = tmp_path / "a" / "home"
    corpus = fetch(server, home, known_hash=None)
    folder = Path(corpus.recordings[0]).parent
    assert folder.parent == home
    assert sorted(file.name for file in folder.iterdir()) == ["0_out_0.wav", "1_root_0.wav", "3_eve_0.wav"]
    files = [file for file in tmp_path.rglob("*") if file.is_file() or file.is_symlink()]
    assert all(file.parent == folder for file in files)


@pytest.mark.parametrize(
    "content",
    [b"<!doctype html>", ARCHIVE[:100_000], packed({"f/README.md": b"no recordings"})],
    ids=["a page", "half an archive", "another archive"],
)
def test_what_is_no_archive_of_digits_is_refused_and_not_kept(server, tmp_path, content):
    server.content = content
    with pytest.raises(DatasetError, match="Not an archive of spoken digits"):
        fetch(server, tmp_path, known_hash=None)
    assert left_in(tmp_path) == []


def test_the_default_folder_is_the_users_cache(server, tmp_path, monkeypatch):
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / project)
    corpus = fetch(server, None)
    assert Path(corpus.recordings[0]).is_relative_to(tmp_path / "voicelstm")
