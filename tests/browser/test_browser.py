"""The validation pages in a real browser, offline: nothing is asked of anybody, nothing runs out of a laptop's screen or the paper.

Needs Debian's package chromium; run by `make browser`, not by `make test`.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import RunHome

pytestmark = pytest.mark.browser

LAPTOP, PAPER = 1366, 794
# Chromium's own errands (the time, updates), whatever page is open.
OWN = re.compile(r"[./]((google|googleapis|gvt1|gstatic)[.]com)[:/ ]")
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-default-apps", "--disable-sync", "--disable-extensions", "--hide-scrollbars",
]  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium")
    assert found, "Chromium is not there: apt-get install chromium"
    return found


@pytest.fixture(scope="module")
def pages(faulty_2024: RunHome) -> list[Path]:
    """The run's page, the history, and the page of the delivery with the most quarantined rows."""
    folder = faulty_2024.home.validation_reports
    fullest = max(folder.glob("batch-*.html"), key=lambda page: page.stat().st_size)
    return [folder / "run-000001.html", folder / "index.html", fullest]


@pytest.fixture
def asked() -> Iterator[tuple[int, list[str]]]:
    """(port, requests): a proxy that answers nobody and notes who was asked for."""
    requests: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def note() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    requests.append(connection.recv(200).decode(errors="replace").split("\r\n")[0])

        threading.Thread(target=note, daemon=True).start()
        yield server.getsockname()[1], requests


def browse(chromium: str, profile: Path, page: Path, *options: str) -> str:
    environment = os.environ | {"HOME": str(profile)}
    command = [chromium, *QUIET, f"--user-data-dir={profile}", *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=environment).stdout


def width_of(chromium: str, profile: Path, page: Path, window: int, media: str) -> int:
    """How wide the content is in a window, on screen or as printed."""
    text = page.read_text(encoding="utf-8")
    if media == "print":
        text = text.replace("@media print", "@media all")
    probe = profile.with_suffix(f".{page.stem}.html")
    probe.write_text(
        text + "<script>document.title = 'width ' + document.documentElement.scrollWidth</script>", encoding="utf-8"
    )
    shown = browse(chromium, profile, probe, f"--window-size={window},900", "--dump-dom")
    found = re.search(r"<title>width ([0-9]+)</title>", shown)
    assert found, "the page did not run"
    return int(found[1])


def test_nobody_is_asked_for_anything(
    chromium: str, pages: list[Path], tmp_path: Path, asked: tuple[int, list[str]]
) -> None:
    port, requests = asked
    outward = tmp_path / "outward.html"
    outward.write_text('<img src="http://example.invalid/x.png">')
    browse(chromium, tmp_path / "probe", outward, f"--proxy-server=127.0.0.1:{port}", "--dump-dom")
    assert any("example.invalid" in request for request in requests), "the proxy notes what a page asks for"
    requests.clear()
    for page in pages:
        shown = browse(chromium, tmp_path / "profile", page, f"--proxy-server=127.0.0.1:{port}", "--dump-dom")
        assert "</main>" in shown
    assert [request for request in requests if not OWN.search(request)] == []


@pytest.mark.parametrize(("window", "media"), [(LAPTOP, "screen"), (PAPER, "print")])
def test_nothing_runs_out_of_the_screen_or_the_paper(
    chromium: str, pages: list[Path], tmp_path: Path, window: int, media: str
) -> None:
    widths = {page.name: width_of(chromium, tmp_path / "profile", page, window, media) for page in pages}
    assert all(width <= window for width in widths.values()), widths


def test_the_pages_can_be_drawn_and_printed(chromium: str, pages: list[Path], tmp_path: Path) -> None:
    for page in pages:
        picture, paper = tmp_path / f"{page.stem}.png", tmp_path / f"{page.stem}.pdf"
        browse(chromium, tmp_path / "profile", page, f"--window-size={LAPTOP},900", f"--screenshot={picture}")
        browse(chromium, tmp_path / "profile", page, "--no-pdf-header-footer", f"--print-to-pdf={paper}")
        assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 20_000
        assert paper.read_bytes().startswith(b"%PDF") and paper.stat().st_size > 20_000
