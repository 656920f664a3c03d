"""A server of one archive of spoken digits, and what comes of it."""

import hashlib
import io
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from voicelstm.datasets import fetch_free_spoken_digits

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


def fetch(server, home, **changes):
    return fetch_free_spoken_digits(home, **{"url": server.url, "known_hash": SHA256} | changes)


def left_in(home):
    """What lies in the folder, the finished dataset aside."""
    return [entry.name for entry in home.iterdir()] if home.is_dir() else []
