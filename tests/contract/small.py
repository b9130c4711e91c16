"""Small projects, and how a rule is tested on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from series.contract import DEEP, Finding, Verdict

KEPT, BROKEN, DOES_NOT_APPLY = Verdict

Files = Mapping[str, str]
"""A project: the text of each file by its name. A compose file is added where there is none."""

Judge = Callable[[str, Files], Finding]
"""What a rule, named first, says of a project."""

COMPOSE = "services: {web: {build: ., ports: ['127.0.0.1:${PORT:-8000}:8000']}}"
SERVER = 'STOPSIGNAL SIGINT\nCMD ["python", "-m", "http.server", "8000"]'
# A master that opens the socket, and a worker that serves it.
WORKERS = """
COPY <<EOF server.py
import os
import http.server
server = http.server.HTTPServer(("", 8000), http.server.SimpleHTTPRequestHandler)
server.serve_forever() if os.fork() == 0 else os.wait()
EOF
STOPSIGNAL SIGINT
CMD ["python", "server.py"]
"""
NO_PORT = {"compose.yaml": "services: {web: {build: .}}"}


def judged(rule: str, projects: Sequence[tuple[Files, Verdict, str]]) -> Callable[..., None]:
    """Return a test: what a rule says of each project.

    Args:
        rule: its name.
        projects: the files of each project, the verdict, and a part of what is seen.
    """

    @pytest.mark.parametrize(("files", "verdict", "evidence"), projects)
    def test(judge: Judge, files: Files, verdict: Verdict, evidence: str) -> None:
        finding = judge(rule, files)
        assert finding.verdict is verdict, finding
        assert evidence in finding.evidence

    test.rule, test.projects = rule, projects
    return pytest.mark.deep(test) if rule in DEEP else test


def dockerfile(text: str) -> Files:
    return {"Dockerfile": f"FROM python:3.13-slim-trixie\n{text}\n"}


def package(name: str, version: str, *groups: str, markers: str = '""') -> str:
    return f"""
[[package]]
name = "{name}"
version = "{version}"
groups = {[*groups]}
markers = {markers}
"""


def lock(*packages: str) -> Files:
    return {"poetry.lock": "".join(packages)}


def server(at_the_start: str, at_the_end: str) -> Files:
    """A server that prints something, and then stands behind a shell that says how it ends."""
    command = f"{at_the_start}; {at_the_end} python -m http.server 8000 & wait"
    return dockerfile(f'CMD ["sh", "-c", "{command}"]')


GOOD = server("echo 0 errors", "trap 'exit 0' TERM;")
# Process 1 gets only the signals that it asks for, and Python asks for no SIGTERM.
BAD = dockerfile(
    'CMD ["sh", "-c", "echo WARNING: the cellar is damp; exec python -m http.server 8000"]'
)
BAD_AT_THE_END = server("echo hello", "trap 'echo ERROR: a leak; exit 3' TERM;")
DIES = dockerfile('CMD ["sh", "-c", "echo the reason; exit 3"]')
FAILS = dockerfile("RUN echo the reason; exit 7")
SHOP = {"requirements.txt": "iniconfig==2.3.0\n", "shop/main.py": "print('shop')\n"}
NO_PYTHON = dockerfile(r"""
COPY <<'EOF' server.pl
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => 8000, Listen => 5);
while (my $client = $server->accept) {
    while (<$client> =~ /\S/) {}
    print $client "HTTP/1.0 200 OK\r\n\r\n";
    close $client;
}
EOF
STOPSIGNAL SIGKILL
CMD ["perl", "server.pl"]
""")
INSTALLED = f"RUN pip install iniconfig==2.3.0\n{SERVER}"
