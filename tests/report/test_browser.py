"""The page in headless Chromium: no error on its console, and something to see."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--proxy-server=127.0.0.1:9",  # nothing reaches the network
    "--enable-logging=stderr",
    "--v=0",
)


@dataclass(frozen=True)
class Visit:
    """What opening a page left.

    Attributes:
        console: Lines of its console.
        fetched: Addresses it asked the network for.
        pixels: What it looks like, float[rows, columns, 3].
    """

    console: list[str]
    fetched: list[str]
    pixels: np.ndarray


type Browse = Callable[[Path], Visit]


@pytest.fixture(scope="session")
def browse(tmp_path_factory: pytest.TempPathFactory) -> Browse:
    """Opens a page in headless Chromium."""
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        pytest.skip("no Chromium found (make browser, or Debian's package chromium)")

    def open_page(page: Path) -> Visit:
        folder = tmp_path_factory.mktemp("visit")
        shot, log = folder / "shot.png", folder / "net.json"
        command = [
            chromium,
            *QUIET,
            f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={log}",
            f"--screenshot={shot}",
            "--window-size=1200,3000",
            page.as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert shot.is_file(), f"{chromium} made no screenshot: {done.stderr[-2000:]}"
        console = re.findall(r"CONSOLE[^\n]*", done.stderr)
        return Visit(console, _fetched(log), image.imread(shot)[..., :3])

    return open_page


def _fetched(log: Path) -> list[str]:
    """Requests of pages; those of the browser itself have no origin."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    entries = [line.rstrip(", ") for line in lines if '"initiator"' in line and '"url"' in line]
    requests = [json.loads(entry)["params"] for entry in entries if entry.endswith("}")]
    return [entry["url"] for entry in requests if entry["initiator"] != "not an origin"]


def test_the_report_opens_without_an_error(report: Path, browse: Browse) -> None:
    """An empty console, nothing asked of the network, text and colours to be seen."""
    visit = browse(report / "report" / "report.html")
    assert visit.console == []
    assert visit.fetched == []
    dark = (visit.pixels.max(axis=2) < 0.35).mean()
    coloured = (np.ptp(visit.pixels, axis=2) > 0.3).mean()
    assert 0.002 < dark < 0.5
    assert coloured > 0.005


def test_a_faulty_page_is_noticed(browse: Browse, tmp_path: Path) -> None:
    """The test above can fail: errors of scripts and whatever is fetched are seen."""
    page = tmp_path / "faulty.html"
    page.write_text(
        "<!DOCTYPE html><title>x</title><p>text</p><script>throw new Error('boom')</script>"
        '<img src="http://127.0.0.1:9/nowhere.png">',
        encoding="utf-8",
    )
    visit = browse(page)
    assert any("boom" in line for line in visit.console)
    assert visit.fetched == ["http://127.0.0.1:9/nowhere.png"]
