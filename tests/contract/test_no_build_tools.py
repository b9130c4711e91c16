from __future__ import annotations

from tests.contract.small import BROKEN, KEPT, Files, judged


def image(*programs: str, others: tuple[str, ...] = ()) -> Files:
    """An image that holds nothing but these files."""
    copies = [f"COPY --chmod=755 content {path}" for path in programs]
    copies += [f"COPY --chmod=644 content {path}" for path in others]
    lines = ["FROM scratch", *copies, 'CMD ["nothing"]\n']
    return {"Dockerfile": "\n".join(lines), "content": "content\n"}


# What only looks like it: a formatter, a plug-in, a script, completions for a shell; headers that
# Python has itself, that a package put beside them, and that belong to an installed package.
LOOKALIKES = image(
    "/usr/bin/clang-format",
    "/usr/bin/protoc-gen-go",
    "/app/go",
    others=(
        "/usr/share/bash-completion/completions/gcc",
        "/usr/local/include/python3.13/Python.h",
        "/usr/local/include/python3.13/greenlet/greenlet.h",
        "/usr/local/lib/python3.13/site-packages/numpy/include/arrayobject.h",
    ),
)

WITH_EVERYTHING = {"Dockerfile": "FROM python:3.13\n"}

test_a_project_is_judged = judged(
    "no-build-tools",
    [
        (LOOKALIKES, KEPT, "Neither is among"),
        (WITH_EVERYTHING, BROKEN, ", one of them /usr/bin/c++\nHeaders: "),
        (WITH_EVERYTHING, BROKEN, ", one of them /usr/include/"),
        (
            image("/usr/bin/x86_64-linux-gnu-gcc-12"),
            BROKEN,
            "Compilers: 1, one of them /usr/bin/x86",
        ),
        (image("/usr/lib/gcc/x86_64-linux-gnu/12/cc1"), BROKEN, "Compilers: 1"),
        (image("/root/.cargo/bin/rustc", "/usr/local/go/bin/go"), BROKEN, "Compilers: 2"),
        (image(others=("/usr/include/postgresql/libpq-fe.h",)), BROKEN, "Headers: 1"),
    ],
)
