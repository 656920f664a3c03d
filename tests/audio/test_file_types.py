import io

import numpy as np
import pytest
import soundfile

from voicelstm.audio._file_types import REMEDIES, recognise


@pytest.mark.parametrize(
    ("container", "subtype", "found"),
    [
        ("WAV", "PCM_16", "a RIFF/WAV file"),
        ("RF64", "PCM_16", "an RF64/WAV file"),
        ("FLAC", "PCM_16", "a FLAC file"),
        ("OGG", "VORBIS", "an Ogg file"),
        ("AIFF", "PCM_16", "an AIFF file"),
        ("AU", "PCM_16", "a Sun AU file"),
        ("CAF", "PCM_16", "a Core Audio file"),
        ("MP3", "MPEG_LAYER_III", "an MPEG audio stream"),
    ],
)
def test_what_libsndfile_writes_is_a_media_format_of_that_name(container, subtype, found):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(4000), 16000, format=container, subtype=subtype)
    assert recognise(file.getvalue()[:512]) == (found, True)


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"RIFX\x00\x00\x00\x24WAVE", "a RIFX/WAV file"),
        (b"ID3\x04\x00", "an MP3 file with an ID3 tag"),
        (b"\x00\x00\x00\x20ftypisom", "an MP4/M4A file"),
        (b"\x1a\x45\xdf\xa3\x01", "a Matroska/WebM file"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media file"),
        (b"#!AMR\n", "an AMR file"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "an AVI film"),
        (b"wvpk\x00", "a WavPack file"),
        (b"TTA1\x01\x00", "a True Audio (TTA) file"),
        (b"\x0b\x77\x00", "an AC-3 stream"),
        (b"NIST_1A\n   1024\n", "a NIST SPHERE file"),
        ((b"G" + bytes(187)) * 3, "an MPEG transport stream"),
        (b"\xff\xfe\x90\x44\x21\x13", "an MPEG audio stream"),  # layer I, which UTF-16 begins like
        (b"\xff\xe0", "an MPEG audio stream"),  # eleven bits of synchronisation, the least there are
    ],
)
def test_media_that_another_decoder_may_know_are_named(head, found):
    assert recognise(head) == (found, True)


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"", "an empty file (0 bytes)"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a git LFS pointer"),
        (b"PK\x03\x04\x14", "a ZIP archive"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"\x93NUMPY\x01\x00", "a NumPy array file"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "a WebP picture"),
        (b"\x80\x04\x95\x10\x00", "a pickle"),
        ("path,label".encode("utf-16"), "text in UTF-16"),
        ("path,label".encode("utf-16-be").join([b"\xfe\xff", b""]), "text in UTF-16"),
        (b"\xef\xbb\xbf\r\n <HTML>", "an HTML page"),
        (b"\n[1, 2]", "JSON text"),
        (b"<?xml version='1.0'?>", "XML or HTML text"),
        (b"caf\xc3\xa9,label\nx", "text ('café,label')"),
        (b"0" * 60, f"text ('{'0' * 40}')"),
        (b"text\x7f", "bytes of no known audio format"),
        (b"\xff\xc0\x01", "bytes of no known audio format"),
        (b"\x00" * 512, "bytes of no known audio format"),
    ],
)
def test_what_is_no_media_is_named_too(head, found):
    assert recognise(head) == (found, False)


def test_every_remedy_is_for_something_that_is_found():
    sphere = b"NIST_1A\n   1024\nsample_coding -s26 pcm,embedded-shorten-v2.00\n"
    heads = (b"version https://git-lfs", b"\x00", b"<html>", b"PK\x03\x04", b"\x1f\x8b", b"\x93NUMPY", sphere)
    assert {recognise(head)[0] for head in heads} == set(REMEDIES)
