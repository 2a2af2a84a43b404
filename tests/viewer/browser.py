"""A headless Chromium that a test drives, by DevTools messages through two pipes."""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--enable-unsafe-swiftshader",  # WebGL without a graphics card
    "--use-angle=swiftshader",
    "--remote-debugging-pipe",
)
_SECONDS = 20
KEYS = {".": 190, "Enter": 13, "ArrowLeft": 37, "ArrowRight": 39, "Tab": 9}
DIGITS = {str(n): 48 + n for n in range(10)}


class Page:
    """One page of the browser."""

    def __init__(self, writer: int, reader: int) -> None:
        self._writer, self._reader = writer, os.fdopen(reader, "rb", closefd=False)
        self._number, self._session, self._held = 0, "", False
        self.problems: list[str] = []
        """What the page wrote to its console as an error, or threw."""
        self.requests: list[str] = []
        """Addresses that the page asked for."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> Any:
        """Send a message and return the reply to it."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writer, json.dumps(message).encode() + b"\0")
        while (reply := self._receive()).get("id") != self._number:
            self._note(reply)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']['message']}")
        return reply["result"]

    def _receive(self) -> dict[str, Any]:
        text = bytearray()
        while (byte := self._reader.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("the browser has ended")
            text += byte
        received: dict[str, Any] = json.loads(text)
        return received

    def _note(self, event: dict[str, Any]) -> None:
        method, told = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        if method == "Runtime.exceptionThrown":
            self.problems.append(str(told["exceptionDetails"]))
        if method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.problems.append(f"{told['entry']['text']} {told['entry'].get('url')}")

    def resize(self, width: int, height: int) -> None:
        """Set the size of the window in pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def open(self, address: str) -> None:
        """Go to a page, and wait until it says that it is ready."""
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=address)
        self.until("document.body?.dataset.ready === 'yes'")

    def value(self, expression: str) -> Any:
        """Evaluate JavaScript in the page."""
        found = self.send(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["exception"]["description"])
        return found["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait for a JavaScript condition."""
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            # A page that is just being left answers nothing.
            with suppress(RuntimeError):
                if self.value(f"Boolean({condition})"):
                    return
            time.sleep(0.02)
        raise TimeoutError(f"waited {_SECONDS} s for {condition}")

    def mouse(self, kind: str, x: float, y: float) -> None:
        """Move, press or release the left button at a place in the window."""
        self._held = kind == "Pressed" or (self._held and kind == "Moved")
        self.send(
            "Input.dispatchMouseEvent",
            type=f"mouse{kind}",
            x=x,
            y=y,
            button="left" if self._held or kind == "Released" else "none",
            buttons=int(self._held),
            clickCount=int(kind != "Moved"),
        )

    def click(self, x: float, y: float) -> None:
        """Click at a place in the window."""
        for kind in ("Moved", "Pressed", "Released"):
            self.mouse(kind, x, y)

    def press(self, key: str, shift: bool = False) -> None:
        """Press a key and let go of it."""
        code = {**KEYS, **DIGITS}[key]
        name = f"Digit{key}" if key in DIGITS else key
        for kind in ("rawKeyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=name,
                windowsVirtualKeyCode=code,
                modifiers=8 if shift else 0,
            )

    def box(self, selector: str) -> tuple[float, float, float, float]:
        """Left, top, width and height of an element in the window."""
        x, y, w, h = self.value(
            f"(({{x, y, width, height}}) => [x, y, width, height])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        return x, y, w, h

    def screenshot(self) -> bytes:
        """PNG of the window."""
        return base64.b64decode(self.send("Page.captureScreenshot")["data"])


@contextmanager
def chromium() -> Iterator[Page]:
    """Start a browser with one page, and end it."""
    assert CHROMIUM is not None
    there, ours = os.pipe()
    back, theirs = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        arguments = [CHROMIUM, *_FLAGS, f"--user-data-dir={Path(profile)}"]
        silent = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
        # DevTools reads from descriptor 3 and writes to 4. They are duplicated twice,
        # since either pipe may have been given one of these numbers.
        moves = [(there, 98), (theirs, 99), (98, 3), (99, 4)]
        pid = os.posix_spawn(
            CHROMIUM,
            arguments,
            os.environ,
            file_actions=[silent, *((os.POSIX_SPAWN_DUP2, *m) for m in moves)],
        )
        os.close(there)
        os.close(theirs)
        try:
            page = Page(ours, back)
            yield page
            with suppress(RuntimeError):
                page.send("Browser.close")
        finally:
            os.close(ours)
            os.close(back)
            os.waitpid(pid, 0)
