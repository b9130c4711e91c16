from __future__ import annotations

from tests.contract.small import BROKEN, INSTALLED, KEPT, SERVER, dockerfile, judged

COMMIT_TIME = "ARG SOURCE_DATE_EPOCH\n"
# Named by its compose file, below a folder, with an argument and a target.
ELSEWHERE = {
    "compose.yaml": (
        "services: {web: {build: {context: site, dockerfile: ../web.Dockerfile, target: web, "
        "args: {GREETING: hello}}, ports: ['127.0.0.1:${PORT:-8000}:8000']}}"
    ),
    "site/index.html": "<p>hello",
    "web.Dockerfile": f"""
FROM python:3.13-slim-trixie AS web
ARG GREETING
COPY index.html .
RUN test "$GREETING" = hello
{SERVER}
FROM web
RUN date > now
""",
}
APT = "RUN apt-get update && apt-get install --yes hello && rm -rf /var/lib/apt/lists/*"
LOGS = "/var/log/*.log /var/log/apt/* /var/cache/ldconfig/aux-cache"

test_a_project_is_judged = judged(
    "reproducible",
    [
        (dockerfile(f"COPY . /app\n{SERVER}"), KEPT, "Twice sha256:"),
        (ELSEWHERE, KEPT, "Twice sha256:"),
        (
            dockerfile(f"RUN date --iso=ns > /now\n{SERVER}"),
            BROKEN,
            "1 difference, such as layer 7: /now",
        ),
        (dockerfile(INSTALLED), BROKEN, "iniconfig/__pycache__/__init__.cpython-313.pyc: contents"),
        (dockerfile(f"{COMMIT_TIME}{INSTALLED}"), BROKEN, "/root/.cache/pip/selfcheck/"),
        (
            dockerfile(f"{COMMIT_TIME}ENV PIP_DISABLE_PIP_VERSION_CHECK=1\n{INSTALLED}"),
            KEPT,
            "Twice sha256:",
        ),
        (dockerfile(f"{APT}\n{SERVER}"), BROKEN, "/var/log/dpkg.log: contents"),
        (dockerfile(f"{APT} {LOGS}\n{SERVER}"), KEPT, "Twice sha256:"),
    ],
)
