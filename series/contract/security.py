"""What somebody who gets into a container could do there."""

from __future__ import annotations

from series.contract.finding import Finding, broken, does_not_apply, kept
from series.contract.subject import Subject


def non_root(subject: Subject) -> Finding:
    """The server runs as a user that is not root, and the image names that user by number.

    Found out from the processes of the running container, none of which may be root's, and from
    the user in the image's configuration. What a name stands for is written inside of the image;
    of a number a cluster knows it before it starts anything.

    Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    """
    if not subject.project.published:
        return does_not_apply("The compose file publishes no port.")
    roots = [str(process) for process in subject.processes if 0 in process.users]
    if roots:
        return broken("\n".join([f"Root runs process {roots[0]}", *roots[1:]]))
    named = subject.project.user
    user = named.partition(":")[0]
    if not (user.isascii() and user.isdecimal() and int(user)):
        return broken(f"The server is not root, but the image names its user {named or 'nowhere'}.")
    return kept(f"The image names user {user}, and no process is root's.")
