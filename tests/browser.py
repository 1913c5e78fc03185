"""A page in headless Chromium, driven by the DevTools protocol over pipes; tests skip where there is no browser."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

# In the order in which they are looked for.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = next((path for path in map(shutil.which, NAMES) if path), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason=f"no browser is installed: none of {', '.join(NAMES)}")

# Seconds that a browser may take for an answer, which on a busy machine is long.
PATIENCE = 60

# The protocol reads from the descriptor 3 and writes to 4. The pipes may be either of these, so they step aside first.
_TAKE_PIPES = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for place, end in zip((3, 4), ends):
    os.dup2(end, place)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """A browser with one page, and what it complained about."""

    def __init__(self, send, receive):
        self._send, self._receive = send, receive
        self._buffer, self._n_calls = b"", 0
        self.complaints, self.requests = [], []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """Return the result of a method of the protocol, such as ``Page.navigate``."""
        return self._call(method, self._session, **parameters)

    def open(self, path, *, width=1280, height=900, dark=False):
        """Load a file from the disk as a window of some size shows it."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        self.complaints.clear()
        self.requests.clear()
        self.call("Page.navigate", url=Path(path).resolve().as_uri())
        self._until(lambda event: event.get("method") == "Page.loadEventFired")

    def run(self, script):
        """Return the value of an expression in the page, awaited if it is a promise."""
        found = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key):
        """Press a key and let it go."""
        text = {"Enter": "\r", " ": " "}.get(key)
        code = {"Enter": 13, "Tab": 9, "Escape": 27}.get(key, 0)
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **more)

    def point(self, x, y):
        """Move the pointer."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def screenshot(self):
        """Return the whole page as the bytes of a PNG file."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    def printed(self):
        """Return the page as the bytes of a PDF file."""
        return base64.b64decode(self.call("Page.printToPDF")["data"])

    def _call(self, method, session=None, **parameters):
        self._n_calls += 1
        number = self._n_calls
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self._send.write(json.dumps(message).encode() + b"\0")
        self._send.flush()
        answer = self._until(lambda event: event.get("id") == number)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def _until(self, wanted):
        end = time.monotonic() + PATIENCE
        while True:
            while b"\0" not in self._buffer:
                ready, _, _ = select.select([self._receive], [], [], end - time.monotonic())
                assert ready, "the browser does not answer"
                part = os.read(self._receive, 1 << 16)
                assert part, "the browser has ended"
                self._buffer += part
            message, _, self._buffer = self._buffer.partition(b"\0")
            event = json.loads(message)
            self._note(event)
            if wanted(event):
                return event

    def _note(self, event):
        details = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(details["exceptionDetails"]["text"])
        if event.get("method") == "Log.entryAdded" and details["entry"]["level"] in ("error", "warning"):
            self.complaints.append(details["entry"]["text"])
        if event.get("method") == "Runtime.consoleAPICalled":
            self.complaints.append(str(details["args"]))
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(details["request"]["url"])


@contextmanager
def browser(folder):
    """Yield a browser that keeps its own files in a folder, and end it."""
    for_browser, send = os.pipe()
    receive, from_browser = os.pipe()
    command = [
        CHROMIUM,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--remote-debugging-pipe",
        f"--user-data-dir={folder}",
    ]
    words = [sys.executable, "-c", _TAKE_PIPES, str(for_browser), str(from_browser), *command]
    process = subprocess.Popen(
        words, pass_fds=(for_browser, from_browser), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(for_browser)
    os.close(from_browser)
    try:
        with os.fdopen(send, "wb") as sending:
            page = Browser(sending, receive)
            yield page
            sending.write(json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
    finally:
        os.close(receive)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
