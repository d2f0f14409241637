"""JupyterLab on loopback and a headless Chromium to drive it, for the browser tests."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

ROOT = Path(__file__).parents[1]
SLOW_MS = 60_000  # a time-out, not an expectation
_NO_NEWS = '{"fetchNews": "false", "checkForUpdates": false}'
_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
_CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--enable-precise-memory-info",
)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab.

    Attributes:
        url: Where it listens, without a slash at the end.
        token: What opens it.
        folder: The folder it serves.
        app: "jupyterlab", or "notebook" for Jupyter Notebook 7.
    """

    url: str
    token: str
    folder: Path
    app: str = "jupyterlab"

    def address(self, notebook: str) -> str:
        """Return the address that opens a notebook in a fresh workspace."""
        place = "lab/tree" if self.app == "jupyterlab" else "notebooks"
        return f"{self.url}/{place}/{notebook}?token={self.token}&reset"


def find_chromium() -> str | None:
    """Return the path of a Chromium on this machine, or None."""
    found = (shutil.which(name) for name in _CHROMIUM_NAMES)
    return next((path for path in found if path), None)


def find_free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


@contextmanager
def run_lab(
    folder: Path, home: Path, app: str = "jupyterlab", *more_args: str
) -> Iterator[Lab]:
    """Run JupyterLab over a folder, with settings of its own, until the block ends.

    Args:
        folder: What it serves.
        home: Empty folder for its settings, so that the user's are not touched.
        app: "jupyterlab", or "notebook" for Jupyter Notebook 7.
        *more_args: Further arguments for it.

    Yields:
        The running server.
    """
    settings = home / "settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(_NO_NEWS)
    url = f"http://127.0.0.1:{find_free_port()}"
    lab = Lab(url, secrets.token_hex(16), folder, app)
    environment = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "run",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
        "PYTHONPATH": ROOT,
    }
    command = [
        *(sys.executable, "-m", app, "--no-browser", "--allow-root"),
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={lab.url.rsplit(':', 1)[1]}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
        f"--IdentityProvider.token={lab.token}",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
        *more_args,
    ]
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {name: str(value) for name, value in environment.items()},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_up(lab, server, home / "lab.log")
            yield lab
        finally:
            server.terminate()
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait_until_up(lab: Lab, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + SLOW_MS / 1000
    while not _is_up(f"{lab.url}/api?token={lab.token}"):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)


@contextmanager
def run_browser(profile: Path, *more_args: str) -> Iterator["BrowserContext"]:
    """Run a headless Chromium with a profile of its own until the block ends.

    Args:
        profile: Empty folder for the profile.
        *more_args: Further arguments for it, a fake camera say.

    Yields:
        A browser context of 1280 x 800 pixels.
    """
    os.environ["PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD"] = "1"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        context = play.chromium.launch_persistent_context(
            str(profile),
            executable_path=find_chromium(),
            args=[*_CHROMIUM_ARGS, *more_args],
            viewport={"width": 1280, "height": 800},
        )
        context.set_default_timeout(SLOW_MS)
        try:
            yield context
        finally:
            context.close()
