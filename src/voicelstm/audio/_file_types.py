"""What a file is, by its first bytes."""

__all__ = ["FETCH_AGAIN", "REMEDIES", "recognise"]

# First bytes, what they mean, and whether audioread may know what soundfile does not.
_SIGNATURES: tuple[tuple[bytes, str, bool], ...] = (
    (b"RIFF", "a RIFF/WAV file", True),
    (b"RIFX", "a RIFX/WAV file", True),
    (b"RF64", "an RF64/WAV file", True),
    (b"fLaC", "a FLAC file", True),
    (b"OggS", "an Ogg file", True),
    (b"ID3", "an MP3 file with an ID3 tag", True),
    (b"FORM", "an AIFF file", True),
    (b".snd", "a Sun AU file", True),
    (b"caff", "a Core Audio file", True),
    (b"#!AMR", "an AMR file", True),
    (b"\x1a\x45\xdf\xa3", "a Matroska/WebM file", True),
    (b"\x30\x26\xb2\x75", "a Windows Media file", True),
    (b"version https://git-lfs", "a git LFS pointer", False),
    (b"PK\x03\x04", "a ZIP archive", False),
    (b"\x1f\x8b", "a gzip archive", False),
    (b"%PDF", "a PDF document", False),
    (b"\x89PNG", "a PNG picture", False),
    (b"\xff\xd8\xff", "a JPEG picture", False),
    (b"\x93NUMPY", "a NumPy array file", False),
)
REMEDIES = {
    "a git LFS pointer": "fetch the recording itself with 'git lfs pull'",
    "bytes of no known audio format": "give raw samples a header, for example with soundfile.write",
    "an HTML page": "the download failed: fetch the recording again",
    "a ZIP archive": "unpack it",
    "a gzip archive": "unpack it",
    "a NumPy array file": "load it with numpy.load and pass the pair (samples, sample_rate)",
}
FETCH_AGAIN = "fetch the recording again, or leave it out"


def recognise(head: bytes) -> tuple[str, bool]:
    """Say what a file that soundfile refuses begins with, and whether that is a media format."""
    if not head:
        return "an empty file (0 bytes)", False
    for signature, found, media in _SIGNATURES:
        if head.startswith(signature):
            return found, media
    if head[4:8] == b"ftyp":
        return "an MP4/M4A file", True
    if head[0] == 0xFF and head[1:2] and head[1] & 0xE0 == 0xE0:
        return "an MPEG audio stream", True
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        return "an HTML page", False
    if text.startswith((b"{", b"[")):
        return "JSON text", False
    if text.startswith(b"<"):
        return "XML or HTML text", False
    if all(byte >= 32 or byte in b"\t\r\n" for byte in head) and b"\x7f" not in head:
        first_line = head.splitlines()[0][:40].decode("utf-8", "replace")
        return f"text ({first_line!r})", False
    return "bytes of no known audio format", False
