"""Stops of the guest book under load: what becomes of the requests.

Some are held up by a lock in the database when the server is asked to stop.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from series import engine

_LOAD = Path(__file__).with_name("load.py").read_text("utf-8")
_WRITTEN = 50
"""So many messages are written before the server is stopped."""
_HELD = 5
"""So many requests wait for the lock then, at least."""
_WAITING = "SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def service(project: engine.Project, name: str) -> engine.Project:
    """Return the same project, by another one of its services."""
    return engine.Project(project.folder, project.name, name)


def sql(project: engine.Project, statement: str, detach: bool = False) -> str:
    """Return what the database answers to a statement."""
    words = ("psql", "--username=guestbook", "--no-align", "--tuples-only", "--command", statement)
    return service(project, "db").execute(*words, detach=detach).strip()


_SLEEPER = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK %'"


@contextmanager
def locked(project: engine.Project) -> Iterator[None]:
    """Let nobody read or write messages until the end of the block."""
    sql(project, "BEGIN; LOCK TABLE messages; SELECT pg_sleep(600)", detach=True)
    held = f"SELECT 1 FROM pg_locks WHERE pid IN ({_SLEEPER}) AND mode = 'AccessExclusiveLock'"
    try:
        _wait("a lock", lambda: sql(project, held) != "")
        yield
    finally:
        sql(project, f"SELECT pg_terminate_backend(pid) FROM ({_SLEEPER}) AS sleeper")


def stop_under_load(project: engine.Project, times: int) -> Counter[str]:
    """Stop the guest book again and again, while clients write messages and ask for the root.

    Args:
        project: the guest book, built.
        times: how often it is started and stopped.

    Returns:
        How many requests ended in which way, as `load.py` calls it: `answered`, `cut`, `unread`.
        Also how many messages were `held` by a lock in the database when the server was asked to
        stop, and how many of them got no answer (`forgotten`); how many messages are `lost` though
        they were confirmed, and how many `unconfirmed` ones were written; and how many stops were
        `unclean`, with an exit status other than 0.

    Raises:
        EngineError: the engine refused something, the guest book did not answer, or what a stop
            begins with did not come about in time.
    """
    found = Counter(cut=0, unread=0, held=0, forgotten=0, lost=0, unconfirmed=0, unclean=0)
    with ThreadPoolExecutor(2) as threads:
        for number in range(times):
            try:
                found.update(_stop(project, number, threads))
            finally:
                # The next container has a log of its own; and the clients ask until there is none.
                project.down(seconds=0)
    return found


def _stop(project: engine.Project, number: int, threads: Executor) -> Counter[str]:
    """Start and stop the guest book once; what is written then begins with the number."""
    project.start()
    project.wait_for_answer("/messages")
    asking = threads.submit(project.run, "python", "-c", _LOAD, project.service, str(number))
    written = f"FROM messages WHERE text LIKE '{number} %'"

    def until(awaited: str, is_there: Callable[[], bool]) -> None:
        _wait(awaited, lambda: asking.done() or is_there())
        if asking.done():
            raise engine.EngineError("The clients ended before the server did.", asking.result())

    until(
        f"{_WRITTEN} messages", lambda: int(sql(project, f"SELECT count(*) {written}")) >= _WRITTEN
    )
    with locked(project):
        until(f"{_HELD} messages that are held up", lambda: len(_held(project)) >= _HELD)
        stopping = threads.submit(project.stop)
        _wait("word of the signal in the log", lambda: "signal: term" in project.log)
        held = _held(project)
    found = Counter(held=len(held), unclean=stopping.result() != 0)
    told = json.loads(asking.result())
    found.update(told["ends"])
    found["forgotten"] = len({*held} & {*told["messages"].get("", [])})
    stored = Counter(sql(project, f"SELECT text {written}").splitlines())
    confirmed = Counter(told["messages"].get("201", []))
    found["lost"] = (confirmed - stored).total()
    found["unconfirmed"] = (stored - confirmed).total()
    return found


def _held(project: engine.Project) -> list[str]:
    """The messages that a lock in the database holds up."""
    return re.findall(r"'(\d+ w\d+ \d+)'", sql(project, _WAITING))


def _wait(awaited: str, is_there: Callable[[], bool]) -> None:
    if not engine.look_again(is_there, bool):
        seconds = f"{engine.ANSWER_SECONDS:.0f} s"
        raise engine.EngineError(f"There was no {awaited} within {seconds}.")
