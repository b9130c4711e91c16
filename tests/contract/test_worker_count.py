from __future__ import annotations

from tests.contract.small import (
    BROKEN,
    COMPOSE,
    DOES_NOT_APPLY,
    KEPT,
    NO_PORT,
    SERVER,
    WORKERS,
    Files,
    dockerfile,
    judged,
)


def workers(number: str) -> Files:
    """A server with as many workers as an expression says."""
    fork = "server.serve_forever() if os.fork() == 0 else os.wait()"
    forks = f"server.serve_forever() if not all(os.fork() for _ in range({number})) else os.wait()"
    return dockerfile(WORKERS.replace(fork, forks))


def composed(settings: str) -> Files:
    return {"compose.yaml": COMPOSE.replace("build: .", f"build: ., {settings}")}


# The kernel's limit, in whichever version of cgroups this machine has
LIMIT = (
    "max(1, int(__import__('subprocess').getoutput("
    "'cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null')"
    ".replace('max', '-1').split()[0]) // 100000)"
)

test_a_project_is_judged = judged(
    "worker-count",
    [
        (dockerfile(SERVER), KEPT, "--cpus=1: 1, whatever the machine has"),
        (workers("3"), KEPT, "--cpus=1: 4, whatever"),
        (workers(LIMIT), KEPT, "--cpus=1: 2, whatever"),
        (workers("os.cpu_count()"), BROKEN, "--cpus=1: 2 where the machine has one"),
        (workers("os.cpu_count()"), BROKEN, "5 where it has four"),
        (workers("2 * os.cpu_count() + 1"), BROKEN, "10 where it has four"),
        (workers("max(2, os.cpu_count())"), BROKEN, "5 where it has four"),
        (workers("min(os.cpu_count(), 2)"), BROKEN, "3 where it has four"),
        (workers("len(os.sched_getaffinity(0))"), BROKEN, "--cpus=1: 2 where the machine has one"),
        ({**workers("os.cpu_count()"), **composed("cpus: 0.5")}, BROKEN, "5 where it has four"),
        (
            {
                **workers(LIMIT),
                **composed("deploy: {resources: {limits: {cpus: '2', memory: 256m}}}"),
            },
            KEPT,
            "--cpus=1: 2, whatever",
        ),
        ({**workers(LIMIT), **composed("mem_limit: 256m")}, KEPT, "--cpus=1: 2, whatever"),
        ({**workers(LIMIT), **composed("cpu_quota: 200000")}, KEPT, "--cpus=1: 2, whatever"),
        ({**dockerfile(""), **NO_PORT}, DOES_NOT_APPLY, "publishes no port"),
    ],
)
