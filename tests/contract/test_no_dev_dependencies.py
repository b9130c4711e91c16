from tests.contract.small import (
    BROKEN,
    DOES_NOT_APPLY,
    INSTALLED,
    KEPT,
    dockerfile,
    judged,
    lock,
    package,
)

FOR_DEVELOPMENT = lock(
    package("iniconfig", "2.3.0", "dev", "main"),
    *(package(name, "1", "dev") for name in ("requests", "pip", "packaging", "pytest")),
)


def distribution(place: str, name: str) -> str:
    folder = f"{place}/site-packages/{name}.dist-info"
    return f"RUN mkdir -p {folder} && touch {folder}/METADATA\n"


# Poetry with a package that it needs, and a copy that a package of the base image has inside.
OF_OTHERS = "".join(
    [
        distribution("/opt/poetry", "poetry-2.5.1"),
        distribution("/opt/poetry", "requests-2.34.0"),
        distribution("/usr/local/lib/python3.13/site-packages/setuptools", "packaging-26.0"),
    ]
)
SOMEWHERE = distribution("/opt/tools", "pytest-9.2.0")

test_a_project_is_judged = judged(
    "no-dev-dependencies",
    [
        ({**dockerfile(f"{OF_OTHERS}{INSTALLED}"), **FOR_DEVELOPMENT}, KEPT, "None of the 3"),
        (
            {**dockerfile(f"{SOMEWHERE}{INSTALLED}"), **FOR_DEVELOPMENT},
            BROKEN,
            "Only dev wants: pytest 9.2.0 in /opt/tools/site-packages",
        ),
        (
            {**dockerfile(INSTALLED), **lock(package("iniconfig", "2.3.0", "dev"))},
            BROKEN,
            "Only dev wants: iniconfig 2.3.0 in /usr/local/lib/python3.13/site-packages",
        ),
        (
            {**dockerfile(INSTALLED), **lock(package("iniconfig", "2.3.0", "main"))},
            DOES_NOT_APPLY,
            "poetry.lock has no group for development.",
        ),
        (
            {**dockerfile(INSTALLED), "requirements.txt": "iniconfig==2.3.0\n"},
            DOES_NOT_APPLY,
            "no lock file",
        ),
    ],
)
