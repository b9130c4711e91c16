"""A debugger's side of the protocol that editors speak with debugpy.

https://microsoft.github.io/debug-adapter-protocol/overview
"""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any, Self

SECONDS = 30
"""How long an answer may take."""


class Debugger:
    """A session with the debugger in a container.

    Args:
        port: where that listens, on this machine.
        attach: what the editor's configuration says.
        breakpoints: lines by the paths of files, as this machine names them.
    """

    def __init__(
        self, port: int, attach: Mapping[str, Any], breakpoints: Mapping[str, int]
    ) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._file = self._socket.makefile("rwb")
        self._numbers = itertools.count(1)
        self._heard: list[dict[str, Any]] = []
        self._thread = 0
        self._ask("initialize", adapterID="debugpy", pathFormat="path")
        self._send("attach", **attach)
        self.event("initialized")
        for path, line in breakpoints.items():
            self._ask("setBreakpoints", source={"path": path}, breakpoints=[{"line": line}])
        self._ask("configurationDone")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def event(self, name: str) -> dict[str, Any]:
        """Wait for an event, and return what it says; each is returned once."""
        return self._wait(lambda message: message.get("event") == name)

    def stopped(self) -> tuple[str, int]:
        """Wait until a breakpoint is met, and return its file and line."""
        self._thread = self.event("stopped")["threadId"]
        frame = self._ask("stackTrace", threadId=self._thread)["stackFrames"][0]
        return frame["source"]["path"], frame["line"]

    def go_on(self) -> None:
        """Let the program go on from the breakpoint that was met last."""
        self._ask("continue", threadId=self._thread)

    def _send(self, command: str, **arguments: object) -> int:
        number = next(self._numbers)
        request = {"seq": number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(request).encode()
        self._file.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._file.flush()
        return number

    def _ask(self, command: str, **arguments: object) -> dict[str, Any]:
        number = self._send(command, **arguments)
        return self._wait(lambda message: message.get("request_seq") == number)

    def _wait(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            for message in self._heard:
                if wanted(message):
                    self._heard.remove(message)
                    assert message.get("success", True), message
                    return message.get("body") or {}
            length = 0
            while header := self._file.readline().strip():
                length = int(header.partition(b":")[2])
            assert length, "The debugger has closed the connection."
            self._heard.append(json.loads(self._file.read(length)))
