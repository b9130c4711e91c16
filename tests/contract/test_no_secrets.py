from __future__ import annotations

import pytest

from series import engine
from series.contract import CannotTell
from tests.contract.small import (
    BROKEN,
    COMPOSE,
    DOES_NOT_APPLY,
    FAILS,
    KEPT,
    Files,
    Judge,
    dockerfile,
    judged,
)

pytestmark = pytest.mark.deep

FROM = "FROM python:3.13-slim-trixie"
MOUNT = "RUN --mount=type=secret,id=token"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
OWN = "swordfish-and-chips"


def composed(build: str, secrets: str = "") -> Files:
    text = COMPOSE.replace("build: .", f"build: {{context: ., {build}}}")
    return {"compose.yaml": f"{text}\nsecrets: {{{secrets}}}\n"}


WITH_A_FILE = composed("secrets: [token]", "token: {file: .secrets/token}")
WITH_A_VARIABLE = composed("secrets: [token]", "token: {environment: NOBODY_HAS_SET_THIS}")
OWN_FILE = {**WITH_A_FILE, ".secrets/token": f"{OWN}\n"}

test_a_project_is_judged = judged(
    "no-secrets",
    [
        # A secret mount
        (dockerfile(f"{MOUNT} test -s /run/secrets/token"), KEPT, "Not in the image: secret token"),
        (dockerfile(f"{MOUNT} cp /run/secrets/token /t"), BROKEN, "secret token in layer"),
        (
            dockerfile(f"{MOUNT} cp /run/secrets/token /t\nRUN rm /t"),
            BROKEN,
            ": /t",
        ),
        (dockerfile(f"{MOUNT} touch /$(cat /run/secrets/token)"), BROKEN, ": /…"),
        (
            dockerfile("RUN --mount=type=secret,target=/etc/token cp /etc/token /t"),
            BROKEN,
            "secret token in layer",
        ),
        # Passed on by Compose: what is not there is made up, what is there is searched for
        ({**dockerfile(f"{MOUNT} test -s /run/secrets/token"), **WITH_A_FILE}, KEPT, "token"),
        ({**dockerfile(f"{MOUNT} cp /run/secrets/token /t"), **WITH_A_FILE}, BROKEN, ": /t"),
        ({**dockerfile(f"{MOUNT} cp /run/secrets/token /t"), **WITH_A_VARIABLE}, BROKEN, ": /t"),
        (
            {**dockerfile(f"{MOUNT} grep -q {OWN[:9]} /run/secrets/token"), **OWN_FILE},
            KEPT,
            "secret token",
        ),
        ({**dockerfile(f"RUN echo {OWN} > /t"), **OWN_FILE}, BROKEN, "secret token in layer"),
        # Only the password of a longer file
        (
            {
                **dockerfile(f"LABEL who={OWN}"),
                **WITH_A_FILE,
                ".secrets/token": f"machine example.org login me password {OWN}",
            },
            BROKEN,
            "secret token in configuration: Labels",
        ),
        # Arguments and variables
        (dockerfile("ARG API_TOKEN\nRUN true"), BROKEN, "argument API_TOKEN in history: RUN |1"),
        (dockerfile("ARG NPM_KEY\nENV OTHER=$NPM_KEY"), BROKEN, "NPM_KEY in configuration: Env"),
        (
            dockerfile("ARG PASSWORD\nLABEL x=$PASSWORD"),
            BROKEN,
            "argument PASSWORD in configuration: Labels",
        ),
        (
            dockerfile(
                "ARG PASSWORD\nRUN touch /t\n\nFROM python:3.13-slim-trixie\nCOPY --from=0 /t /t"
            ),
            KEPT,
            "argument PASSWORD",
        ),
        (
            {**dockerfile("ARG PASSWORD\nRUN true"), **composed(f"args: {{PASSWORD: {OWN}}}")},
            BROKEN,
            "PASSWORD=… /bin/sh",
        ),
        (dockerfile("ENV DB_PASSWORD=letmein"), BROKEN, "variable DB_PASSWORD in configuration"),
        (dockerfile("ARG DB_PASSWORD=letmein"), BROKEN, "in history: ARG DB_PASSWORD=…"),
        (dockerfile("ARG DB_PASSWORD=letmein\n\n" + FROM), KEPT, "variable DB_PASSWORD"),
        (dockerfile("ENV PUBLIC_KEY=letmein"), DOES_NOT_APPLY, "no secret"),
        (dockerfile("ENV TOKEN_FILE=/run/secrets/token"), DOES_NOT_APPLY, "no secret"),
        (dockerfile("ARG MONKEY\nARG TOKENIZER\nRUN true"), DOES_NOT_APPLY, "no secret"),
        # Copied files
        (dockerfile("COPY .netrc /root/\nRUN rm /root/.netrc"), BROKEN, "file .netrc in layer"),
        (
            {**dockerfile("COPY . /app"), ".env": "PASSWORD=x", "main.py": "1"},
            BROKEN,
            ": /app/.env",
        ),
        (
            {**dockerfile("COPY . /app"), ".env": "PASSWORD=x", ".dockerignore": ".env"},
            DOES_NOT_APPLY,
            "no secret",
        ),
        (dockerfile("COPY .netrc /root/\n\nFROM python:3.13-slim-trixie"), KEPT, "file .netrc"),
        (
            {
                **dockerfile("COPY . /app"),
                "pip.conf": "[global]\nindex-url = https://example.org/simple\n",
                ".env.example": "PASSWORD=choose-one",
            },
            DOES_NOT_APPLY,
            "no secret",
        ),
        (
            {
                **dockerfile("COPY pip.conf /etc/"),
                "pip.conf": "[global]\nindex-url = https://me:sesame@example.org/simple\n",
            },
            BROKEN,
            "file pip.conf in layer",
        ),
        # A word that the base image has for other reasons
        (
            {**dockerfile("ARG API_KEY\n" + FROM), **composed("args: {API_KEY: production}")},
            KEPT,
            "argument API_KEY",
        ),
        # Certificates are none
        (
            dockerfile("RUN --mount=type=secret,id=trust,target=/etc/ssl/certs/bundle.crt true"),
            DOES_NOT_APPLY,
            "no secret",
        ),
        (dockerfile("RUN --mount=type=secret,id=company-ca true"), DOES_NOT_APPLY, "no secret"),
        (
            {**dockerfile("RUN true"), **WITH_A_FILE, ".secrets/token": CERTIFICATE},
            DOES_NOT_APPLY,
            "no secret",
        ),
        (dockerfile("RUN true"), DOES_NOT_APPLY, "no secret"),
    ],
)


def test_of_a_build_that_wants_a_real_password_nothing_is_said(judge: Judge) -> None:
    with pytest.raises(CannotTell, match="fails; give it real ones: secret token"):
        judge("no-secrets", dockerfile(f"{MOUNT} grep {OWN} /run/secrets/token"))


def test_of_a_build_that_fails_with_its_own_secrets_nothing_is_said(judge: Judge) -> None:
    with pytest.raises(engine.BuildError, match="exit 7"):
        judge("no-secrets", {**FAILS, **OWN_FILE})


def test_an_earlier_build_without_the_secret_hides_nothing(judge: Judge, project: object) -> None:
    # A secret is no part of what the build cache goes by.
    files = dockerfile(f"{MOUNT} cat /run/secrets/token > /copy || true")
    project(**files).build()
    assert "layer" in judge("no-secrets", files).evidence
