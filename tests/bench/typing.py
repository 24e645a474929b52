"""From a key to the visible problem, in headless Chromium over a big knowledge folder.

Run: python -m tests.bench.typing [--entries 10000] [--files 400] [--times 20]

The server is `serve` itself, in a process of its own. The time runs in the page: from the key that makes a line wrong
until its problem stands in the list; the pause that the page waits for another key is part of it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.bench.editing import make

if TYPE_CHECKING:
    from playwright.sync_api import Page

_LINK = re.compile(r"https?://[^\s）]+/admin/[^\s）]+")
_PATIENCE = 120_000
_SOUND = "document.querySelector('#problems li') && !document.querySelector('#problems .error')"
_WATCH = """
() => {
  const list = document.getElementById('problems');
  window.took = 0;
  let pressed = 0;
  document.addEventListener('keydown', () => { pressed = performance.now(); window.took = 0; }, true);
  new MutationObserver(() => requestAnimationFrame(() => {
    if (pressed && list.querySelector('.error')) { window.took = performance.now() - pressed; pressed = 0; }
  })).observe(list, { childList: true });
}
"""


@contextmanager
def served(folder: Path, place: Path) -> Iterator[str]:
    """`serve` over a folder; the link that logs in."""
    variables = {
        "REFORMBOT_KNOWLEDGE": str(folder),
        "REFORMBOT_DATABASE_URL": f"sqlite+aiosqlite:///{place}/log.db",
        "REFORMBOT_PORT": str(_free_port()),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "bot", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **variables}) as server:
        assert server.stdout is not None
        try:
            found = next(filter(None, map(_LINK.search, server.stdout)), None)
            assert found is not None, "the server told no link to log in"
            yield found.group()
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def keys(page: Page, times: int) -> list[float]:
    """Milliseconds from the key to the problem, so many times."""
    page.evaluate(_WATCH)
    found: list[float] = []
    for _ in range(times):
        page.wait_for_function(_SOUND)
        page.locator(".cm-content").click()
        page.keyboard.press("Control+Home")
        page.keyboard.type("x")
        page.wait_for_function("window.took > 0")
        found.append(page.evaluate("window.took"))
        page.keyboard.press("Backspace")
    return sorted(found)


def main() -> None:
    """Measure, and say it."""
    options = argparse.ArgumentParser()
    options.add_argument("--entries", type=int, default=10_000)
    options.add_argument("--files", type=int, default=400)
    options.add_argument("--times", type=int, default=20)
    given = options.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "knowledge"
        folder.mkdir()
        make(folder, given.entries, given.files)
        file = next(folder.glob("*/made-*.yaml")).relative_to(folder).as_posix()
        with served(folder, Path(place)) as link, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 900}, bypass_csp=True)
            page.set_default_timeout(_PATIENCE)
            page.goto(link)
            button = page.get_by_role("button")
            if "login" in page.url and button.count():
                button.first.click()
            page.goto(f"{link.split('/admin')[0]}/admin/knowledge/edit?file={file}")
            took = keys(page, given.times)
            browser.close()
    told = f"median {took[len(took) // 2]:.0f} ms, worst {took[-1]:.0f} ms of {len(took)}"
    print(f"{given.entries} entries in {given.files} files; key to visible problem: {told}")


if __name__ == "__main__":
    main()
