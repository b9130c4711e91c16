import os
from math import ceil
from pathlib import Path

# Every address of the container, so that the published port reaches it.
bind = "0.0.0.0:8000"

# FastAPI speaks ASGI, which Gunicorn's default worker does not.
worker_class = "uvicorn_worker.UvicornWorker"

# What the kernel tells of the container's limit: cgroup v2, cgroup v1. Python counts the
# processors of the machine, limit or not: https://github.com/python/cpython/issues/149452
LIMITS = (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"])


def limit() -> int | None:
    """How many processors the container may use; None where nobody has set a limit."""
    for names in LIMITS:
        files = [Path("/sys/fs/cgroup", name) for name in names]
        if files[0].exists():
            quota, period = " ".join(file.read_text() for file in files).split()
            return None if quota in ("max", "-1") else ceil(int(quota) / int(period))
    return None


# One worker for each processor; two where there is no limit. WEB_CONCURRENCY overrides both.
if "WEB_CONCURRENCY" not in os.environ:
    workers = limit() or 2

# Workers prove that they are alive by touching a file: keep it in memory, a disk may stall.
worker_tmp_dir = "/dev/shm"

# Seconds that requests in progress get at a stop. After ten, Docker kills what still runs.
graceful_timeout = 8

# Nobody manages this server through a socket.
control_socket_disable = True
