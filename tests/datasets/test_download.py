import pytest

from tests.datasets.digits_server import ARCHIVE, SHA256, fetch, left_in
from voicelstm.datasets import fetch_free_spoken_digits


def almost(cut, start):
    """Whether what arrived before the cut was kept, but for the last chunk."""
    return cut - 8192 < start <= cut


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
