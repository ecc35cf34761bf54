"""The web server that `docs/crowd.md` shows, over a small folder."""

from __future__ import annotations

import shutil
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.faults.servers import Server, nginx, until
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

PAPER = Path(__file__).parents[2] / "docs" / "nginx-hls.conf"
FOREVER = "public, max-age=31536000, immutable"
AROUND = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    include {folder}/hls.conf;
}}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where an evening is given out."""
    if shutil.which(nginx()) is None:
        pytest.skip("no nginx here")
    folder, port = tmp_path_factory.mktemp("crowd"), free_port()
    folder.chmod(0o755)
    evening = folder / "root" / "evening"
    evening.mkdir(parents=True)
    names = ("master.m3u8", "captions.en.m3u8", ".index.m3u8.7", "seg-00000.ts", "seg-00000.small.ts", "seg-00000.m4s")
    for name in (*names, "init-00000.mp4", "seg-00000.en.vtt", "cues.jsonl"):
        (evening / name).write_text("#EXTM3U\n" * 9)
    paper = PAPER.read_text()
    for old, new in (("listen 80;", f"listen 127.0.0.1:{port};"), ("root /srv/hls;", f"root {folder}/root;")):
        assert paper.count(old) == 1
        paper = paper.replace(old, new)
    (folder / "hls.conf").write_text(paper)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder))
    server = Server([nginx(), "-p", str(folder), "-c", str(folder / "nginx.conf")], folder / "log")
    server.start()
    try:
        until(lambda: _listens(port))
        yield f"http://127.0.0.1:{port}/evening"
    finally:
        server.kill()


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def _ask(address: str, method: str = "GET", **said: str) -> tuple[int, dict[str, str]]:
    body = b"x" if method in {"PUT", "POST"} else None
    request = urllib.request.Request(address, method=method, data=body, headers=said)  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the same
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, dict(refused.headers)


@pytest.mark.parametrize(
    ("name", "kind", "kept"),
    [
        ("master.m3u8", "application/vnd.apple.mpegurl", "max-age=1"),
        ("captions.en.m3u8", "application/vnd.apple.mpegurl", "max-age=1"),
        ("seg-00000.ts", "video/mp2t", FOREVER),
        ("seg-00000.small.ts", "video/mp2t", FOREVER),
        ("seg-00000.m4s", "video/iso.segment", FOREVER),
        ("init-00000.mp4", "video/mp4", FOREVER),
        ("seg-00000.en.vtt", "text/vtt; charset=utf-8", FOREVER),
    ],
)
def test_crowd_gets(site: str, name: str, kind: str, kept: str) -> None:
    status, said = _ask(f"{site}/{name}")
    assert (status, said["Content-Type"], said["Cache-Control"]) == (200, kind, kept)
    assert said["Access-Control-Allow-Origin"] == "*"


def test_crowd_gets_nothing_else_and_writes_nothing(site: str) -> None:
    for name in ("", ".index.m3u8.7", "cues.jsonl", "seg-00001.ts"):
        status, said = _ask(f"{site}/{name}")
        assert status in {403, 404}, name
        assert "Cache-Control" not in said
    for method in ("PUT", "POST", "DELETE"):
        for name in ("seg-00000.ts", "master.m3u8"):
            assert _ask(f"{site}/{name}", method)[0] in {403, 405}
    assert _ask(f"{site}/seg-00000.ts", "HEAD")[0] == 200


def test_playlists_travel_compressed(site: str) -> None:
    _status, said = _ask(f"{site}/master.m3u8", **{"Accept-Encoding": "gzip"})
    assert said["Content-Encoding"] == "gzip"
    _status, said = _ask(f"{site}/seg-00000.ts", **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in said
