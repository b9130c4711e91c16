"""Runs other programs, and tells the user what is being done meanwhile."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """What a program left behind: its exit status and all that it wrote."""

    status: int
    output: str

    @property
    def ok(self) -> bool:
        """Whether the exit status was 0."""
        return self.status == 0


def run(
    *argv: str, environment: Mapping[str, str] | None = None, seconds: float | None = None
) -> Result:
    """Run a program to its end.

    Args:
        argv: the program and its arguments.
        environment: variables set for it on top of our own.
        seconds: how long it may take; without, as long as it must.

    Returns:
        Its exit status and what it wrote to standard output and standard error, in order. As in
        a shell, the status is 127 for a program that is not there and 124 for one out of time.
    """
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **(environment or {})},
            timeout=seconds,
        )
    except FileNotFoundError:
        return Result(127, f"{argv[0]}: command not found")
    except subprocess.TimeoutExpired:
        return Result(124, f"{argv[0]} did not end within {seconds:.0f} s")
    return Result(done.returncode, done.stdout)


class Progress:
    """What the line about something that is being done says at its end."""

    outcome = "done"


@contextmanager
def doing(what: str) -> Iterator[Progress]:
    """Say on one line what is being done, and at its end the outcome and how long it took."""
    print(f"→ {what} …", end="", file=sys.stderr, flush=True)
    started = time.monotonic()
    progress = Progress()
    try:
        yield progress
    except BaseException:
        print(" not done.", file=sys.stderr, flush=True)
        raise
    seconds = time.monotonic() - started
    print(f" {progress.outcome} in {seconds:.0f} s.", file=sys.stderr, flush=True)
