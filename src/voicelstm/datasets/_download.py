"""A download that goes on where it was cut off."""

import os
from pathlib import Path
from typing import Any

__all__ = ["ResumingDownloader"]

_CHUNK = 1 << 13  # what came of a chunk that is cut off is lost
_TIMEOUT = 30.0


class ResumingDownloader:
    """Downloader for :func:`pooch.retrieve` that goes on where an earlier attempt stopped."""

    # The rest is asked for by ``Range`` (RFC 9110, 14); a server that knows no ranges sends everything again.
    # Whether the parts fit together is for pooch's checksum to say.
    def __init__(self, part: Path, n_retries: int = 3) -> None:
        self.part = part
        self.n_retries = n_retries

    def __call__(self, url: str, output_file: Any, pooch: Any, check_only: bool = False) -> None:
        """Fetch `url` into the path `output_file`; pooch calls this."""
        import requests  # pooch's own dependency, and heavy
        from urllib3.exceptions import HTTPError

        failure: Exception | None = None
        for _ in range(self.n_retries + 1):
            try:
                if self._fetch(url):
                    self.part.replace(output_file)
                    return
            except requests.HTTPError as error:
                # waiting does not turn a refusal into an answer
                raise ConnectionError(f"{url}: the server refuses: {error}") from error
            except (requests.RequestException, HTTPError) as error:
                failure = error
        kept = self.part.stat().st_size if self.part.exists() else 0
        raise ConnectionError(
            f"{url}: {self.n_retries + 1} attempts to download it failed; {kept} bytes are kept in "
            f"{self.part}, and the next call goes on from there. The last failure: "
            f"{failure or 'the connection ended early'}"
        ) from failure

    def _fetch(self, url: str) -> bool:
        """Fetch what is missing, and tell whether all of it came."""
        import requests

        start = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
            if answer.status_code == 416:  # nothing lies beyond what is kept: all is there, or too much
                if answer.headers.get("Content-Range", "") == f"bytes */{start}":
                    return True
                self.part.unlink()
                return False
            answer.raise_for_status()
            goes_on = answer.status_code == 206
            if goes_on and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                self.part.unlink()
                return False
            length = answer.headers.get("Content-Length")
            arrived = 0
            with self.part.open("ab" if goes_on else "wb") as file:
                # as sent: some servers declare a .gz to be compressed in transfer, and it would be unpacked
                for chunk in answer.raw.stream(_CHUNK, decode_content=False):
                    file.write(chunk)
                    arrived += len(chunk)
                file.flush()
                os.fsync(file.fileno())
        return length is None or arrived == int(length)
