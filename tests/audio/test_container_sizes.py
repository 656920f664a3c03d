import struct

import pytest

from tests.audio.encoded import encode, encoded, tone
from tests.audio.files import check_two_tones, noisy, read, with_soundfile
from voicelstm.audio._container_sizes import announced_end

SOUND = ("AIFF", "SVX", "VOC", "CAF", "NIST", "W64")
WRITTEN = {
    **{name: lambda name=name: with_soundfile(noisy(), format=name) for name in SOUND},
    "NIST of mu-law": lambda: with_soundfile(noisy(), format="NIST", subtype="ULAW"),
    "AVI": lambda: encoded("avi", noisy()),
    "film in AVI": lambda: encode(noisy(), "avi", "libmp3lame", 16000, film=True),
    "Matroska": lambda: encoded("mka", noisy()),
    "film in Matroska": lambda: encode(noisy(), "matroska", "aac", 16000, film=True),
    "Windows Media": lambda: encoded("wma", noisy()),
    "MP4": lambda: encoded("m4a", noisy()),
    "MP4 in fragments": lambda: encode(
        noisy(), "mp4", "aac", 16000, muxing={"movflags": "empty_moov+frag_keyframe"}
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_container_says_where_it_ends_whole_or_cut_off(tmp_path, name):
    content = WRITTEN[name]()
    size = len(content)
    for n_bytes in (size, size - 200):
        path = tmp_path / "file"
        path.write_bytes(b"12345" + content[:n_bytes])
        with path.open("rb") as file:
            end = announced_end(file.fileno(), 5, 5 + n_bytes)
        assert end is not None
        assert size - 100 <= end - 5 <= size + 1  # without an index, and with the mark that ends a VOC file


@pytest.mark.parametrize(
    "name", [*SOUND, "NIST of mu-law", "film in Matroska", "film in AVI", "Windows Media"]
)
def test_a_file_that_is_cut_off_says_so(tmp_path, name):
    content = WRITTEN[name]()
    assert read(tmp_path, content)[2] == []
    samples, rate, remarks = read(tmp_path, content[: len(content) // 2])
    assert 1.5 < len(samples) / rate < 3.5
    assert [remark[:8] for remark in remarks] == ["cut off:"]


def test_the_length_of_a_film_s_sound_is_that_of_its_own_track(tmp_path):
    content = WRITTEN["film in Matroska"]()
    samples, rate, remarks = read(tmp_path, content[: len(content) // 2])
    assert remarks[0].startswith(f"cut off: {len(samples) / rate:.1f} of 6.1 s")


@pytest.mark.parametrize("container", ["VOC", "NIST", "W64"])
def test_a_file_behind_another_is_not_heard_as_samples_of_it(tmp_path, container):
    both = [with_soundfile(tone(frequency, 3.0), format=container) for frequency in (300, 1000)]
    samples, rate, remarks = read(tmp_path, b"".join(both))
    check_two_tones(samples, rate)
    assert len(samples) == 96000
    assert remarks[0].startswith("longer: 6.0, not 3.0 s")


@pytest.mark.parametrize(
    ("suffix", "what"),
    [
        ("m4a", " (an MP4/M4A file)"),
        ("wma", " (a Windows Media file)"),
        ("tta", " (a True Audio (TTA) file)"),
        ("wv", ""),
    ],
)
def test_what_ffmpeg_does_not_read_behind_a_recording_is_counted(tmp_path, suffix, what):
    first, second = (encoded(suffix, tone(frequency, 3.0)) for frequency in (300, 1000))
    samples, rate, remarks = read(tmp_path, first + second)
    assert len(samples) / rate == pytest.approx(3.0, abs=0.05)
    n_bytes, words = remarks[0].split(" ", 1)
    assert len(remarks) == 1
    assert words == f"bytes behind what was read are not heard{what}"
    assert len(second) <= int(n_bytes) <= len(second) + 200  # with the tag of the first one


def test_what_is_no_box_behind_an_mp4_is_counted(tmp_path):
    junk = b"\x12\x34\x56\x78" * 1000
    assert read(tmp_path, encoded("m4a", tone(440, 1.0)) + junk)[2] == [
        "4000 bytes behind what was read are not heard"
    ]
    for name in (b"free", b"sefd"):  # which some phones add
        box = struct.pack(">I", 4008) + name + b"x" * 4000
        assert read(tmp_path, encoded("m4a", tone(440, 1.0)) + box)[2] == []


def test_a_voc_file_as_sox_writes_it_is_whole(tmp_path):
    samples = (tone(440, 1.0) * 2**15).astype("<i2").tobytes() + b"\x09" * 8
    head = b"Creative Voice File\x1a" + struct.pack("<HHH", 26, 0x10A, 0x1129)
    block = b"\x09" + struct.pack("<I", len(samples) + 4)[:3]  # of which 12 bytes are no samples
    block += struct.pack("<IBBHI", 16000, 16, 1, 4, 0)
    assert read(tmp_path, head + block + samples + b"\x00")[2] == []
    assert read(tmp_path, (head + block + samples)[:-2000])[2] != []


def test_a_chunk_that_claims_more_bytes_than_there_are_addresses_ends_no_walk_with_a_crash(tmp_path):
    content = with_soundfile(noisy(), format="CAF")
    size = content.index(b"desc") + 4
    for claimed in (2**40, 2**63 - 1):
        hostile = content[:size] + struct.pack(">q", claimed) + content[size + 8 :]
        path = tmp_path / "file"
        path.write_bytes(hostile)
        with path.open("rb") as file:
            assert announced_end(file.fileno(), 0, len(hostile)) == 8 + 12 + claimed
