"""Downloads of Fashion-MNIST, from web servers on this machine, and their absence."""

import socket
import threading
import time

import data_fixtures
import pytest
from data_fixtures import LABELS, NAMES, contents, fill

from alexbook import _sources, data

alone, small = data_fixtures.alone, data_fixtures.small
damage, server = data_fixtures.damage, data_fixtures.server


def test_damage_in_our_cache_is_kept_aside_and_fetched_anew(small, monkeypatch, tmp_path, damage, server):
    folder = fill(tmp_path / "cache/alexbook")
    good = contents(folder)
    (folder / f"{LABELS}.gz").write_bytes(damage[0])
    monkeypatch.setattr(_sources, "SERVERS", (server(),))
    with pytest.warns(UserWarning, match=f"{LABELS}.gz: {damage[1]}.* It is kept as {LABELS}.gz.damaged"):
        assert data.source().startswith("download")
    assert contents(folder) == good | {f"{LABELS}.gz.damaged": damage[0]}


def test_a_second_damaged_file_does_not_replace_the_first(small, tmp_path):
    folder = fill(tmp_path / "cache/alexbook")
    for content in (b"first", b"second", b"third"):
        (folder / f"{LABELS}.gz").write_bytes(content)
        data._everything.cache_clear()
        with pytest.warns(UserWarning, match="It is kept as"):
            assert data.source().startswith("sample")
    kept = {name: content for name, content in contents(folder).items() if "damaged" in name}
    assert sorted(kept.values()) == [b"first", b"second", b"third"]


def test_a_download_is_verified_kept_and_not_repeated(small, monkeypatch, tmp_path, server, capfd):
    monkeypatch.setattr(_sources, "SERVERS", (server(), server()))
    assert data.source() == "download from the official source or its mirror"
    assert data.load("train")[0].shape == (2_000, 28, 28)
    assert "100%" in capfd.readouterr().err
    folder = tmp_path / "cache/alexbook"
    assert contents(folder) == contents(_sources.SAMPLE_FOLDER)
    data._everything.cache_clear()
    assert data.source().startswith("download")
    assert [len(each.asked) for each in server.running] == [4, 0]


def test_a_corrupt_answer_is_dropped_and_the_mirror_asked(small, monkeypatch, tmp_path, server, damage):
    monkeypatch.setattr(_sources, "SERVERS", (server(**{LABELS: damage[0]}), server()))
    with pytest.warns(UserWarning, match=rf"Download failed: http://127.*/{LABELS}.gz: {damage[1]}"):
        assert data.source().startswith("download")
    assert contents(tmp_path / "cache/alexbook") == contents(_sources.SAMPLE_FOLDER)


def test_two_corrupt_answers_leave_the_sample_and_keep_what_was_good(small, monkeypatch, tmp_path, server):
    monkeypatch.setattr(_sources, "SERVERS", (server(**{LABELS: b"no"}), server(**{LABELS: b"no"})))
    with pytest.warns(UserWarning, match="Download failed") as warned:
        assert data.source().startswith("sample")
    assert len(warned) == 2
    assert set(contents(tmp_path / "cache/alexbook")) == {f"{name}.gz" for name in NAMES if name != LABELS}


def test_a_server_that_breaks_off_gives_way_to_the_mirror(small, monkeypatch, tmp_path, server):
    first, mirror = server(), server()
    monkeypatch.setattr(_sources, "SERVERS", (first, mirror))
    monkeypatch.setattr(_sources, "_answering", lambda servers: servers)
    server.running[0].shutdown()
    server.running[0].server_close()
    with pytest.warns(UserWarning, match="Download failed"):
        assert data.source().startswith("download")
    assert len(server.running[1].asked) == 4


def test_a_server_that_refuses_is_not_asked(small, monkeypatch, server):
    monkeypatch.setattr(_sources, "SERVERS", (server(status=503), server()))
    assert data.source().startswith("download")
    assert [len(each.asked) for each in server.running] == [0, 4]


def test_offline_asks_nobody(small, monkeypatch, server):
    monkeypatch.setattr(_sources, "SERVERS", (server(),))
    monkeypatch.setenv("ALEXBOOK_OFFLINE", "1")
    assert data.source().startswith("sample")
    assert server.running[0].asked == []
    data._everything.cache_clear()
    monkeypatch.setenv("ALEXBOOK_OFFLINE", "0")
    assert data.source().startswith("download")


def test_a_network_that_swallows_everything_costs_seconds(small, monkeypatch):
    """A name server that never answers, which no timeout of the sockets' bounds."""
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(30) and [])
    monkeypatch.setattr(_sources, "SERVERS", ("http://one.example/", "http://two.example/"))
    monkeypatch.setattr(_sources, "PATIENCE", 0.5)
    start = time.monotonic()
    assert data.source().startswith("sample")
    assert time.monotonic() - start < 5
    release.set()


def test_no_network_is_noticed_at_once(small, monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(_sources, "SERVERS", ("http://one.example/", "http://two.example/"))
    start = time.monotonic()
    assert data.source().startswith("sample")
    assert time.monotonic() - start < 3


def test_a_cache_that_cannot_be_written(small, monkeypatch, tmp_path, server):
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setattr(_sources, "SERVERS", (server(),))
    with pytest.warns(UserWarning, match="Download failed"):
        assert data.source().startswith("sample")
