"""The commands behind make: python -m series up, down, readmes, measure, rivals and so on."""

import argparse
import sys

from series import engine, lessons, measuring
from series import rivals as comparison
from series import verdicts as table
from series.contract import CannotTell
from series.prepare.owner import of_port, way_out
from series.prepare.port import BadPort, is_taken, wanted
from series.prepare.programs import doing
from series.readmes import ReadmeError, pages, write


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status: 1 if it fails, 2 if it was typed wrongly."""
    parser = argparse.ArgumentParser(prog="python -m series", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in (up, down, readmes, measure, rivals, verdicts, clean):
        words = (command.__doc__ or "").splitlines()[0]
        subparser = commands.add_parser(command.__name__, help=words)
        subparser.set_defaults(command=command)
        if command in (up, down):
            subparser.add_argument("lesson", nargs="?", default="", help="its folder")
        if command in (measure, rivals):
            subparser.add_argument("runs", help="how often each is measured")
    options = parser.parse_args(arguments)
    try:
        options.command(options)
    except (lessons.LessonError, measuring.BadRuns, BadPort) as error:
        print(error, file=sys.stderr)
        return 2
    except (engine.EngineError, measuring.MeasureError, CannotTell, ReadmeError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    return 0


def up(options: argparse.Namespace) -> None:
    """Build and start a lesson, and print its answer."""
    lesson = lessons.get(options.lesson) if options.lesson else lessons.last()
    project = engine.Project(lesson.path)
    port = wanted()
    if other := project.namesake:
        raise engine.EngineError(
            f"This would replace the containers of {other}, which Compose calls "
            f"{project.name}, too. To mend it, {way_out(project.name)}."
        )
    if port and is_taken(port):
        owner = of_port(port)
        if owner is None or owner.project != project.name:
            raise engine.EngineError(engine.port_taken(port))
    was_running = project.port is not None
    with doing(f"Building {lesson.folder} (usually 10 to 20 s, and nothing when unchanged)"):
        project.build()
    try:
        project.start()
        answer = project.wait_for_answer()
    except BaseException:
        if not was_running:
            project.down()
        raise
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    said = "with a page: open it in a browser" if is_page else answer.text
    print(f"http://localhost:{project.port} answers {said}")
    print("To stop it: make down")


def down(options: argparse.Namespace) -> None:
    """Stop and remove what up started; volumes stay."""
    chosen = [lessons.get(options.lesson)] if options.lesson else lessons.load()
    projects = ours(chosen)
    running = [project for project in projects if project.remains]
    for project in running:
        project.down()
        print(f"{project.folder.name} is stopped and removed.")
        if volumes := project.volumes:
            print(f"Its data stays. To remove it: docker volume rm {' '.join(volumes)}")
    if not running:
        print("Nothing was running.")


def ours(chosen: list[lessons.Lesson]) -> list[engine.Project]:
    """Return the Compose projects of lessons, but none of which another folder has containers."""
    projects = [engine.Project(lesson.path) for lesson in chosen]
    return [project for project in projects if not project.namesake]


def readmes(options: argparse.Namespace) -> None:  # noqa: ARG001
    """Bring the generated parts of the READMEs up to date."""
    changed = write()
    for file in changed:
        print(file.relative_to(lessons.ROOT))
    print(f"{len(changed)} of {len(pages()) + 1} files were out of date and are written.")


def measure(options: argparse.Namespace) -> None:
    """Measure what extra 2 says about speed, and print it; from five runs on, save it."""
    figures, saved = measuring.run(options.runs)
    print("\n".join(measuring.report(figures).values()))
    if saved:
        write()
        print(f"Saved, and written into {measuring.LESSON.folder}/README.md.")
    else:
        print(f"Not saved: that takes {measuring.ENOUGH} runs.")


def rivals(options: argparse.Namespace) -> None:
    """Measure the final result against other ways, and print it; from three rounds on, save it."""
    figures, saved = comparison.run(options.runs)
    print("\n".join(comparison.report(figures).values()))
    if saved:
        write()
        print("Saved, and written into the READMEs.")
    else:
        print(f"Not saved: that takes {comparison.ENOUGH} rounds.")


def verdicts(options: argparse.Namespace) -> None:  # noqa: ARG001
    """Judge every lesson by every rule, and save what is found for the front page."""
    for folder, found in table.judge().items():
        broken = [rule for rule, verdict in found.items() if verdict == "broken"]
        print(f"{folder} breaks {', '.join(broken) or 'nothing'}.")
    write()


def clean(options: argparse.Namespace) -> None:  # noqa: ARG001
    """Remove the lessons' images, the stand-ins, and what a killed test run left."""
    projects = ours(lessons.load())
    for project in projects:
        if project.remains:
            raise engine.EngineError(
                f"{project.folder.name} is still there. Type: make down, then make clean"
            )
    removed = engine.remove_leftovers()
    built = [image for project in projects for image in project.images]
    images, needed = engine.remove_images([*built, *engine.stand_ins()])
    for line in [*removed, *(f"image {name}" for name in images)]:
        print(f"removed {line}")
    print(f"{len(removed) + len(images)} removed.")
    print("Build cache and images without a name stay, those of other projects among them.")
    print("To remove all of them: docker builder prune, and docker image prune")
    if needed:
        raise engine.EngineError(
            f"Still needed by a container: {', '.join(needed)}. Type: make down, then make clean"
        )


if __name__ == "__main__":
    sys.exit(main())
