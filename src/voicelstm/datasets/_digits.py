"""The Free Spoken Digit Dataset, fetched from the net."""

import gzip
import hashlib
import os
import re
import shutil
import tarfile
import uuid
import zlib
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from voicelstm.datasets._corpus import corpus
from voicelstm.datasets._download import ResumingDownloader
from voicelstm.datasets._files import audio_files
from voicelstm.datasets._problems import Problems

__all__ = ["fetch_free_spoken_digits"]

_URL = "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.9.tar.gz"
# As TensorFlow Datasets records it for this address (tensorflow_datasets/audio/spoken_digit/checksums.tsv).
_SHA256 = "sha256:8bc44cde129d505cbbb6b365c09f80c663f2aa77578afc634e6141a2f87100c0"
_NAME = re.compile(r"([0-9])_([A-Za-z]+)_([0-9]+)\.wav")


def fetch_free_spoken_digits(
    data_home: str | os.PathLike[str] | None = None,
    *,
    url: str = _URL,
    known_hash: str | None = _SHA256,
    download_if_missing: bool = True,
    n_retries: int = 3,
    return_X_y: bool = False,
) -> Any:
    """Fetch the Free Spoken Digit Dataset: people who say "zero" to "nine". All of it is human speech.

    It is the human half of a corpus, and of no use to a classifier alone. Version 1.0.9, the default, has
    2,500 recordings of five speakers at 8 kHz in 12 MB, under CC BY-SA 4.0.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder to keep it in. None is a folder of the user's cache, ``pooch.os_cache("voicelstm")``. Once it
        is there, nothing is asked of the net.
    url : str, default=version 1.0.9 on GitHub
        A tar archive, compressed or not, with ``recordings/7_jackson_32.wav`` and the like in it.
    known_hash : str or None, default=the checksum of version 1.0.9
        ``"sha256:..."`` of the archive. Another `url` needs another one. **None checks nothing**: what comes
        is then only as trustworthy as the server and the connection.
    download_if_missing : bool, default=True
        Whether to ask the net where it is not there yet.
    n_retries : int, default=3
        How often to go on at once after a cut connection. What has arrived is kept, so that a later call
        goes on too, where the server can send the rest alone. One that cannot, as GitHub's may not where it
        packs archives on demand, sends all of it again.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in natural order.
        - ``target`` : ndarray of shape (n_recordings,). "human" for all.
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"`` (str), ``"digit"`` and
          ``"index"`` (int), which counts a speaker's recordings of a digit; those up to 4 are the dataset's
          own test set.
        - ``DESCR`` : str.

    Raises
    ------
    ConnectionError
        Where the server cannot be reached, refuses, or has cut the connection too often.
    DatasetError
        Where the archive does not have the checksum, is no such archive, or is not there and
        `download_if_missing` is False. Nothing then stays that a later call could take for the dataset.

    See Also
    --------
    load_csv : Both halves of a corpus, with labels in a table.

    References
    ----------
    .. [1] Z. Jackson et al., "Free Spoken Digit Dataset". https://github.com/Jakobovski/free-spoken-digit-dataset

    Examples
    --------
    >>> from voicelstm.datasets import fetch_free_spoken_digits
    >>> digits = fetch_free_spoken_digits()  # doctest: +SKIP
    >>> len(digits.recordings), len(set(digits.groups["speaker"]))  # doctest: +SKIP
    (2500, 5)
    """
    home = _data_home(data_home)
    mark = hashlib.sha256(f"{url} {known_hash}".encode()).hexdigest()[:12]
    folder = home / f"free-spoken-digits-{mark}"
    if not folder.is_dir():  # it gets this name only when it is complete
        if not download_if_missing:
            problems = Problems(str(folder))
            problems.add("Not fetched yet", url, "Let download_if_missing be True, or give its data_home.")
            raise problems.error()
        archive = _fetched(url, known_hash, home, mark, n_retries)
        try:
            _unpack(archive, folder)
        finally:
            archive.unlink()

    recordings = audio_files(folder, recursive=False)
    parts = [match.groups() for file in recordings if (match := _NAME.fullmatch(file.name))]
    digit, speaker, index = zip(*parts, strict=True)
    groups = {
        "speaker": np.array(speaker, dtype=str),
        "digit": np.array(digit).astype(int),
        "index": np.array(index).astype(int),
    }
    target = np.full(len(recordings), "human")
    title = f"Free Spoken Digit Dataset, human speech alone: {folder}, from {url}."
    return corpus([str(file) for file in recordings], target, groups, title, return_X_y=return_X_y)


def _data_home(data_home: str | os.PathLike[str] | None) -> Path:
    if data_home is not None:
        return Path(data_home)
    # only here and below: loaders of local copies do without
    import pooch

    return Path(pooch.os_cache("voicelstm"))


def _fetched(url: str, known_hash: str | None, home: Path, mark: str, n_retries: int) -> Path:
    """Fetch the archive and check it; what has the wrong checksum is deleted."""
    import pooch

    name = f"{mark}-{PurePosixPath(urlsplit(url).path).name or 'archive'}"
    downloader = ResumingDownloader(home / f"{name}.part", n_retries)
    home.mkdir(parents=True, exist_ok=True)
    try:
        return Path(pooch.retrieve(url, known_hash, fname=name, path=home, downloader=downloader))
    except ValueError as error:
        problems = Problems(url)
        remedy = "What came was deleted. Try again; if it stays so, the file at this address is another one."
        problems.add("Not the checksum that is known", str(error), remedy)
        raise problems.error() from error


def _unpack(archive: Path, folder: Path) -> None:
    """Write the recordings beside the final folder, which they become once all are there.

    Only files are read whose names are those of recordings, and they are written under these names alone: no
    path or link in the archive is followed.
    """
    beside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    beside.mkdir()
    try:
        with tarfile.open(archive) as members:
            for member in members:
                place = PurePosixPath(member.name)
                if member.isfile() and place.parent.name == "recordings" and _NAME.fullmatch(place.name):
                    content = members.extractfile(member)
                    if content is not None:
                        with (beside / place.name).open("wb") as file:
                            shutil.copyfileobj(content, file)
        if not any(beside.iterdir()):
            raise tarfile.TarError("it has no recordings/DIGIT_SPEAKER_INDEX.wav")
        try:
            beside.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        problems = Problems(str(archive))
        problems.add("Not an archive of spoken digits", str(error), "Check the url.")
        raise problems.error() from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
