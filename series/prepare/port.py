"""The port of this machine at which a lesson answers."""

import os
import socket


class BadPort(Exception):
    """PORT is no port; the message is one sentence for whoever set it."""


def wanted() -> int:
    """Return the port that PORT asks for, 8000 by default; 0 leaves the choice to the engine.

    Raises:
        BadPort: it is no port.
    """
    text = os.environ.get("PORT") or "8000"
    if not (text.isascii() and text.isdecimal() and int(text) <= 65535):
        raise BadPort(f"PORT={text} is no port. Choose one from 1 to 65535: PORT=8010 make up")
    return int(text)


def is_taken(port: int) -> bool:
    """Tell whether a program has this port of any address of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except PermissionError:
            return False  # a low port, which the engine may open and we may not
        except OSError:
            return True
    return False


def another(port: int) -> int:
    """Return a port to try where this one is taken."""
    return 8010 if port != 8010 else 8020
