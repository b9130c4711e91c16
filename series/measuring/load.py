"""Load on a server that is stopped: a program for a container in the server's network.

Clients ask one request after the other, each over a new connection: one half asks for the root, the
other writes messages. Each goes on until there is nobody who accepts a connection. Then the program
prints as JSON how many requests ended in which way, and the messages by the status of the answer.

    answered   the whole answer came
    unread     the connection was closed before anything came
    cut        it was closed before the whole answer was there
"""

import itertools
import json
import socket
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

CLIENTS = 12  # of each kind
SECONDS = 30  # for a connection, and for each part of an answer

server, run = sys.argv[1:]
address = (socket.gethostbyname(server), 8000)
ends: Counter[str] = Counter()
messages: dict[str, list[str]] = defaultdict(list)


def request(text: str) -> bytes:
    """What is sent: a message with this text, or, if there is none, a question for the root."""
    body = json.dumps({"author": "load", "text": text}) if text else ""
    return (
        f"{'POST /messages' if text else 'GET /'} HTTP/1.1\r\nHost: {server}\r\n"
        f"Connection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"\r\n{body}"
    ).encode()


def answer(connection: socket.socket, sent: bytes) -> bytes:
    """What comes until the connection is closed."""
    received = b""
    with connection, suppress(ConnectionError):
        connection.sendall(sent)
        while part := connection.recv(65536):
            received += part
    return received


def end(received: bytes) -> str:
    """How a request ended, for which this came."""
    head, _, body = received.partition(b"\r\n\r\n")
    sizes = [line.split()[1] for line in head.lower().splitlines() if b"content-length:" in line]
    whole = sizes == [str(len(body)).encode()]
    return "answered" if whole else "cut" if received else "unread"


def client(name: str) -> None:
    """Ask until there is nobody any more."""
    for number in itertools.count():
        text = f"{run} {name} {number}" if name.startswith("w") else ""
        try:
            connection = socket.create_connection(address, SECONDS)
        except OSError:
            return
        received = answer(connection, request(text))
        ends[end(received)] += 1
        if text:
            messages[received[9:12].decode()].append(text)


with ThreadPoolExecutor(2 * CLIENTS) as pool:
    for done in [pool.submit(client, f"{kind}{n}") for kind in "rw" for n in range(CLIENTS)]:
        done.result()
print(json.dumps({"ends": ends, "messages": messages}))
