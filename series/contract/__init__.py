"""The contract: what a good image promises, and the rules that find out whether it does.

A rule takes a `Subject`, does something real with the engine, and returns a `Finding`: kept, broken
or does not apply, with what it saw. What it cannot find out it raises as `CannotTell`, or as the
engine's own `EngineError`; that never counts as kept. Its docstring begins with the promise.
"""

from collections.abc import Callable

from series.contract import build, contents, deaths, runtime, secrets, security
from series.contract.finding import CannotTell, Finding, Verdict
from series.contract.subject import Subject

__all__ = ["DEEP", "RULES", "CannotTell", "Finding", "Subject", "Verdict", "promise"]

RULES: dict[str, Callable[[Subject], Finding]] = {
    rule.__name__.replace("_", "-"): rule
    for rule in (
        build.builds,
        build.edit_keeps_dependencies,
        build.pinned_tools,
        build.linted,
        build.reproducible,
        contents.locked,
        contents.no_installer,
        contents.no_dev_dependencies,
        contents.no_build_tools,
        runtime.answers,
        runtime.quiet,
        runtime.direct_server,
        runtime.clean_stop,
        deaths.unbuffered,
        deaths.fault_traceback,
        security.non_root,
        security.any_user,
        security.read_only,
        runtime.health,
        runtime.worker_count,
        secrets.no_secrets,
    )
}
"""The rules by their names, in the order in which they are shown."""

DEEP = {"any-user", "read-only", "health", "worker-count", "no-secrets", "reproducible"}
"""Those that take longer, with a build or a container of their own; `make test` leaves them out."""


def promise(name: str) -> str:
    """Return what a rule promises, in one sentence."""
    return (RULES[name].__doc__ or "").splitlines()[0]
