"""python3 -m series.prepare: makes this machine ready for the lessons."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Python 3.11 or newer is needed, and this is %d.%d. Type: make PYTHON=python3.11 …"
        % sys.version_info[:2]
    )

import argparse

from series import lessons
from series.prepare import doctor, engine, images, port, suite
from series.prepare.problem import Problem


def main() -> int:
    """Bring the engine, the suite's packages and base images; return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m series.prepare", description=__doc__)
    parser.add_argument("lesson", nargs="*", help="the wanted lessons; all if none is named")
    parser.add_argument("--last", action="store_true", help="the last lesson if none is named")
    parser.add_argument("--suite-only", action="store_true", help="neither engine nor base images")
    parser.add_argument("--doctor", action="store_true", help="say what is missing, change nothing")
    options = parser.parse_args()
    try:
        everything = [lessons.last()] if options.last else lessons.load()
        wanted = [lessons.get(name) for name in options.lesson] or everything
        if options.doctor:
            return _examine(wanted)
        if options.suite_only:
            suite.bring()
            return 0
        engine.bring()
        suite.bring()
        images.bring(lesson.path for lesson in wanted)
    except (lessons.LessonError, port.BadPort) as error:
        print(error, file=sys.stderr)
        return 2
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on where it was.", file=sys.stderr)
        return 130
    return 0


def _examine(wanted: list[lessons.Lesson]) -> int:
    """Print every precondition; return 1 if one of them stops a lesson."""
    stopping = 0
    for condition in doctor.examine([lesson.path for lesson in wanted], port.wanted()):
        print(condition, flush=True)
        stopping += condition.stops
    print(f"\nIn the way of a lesson: {stopping or 'nothing'}.")
    return 1 if stopping else 0


if __name__ == "__main__":
    sys.exit(main())
