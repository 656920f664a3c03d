"""What a file is, by its first bytes."""

from typing import NamedTuple

__all__ = ["FETCH_AGAIN", "HEAD", "REMEDIES", "UNKNOWN", "FileKind", "recognise"]

HEAD = 4096  # bytes that tell what a file is
UNKNOWN = "bytes of no known audio format"

# First bytes, what they mean, and whether that is a media format.
_SIGNATURES: tuple[tuple[bytes, str, bool], ...] = (
    (b"RIFF", "a RIFF/WAV file", True),
    (b"RIFX", "a RIFX/WAV file", True),
    (b"RF64", "an RF64/WAV file", True),
    (b"riff\x2e\x91\xcf\x11", "a Sony Wave64 file", True),
    (b"fLaC", "a FLAC file", True),
    (b"OggS", "an Ogg file", True),
    (b"ID3", "an MP3 file with an ID3 tag", True),
    (b"FORM", "an AIFF file", True),
    (b".snd", "a Sun AU file", True),
    (b"caff", "a Core Audio file", True),
    (b"#!AMR", "an AMR file", True),
    (b"wvpk", "a WavPack file", True),
    (b"TTA1", "a True Audio (TTA) file", True),
    (b"MAC ", "a Monkey's Audio file", True),
    (b"tBaK", "a TAK file", True),
    (b"MPCK", "a Musepack file", True),
    (b"MP+", "a Musepack file", True),
    (b"ajkg", "a file compressed with shorten", True),
    (b"NIST_1A\n", "a NIST SPHERE file", True),
    (b"Creative Voice File\x1a", "a Creative Voice file", True),
    (b"DSD ", "a DSD file", True),
    (b"\x0b\x77", "an AC-3 stream", True),
    (b".RMF", "a RealMedia file", True),
    (b"FLV\x01", "a Flash video", True),
    (b"\x00\x00\x01\xba", "an MPEG programme stream", True),
    (b"\x1a\x45\xdf\xa3", "a Matroska/WebM file", True),
    (b"\x30\x26\xb2\x75", "a Windows Media file", True),
    (b"version https://git-lfs", "a git LFS pointer", False),
    (b"PK\x03\x04", "a ZIP archive", False),
    (b"\x1f\x8b", "a gzip archive", False),
    (b"%PDF", "a PDF document", False),
    (b"\x89PNG", "a PNG picture", False),
    (b"GIF8", "a GIF picture", False),
    (b"\xff\xd8\xff", "a JPEG picture", False),
    (b"\x93NUMPY", "a NumPy array file", False),
    (b"\x80\x02", "a pickle", False),
    (b"\x80\x03", "a pickle", False),
    (b"\x80\x04\x95", "a pickle", False),
    (b"\x80\x05\x95", "a pickle", False),
    (b"SQLite format 3\x00", "an SQLite database", False),
    (b"\x7fELF", "a program", False),
    (b"\xff\xfe", "text in UTF-16", False),
    (b"\xfe\xff", "text in UTF-16", False),
)
# RIFF and FORM hold pictures and films, too: what stands at byte 8 of them says so.
_WITHIN = {
    b"AVI ": ("an AVI film", True),
    b"WEBP": ("a WebP picture", False),
    b"ILBM": ("an IFF picture", False),
}
REMEDIES = {
    "a git LFS pointer": "fetch the recording itself with 'git lfs pull'",
    UNKNOWN: "give raw samples a header, for example with soundfile.write",
    "an HTML page": "the download failed: fetch the recording again",
    "a ZIP archive": "unpack it",
    "a gzip archive": "unpack it",
    "a NumPy array file": "load it with numpy.load and pass the pair (samples, sample_rate)",
    "a NIST SPHERE file compressed with shorten": "unpack it, for example with 'sph2pipe -f wav IN OUT.wav'",
}
FETCH_AGAIN = "fetch the recording again, or leave it out"
_SPHERE_HEADER = 1024
_TS_PACKET = 188


class FileKind(NamedTuple):
    """What was found, in words, and whether that is a media format."""

    found: str
    is_media: bool

    @property
    def may_be_audio(self) -> bool:
        """Whether a decoder may find sound in it."""
        return self.is_media or self.found == UNKNOWN

    @property
    def remedy(self) -> str | None:
        """What to do about it, where there is more than one thing to say of all files."""
        return REMEDIES.get(self.found)


def recognise(head: bytes) -> FileKind:
    """Say what a file begins with, of which `HEAD` bytes should be given."""
    if not head:
        return FileKind("an empty file (0 bytes)", False)
    if head[:4] in (b"RIFF", b"FORM") and head[8:12] in _WITHIN:
        return FileKind(*_WITHIN[head[8:12]])
    # Layer I without a checksum begins as text in UTF-16 does; of text every second byte is 0.
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and not _is_wide_text(head):
        return FileKind("an MPEG audio stream", True)
    for signature, found, media in _SIGNATURES:
        if head.startswith(signature):
            shortened = found == "a NIST SPHERE file" and b"shorten" in head[:_SPHERE_HEADER]
            return FileKind(found + " compressed with shorten" * shortened, media)
    if head[4:8] == b"ftyp":
        return FileKind("an MP4/M4A file", True)
    if head[0] == 0xFF and head[1:2] and head[1] & 0xE0 == 0xE0:
        return FileKind("an MPEG audio stream", True)
    if (
        head[:1] == b"G"
        and head[_TS_PACKET : _TS_PACKET + 1] == b"G" == head[2 * _TS_PACKET : 2 * _TS_PACKET + 1]
    ):
        return FileKind("an MPEG transport stream", True)
    return _text(head)


def _text(head: bytes) -> FileKind:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        return FileKind("an HTML page", False)
    if any(byte < 32 and byte not in b"\t\r\n" for byte in head) or b"\x7f" in head:
        return FileKind(UNKNOWN, False)
    if text.startswith((b"{", b"[")):
        return FileKind("JSON text", False)
    if text.startswith(b"<"):
        return FileKind("XML or HTML text", False)
    first_line = head.splitlines()[0][:40].decode("utf-8", "replace")
    return FileKind(f"text ({first_line!r})", False)


def _is_wide_text(head: bytes) -> bool:
    """Tell whether every second byte is 0, as of Western text in UTF-16, or it is very short."""
    return len(head) < 4 or any(2 * head[start::2].count(0) > len(head[start::2]) for start in (2, 3))
