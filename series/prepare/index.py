"""Finds out what an image must know to reach the Python package index from this network."""

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from series.prepare.problem import Problem
from series.prepare.programs import run


def certificates() -> Path:
    """Return the file (PEM) with the certificate authorities that this machine trusts.

    In a network whose proxy signs TLS connections by itself, no other ones will do.

    Raises:
        Problem: this machine has no such file.
    """
    default = ssl.get_default_verify_paths().cafile
    for file in (default, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/cert.pem"):
        if file and Path(file).is_file():
            return Path(file)
    raise Problem("This machine trusts no certificates. Type: apt-get install ca-certificates")


def for_poetry(python: Path) -> str:
    """Return the address that Poetry must be told to read, or "" where it needs none.

    pip reads an index's simple pages. Poetry asks the default index for the JSON of one release
    as well, which many mirrors and proxies do not have.

    Args:
        python: an interpreter with pip; pip says which index is its default.

    Raises:
        Problem: the index does not answer at all.
    """
    program = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    simple = run(str(python), "-c", program).output.strip()
    release = f"{simple.removesuffix('/simple')}/pypi/six/1.16.0/json"
    try:
        with urllib.request.urlopen(release, timeout=30) as answer:
            json.load(answer)
    except (urllib.error.HTTPError, json.JSONDecodeError):
        return simple
    except OSError as error:
        raise Problem(
            "The Python package index does not answer, so no lesson can be built. Check the "
            "network (and the proxy, if there is one), then try again.",
            str(error),
        ) from None
    return ""
