"""What a build said: the builder's plain progress, read into the steps of the Dockerfile."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

# Each line begins with the number of what it is about; the first one of each number is its name.
# https://github.com/moby/buildkit/blob/master/util/progress/progressui/printer.go
_LINE = re.compile(r"#(\d+) (.*)")
_NAME = re.compile(r"\[(?:[^\]]* )?\d+/\d+\] (.+)")
_ERROR = re.compile(r"ERROR: (.+)")
_OUTPUT = re.compile(r"\d+\.\d+ (.*)")


@dataclass
class Step:
    """One instruction of a Dockerfile, as a build went through it.

    Attributes:
        instruction: the instruction; of a here-document the builder shows only the beginning.
        cached: True where the builder took the result of an earlier build.
        error: why it failed; empty where it did not.
        output: the lines that it printed.
    """

    instruction: str
    cached: bool = False
    error: str = ""
    output: list[str] = field(default_factory=list)


def steps(lines: Iterable[str]) -> list[Step]:
    """Return the steps that a build went through, in the order of their numbers.

    Args:
        lines: what `docker build --progress=plain` printed.
    """
    found: dict[int, Step | None] = {}
    for line in lines:
        if not (match := _LINE.fullmatch(line.rstrip())):
            continue
        number, text = int(match[1]), match[2]
        if number not in found:
            name = _NAME.fullmatch(text)
            found[number] = Step(name[1]) if name else None  # the builder's own affairs
        elif step := found[number]:
            if text == "CACHED":
                step.cached = True
            elif error := _ERROR.fullmatch(text):
                step.error = error[1]
            elif output := _OUTPUT.fullmatch(text):
                step.output.append(output[1])
    return [step for _, step in sorted(found.items()) if step]


def ran(log: Iterable[Step]) -> list[Step]:
    """Return the steps of a build that were done, not taken from an earlier build.

    FROM is none of them: it makes nothing.
    """
    return [step for step in log if not step.cached and not step.instruction.startswith("FROM ")]
