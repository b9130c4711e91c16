"""The port of this machine at which a lesson answers."""

import os
import socket

from series.lessons import ROOT
from series.prepare.owner import Owner


class BadPort(Exception):
    """PORT is no port; the message is one sentence for whoever set it."""


def wanted() -> int:
    """Return the port that PORT asks for, 8000 by default; 0 leaves the choice to the engine.

    Raises:
        BadPort: it is no port.
    """
    text = os.environ.get("PORT") or "8000"
    if not (text.isascii() and text.isdecimal() and int(text) <= 65535):
        raise BadPort(f"PORT={text} is no port. Choose one from 1 to 65535, such as PORT=8010.")
    return int(text)


def is_taken(port: int) -> bool:
    """Tell whether a program has this port at the address at which a lesson wants it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return False  # a low port, which the engine may open and we may not
        except OSError:
            return True
    return False


def way_out(port: int, owner: Owner | None) -> str:
    """Return what to do about a port that is taken.

    Args:
        port: the port.
        owner: whose container has it, as `of_port` says.
    """
    other = f"put PORT={8010 if port != 8010 else 8020} in front of the command"
    ours = owner and owner.folder.is_relative_to(ROOT)
    return f"type make down, or {other}" if ours else other
