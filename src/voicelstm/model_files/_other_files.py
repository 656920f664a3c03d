"""What a file is that is no model file, by its first bytes."""

__all__ = ["FIRST_BYTES", "name_of_kind"]

FIRST_BYTES = 64

_RECORDING = "a recording, {}"
_PICKLE = "a pickle, which is never loaded, since it may run anything"
_SIGNATURES = (
    (b"RIFF", _RECORDING.format("WAV or another kind of RIFF")),
    (b"RIFX", _RECORDING.format("WAV")),
    (b"RF64", _RECORDING.format("WAV")),
    (b"fLaC", _RECORDING.format("FLAC")),
    (b"OggS", _RECORDING.format("Ogg")),
    (b"ID3", _RECORDING.format("MP3")),
    (b"FORM", _RECORDING.format("AIFF")),
    (b".snd", _RECORDING.format("Sun AU")),
    (b"caff", _RECORDING.format("Core Audio")),
    (b"#!AMR", _RECORDING.format("AMR")),
    (b"wvpk", _RECORDING.format("WavPack")),
    (b"\x1a\x45\xdf\xa3", _RECORDING.format("WebM or Matroska")),
    (b"\x30\x26\xb2\x75", _RECORDING.format("Windows Media")),
    (b"version https://git-lfs", "a git LFS pointer: fetch the file itself with 'git lfs pull'"),
    (b"PK\x03\x04", "a ZIP archive, as Keras and PyTorch write theirs"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras wrote them"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"SQLite format 3", "a database, as of a folder of sequences"),
    (b"\x08\x00\x00\x00TFL3", "a TensorFlow Lite model"),
    (b"%PDF", "a PDF document"),
)
#: The second byte of a pickle is its protocol; joblib may have compressed it.
_PROTOCOLS = range(2, 6)
_COMPRESSED = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"BZh", b"\xfd7zXZ", b"\x04\x22\x4d\x18")


def name_of_kind(head: bytes) -> str | None:
    """Return what a file is that begins so and is no model file, or None if that is not known."""
    if not head:
        return "an empty file (0 bytes)"
    # Eight bytes of a length come first in a safetensors file, and JSON after them.
    if head[8:9] == b"{":
        return None
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[4:8] == b"ftyp":
        return _RECORDING.format("MP4 or M4A")
    if head[:1] == b"\x80" and head[1:2] and head[1] in _PROTOCOLS:
        return _PICKLE
    if head.startswith(_COMPRESSED):
        return "compressed data, perhaps a pickle of joblib, which is never loaded"
    if head[0] == 0xFF and head[1:2] and head[1] & 0xE0 == 0xE0:
        return _RECORDING.format("MP3 or AAC")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        return "an HTML page: the download failed"
    if all(byte >= 32 or byte in b"\t\r\n" for byte in head):
        return f"text ({head.splitlines()[0][:40].decode('utf-8', 'replace')!r})"
    return None
