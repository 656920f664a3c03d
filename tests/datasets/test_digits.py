import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from voicelstm.datasets import fetch_free_spoken_digits
from voicelstm.exceptions import DatasetError

NAMES = ["0_jackson_0.wav", "0_jackson_10.wav", "0_jackson_2.wav", "7_theo_5.wav"]


def packed(members):
    """A tar.gz of names and contents; a content that is a str is a link to it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


# noise does not shrink, so that the archive spans many chunks of the transfer
CONTENTS = {name: np.random.default_rng(i).bytes(60_000) for i, name in enumerate(NAMES)}
ARCHIVE = packed(
    {f"free-spoken-digit-dataset-1.0.9/recordings/{name}": content for name, content in CONTENTS.items()}
    | {
        "free-spoken-digit-dataset-1.0.9/README.md": b"# FSDD",
        "free-spoken-digit-dataset-1.0.9/metadata.py": b"1",
    }
)
SHA256 = f"sha256:{hashlib.sha256(ARCHIVE).hexdigest()}"


class Server(ThreadingHTTPServer):
    """Serves one archive; cuts the connection after some bytes, as often as it is told."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = ARCHIVE
        self.ranges = True
        self.encoding = "identity"
        self.cuts = []
        self.status = 200
        self.starts = []  # the byte from which each request asked

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/archive/v1.0.9.tar.gz"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.starts.append(int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0)
        if server.status != 200:
            self.send_error(server.status)
            return
        start = server.starts[-1] if server.ranges else 0
        if start >= len(server.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(server.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        rest = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Encoding", server.encoding)
        self.send_header("Content-Length", str(len(rest)))
        if start:
            self.send_header(
                "Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}"
            )
        self.end_headers()
        self.wfile.write(rest[: server.cuts.pop(0)] if server.cuts else rest)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetch(server, home, **changes):
    return fetch_free_spoken_digits(home, **{"url": server.url, "known_hash": SHA256} | changes)


def almost(cut, start):
    """Whether what arrived before the cut was kept, but for the last chunk."""
    return cut - 8192 < start <= cut


def left_in(home):
    """What lies in the folder, the finished dataset aside."""
    return [entry.name for entry in home.iterdir()] if home.is_dir() else []


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


def test_a_cut_connection_is_taken_up_where_it_ended(server, tmp_path):
    server.cuts = [100_000, 50_000]
    corpus = fetch(server, tmp_path)
    assert len(server.starts) == 3
    assert server.starts[0] == 0
    assert almost(100_000, server.starts[1])
    assert almost(server.starts[1] + 50_000, server.starts[2])
    assert len(corpus.recordings) == 4
    assert len(left_in(tmp_path)) == 1


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(server, tmp_path):
    server.cuts = [70_000]
    with pytest.raises(ConnectionError, match="bytes are kept in"):
        fetch(server, tmp_path, n_retries=0)
    (part,) = left_in(tmp_path)
    assert part.endswith(".part")
    kept = (tmp_path / part).read_bytes()
    assert almost(70_000, len(kept))
    assert ARCHIVE.startswith(kept)
    assert len(fetch(server, tmp_path, n_retries=0).recordings) == 4
    assert server.starts == [0, len(kept)]
    assert len(left_in(tmp_path)) == 1


def test_a_server_without_ranges_sends_everything_again(server, tmp_path):
    server.ranges = False
    server.cuts = [70_000]
    assert len(fetch(server, tmp_path).recordings) == 4
    assert len(server.starts) == 2
    assert server.starts[1] > 0


def test_an_archive_is_kept_as_sent_where_the_server_calls_it_compressed(server, tmp_path):
    server.encoding = "x-gzip"
    assert len(fetch(server, tmp_path).recordings) == 4


@pytest.mark.parametrize("kept", [ARCHIVE, ARCHIVE + b"more"], ids=["all of it", "too much"])
def test_a_kept_part_that_reaches_the_end_is_used_or_thrown_away(server, tmp_path, kept):
    server.cuts = [10]
    with pytest.raises(ConnectionError):
        fetch(server, tmp_path, n_retries=0)
    (part,) = left_in(tmp_path)
    (tmp_path / part).write_bytes(kept)
    assert len(fetch(server, tmp_path).recordings) == 4
    assert len(server.starts) == (2 if kept == ARCHIVE else 3)


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


def test_a_refusal_is_not_asked_for_again(server, tmp_path):
    server.status = 404
    with pytest.raises(ConnectionError, match="404"):
        fetch(server, tmp_path)
    assert len(server.starts) == 1
    assert left_in(tmp_path) == []


def test_a_server_that_is_not_there_is_named(tmp_path):
    url = "http://127.0.0.1:9/v1.0.9.tar.gz"
    with pytest.raises(ConnectionError, match=url):
        fetch_free_spoken_digits(tmp_path, url=url, known_hash=SHA256, n_retries=0)


def test_the_default_folder_is_the_users_cache(server, tmp_path, monkeypatch):
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / project)
    corpus = fetch(server, None)
    assert Path(corpus.recordings[0]).is_relative_to(tmp_path / "voicelstm")
