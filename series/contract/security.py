"""What somebody who gets into a container could do there, and what the server still can."""

from __future__ import annotations

import re

from series import engine
from series.contract.finding import Finding, broken, does_not_apply, kept
from series.contract.logs import complaints, plain
from series.contract.subject import Subject

_NO_PORT = "The compose file publishes no port."


def non_root(subject: Subject) -> Finding:
    """The server runs as a user that is not root, and the image names that user by number.

    Found out from the processes of the running container, none of which may be root's, and from
    the user in the image's configuration. What a name stands for is written inside of the image;
    of a number a cluster knows it before it starts anything.

    Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    """
    if not subject.project.published:
        return does_not_apply(_NO_PORT)
    roots = [str(process) for process in subject.processes if 0 in process.users]
    if roots:
        return broken("\n".join([f"Root runs process {roots[0]}", *roots[1:]]))
    named = subject.project.user
    user = named.partition(":")[0]
    if not (user.isascii() and user.isdecimal() and int(user)):
        return broken(f"The server is not root, but the image names its user {named or 'nowhere'}.")
    return kept(f"The image names user {user}, and no process is root's.")


# No account has this number, so the user has no name and no home.
_SOMEBODY = 'user: "12345:0"'


def any_user(subject: Subject) -> Finding:
    """The server also runs as an arbitrary user without a name or a home.

    Found out by a request to another container, which runs as user 12345 of group 0. OpenShift
    chooses such a number for each project.

    Source: https://docs.redhat.com/en/documentation/openshift_container_platform/4.19/html/images/creating-images#use-uid_create-images
    """
    if not subject.project.published:
        return does_not_apply(_NO_PORT)
    assert subject.life
    try:
        with subject.another_life(settings=_SOMEBODY):
            return kept("It answers as user 12345 of group 0.")
    except engine.NoAnswer as failed:
        return broken(f"As user 12345 of group 0, {failed}")


# What the kernel refuses a locked container, in the words of the C library:
# https://man7.org/linux/man-pages/man3/errno.3.html
_REFUSED = re.compile("Read-only file system|Permission denied|Operation not permitted", re.I)


def read_only(subject: Subject) -> Finding:
    """The server runs on a read-only root without any capability, and logs nothing about it.

    Found out by another container with a root file system that nobody can write to, a /tmp in
    memory, no capabilities and no new privileges. It is asked and stopped. Then its log must hold
    no complaint that the log of the first container does not hold.

    Source: https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html
    """
    if not subject.project.published:
        return does_not_apply(_NO_PORT)
    usual = _troubles(subject.life.log)
    memory = "" if "/tmp" in subject.project.mounted else "tmpfs: [/tmp],"
    locked = (
        f"read_only: true, {memory} privileged: false, cap_drop: !override [ALL], "
        'cap_add: !reset [], security_opt: !override ["no-new-privileges:true"]'
    )
    try:
        with subject.another_life(settings=locked) as project:
            project.stop()
            new = {key: line for key, line in _troubles(project.log).items() if key not in usual}
    except engine.NoAnswer as failed:
        return broken(f"Locked down, {failed}")
    if new:
        return broken("\n".join(["Locked down, it logs:", *new.values()]))
    return kept("Locked down, it answers and logs nothing about it.")


def _troubles(log: str) -> dict[str, str]:
    """The lines that complain or tell of a refusal, by what is the same in each run."""
    lines = [*complaints(log), *filter(_REFUSED.search, plain(log))]
    return {re.sub(r"\d+", "0", line): line for line in lines}
