"""What the tests of the data share: a machine with nothing on it, data, damage, and web servers."""

import gzip
import http.server
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from alexbook import _idx, _sources, data

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
NAMES = _idx.NAMES
LABELS = "t10k-labels-idx1-ubyte"  # the smallest file: cheap to damage
needs_real = pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs the Debian package dataset-fashion-mnist")


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """A machine with an empty home, an empty working folder, no data and no network."""
    data._everything.cache_clear()
    for name in ("ALEXBOOK_DATA", "ALEXBOOK_OFFLINE", "KERAS_HOME", "MXNET_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    (tmp_path / "book").mkdir()
    monkeypatch.chdir(tmp_path / "book")
    monkeypatch.setattr(_sources, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(_sources.pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    monkeypatch.setattr(_sources, "SERVERS", ())
    yield
    data._everything.cache_clear()


@pytest.fixture
def small(monkeypatch):
    """Lets the shipped sample stand for the real data, so that the tests of the search are quick."""
    monkeypatch.setattr(_sources, "REAL", _idx.SAMPLE)


def fill(folder, uncompressed=False):
    """Puts the four files of the sample into a new folder."""
    folder.mkdir(parents=True)
    for path in _sources.SAMPLE_FOLDER.iterdir():
        if uncompressed:
            (folder / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        else:
            shutil.copy(path, folder)
    return folder


def contents(folder):
    """Every file's bytes by its name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def label_bytes():
    """The uncompressed content of the smallest file."""
    return gzip.decompress((_sources.SAMPLE_FOLDER / f"{LABELS}.gz").read_bytes())


def flip_last(content):
    return content[:-1] + bytes([content[-1] ^ 1])


def header(magic, count):
    return np.array([magic, count], ">u4").tobytes()


DAMAGES = {
    "bad gzip": (
        lambda c: flip_last(gzip.compress(c)[:-4]) + b"1234",
        "expected a readable, whole file, got: CRC",
    ),
    "broken deflate": (
        lambda c: gzip.compress(c)[:10] + b"\xff" * 99,
        "expected a readable, whole file, got: ",
    ),
    "truncated gzip": (
        lambda c: gzip.compress(c)[:-100],
        "expected a readable, whole file, got: Compressed file",
    ),
    "empty": (lambda c: b"", "expected IDX magic number 2049, got 0"),
    "a web page": (lambda c: b"<!DOCTYPE html>", "expected IDX magic number 2049, got 1008813135"),
    "wrong magic": (lambda c: header(2051, 1_000) + c[8:], "expected IDX magic number 2049, got 2051"),
    "wrong count": (lambda c: header(2049, 999) + c[8:], r"expected array of shape \(1000,\), got \(999,\)"),
    "truncated IDX": (lambda c: c[:-5], "expected uncompressed size in bytes 1008, got 1003"),
    "wrong hash": (flip_last, "expected SHA-256 of the uncompressed content 3128d79.*, got "),
}


@pytest.fixture(params=DAMAGES)
def damage(request):
    """The bytes of a damaged file, and what must be said about it."""
    change, message = DAMAGES[request.param]
    return change(label_bytes()), message


@pytest.fixture
def server():
    """Starts web servers on this machine: `server(NAME=bytes)` gives those bytes, else the sample."""
    running = []

    def start(status=200, **changed):
        files = {f"/{path.name}": path.read_bytes() for path in _sources.SAMPLE_FOLDER.iterdir()}
        files |= {f"/{name}.gz": content for name, content in changed.items()}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.send_response(status)
                self.send_header("Content-Length", str(len(files[self.path])))
                self.end_headers()

            def do_GET(self):
                started.asked.append(self.path)
                self.do_HEAD()
                self.wfile.write(files[self.path])

            def log_message(self, *_):
                pass

        started = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        started.asked = []
        threading.Thread(target=started.serve_forever, args=(0.01,)).start()
        running.append(started)
        return f"http://127.0.0.1:{started.server_port}/"

    start.running = running
    yield start
    for each in running:
        each.shutdown()
        each.server_close()
