from tests.contract.small import BROKEN, KEPT, dockerfile, judged

# What only looks like it.
LOOKALIKES = """
RUN mkdir -p /opt/poetry /srv/uv && touch /srv/uv/poetry && chmod +x /opt/poetry
RUN mkdir /opt/poetry_core-2.5.0.dist-info && touch /opt/poetry_core-2.5.0.dist-info/METADATA
"""
IN_A_STAGE = (
    "RUN touch /usr/local/bin/uv && chmod +x /usr/local/bin/uv\nFROM python:3.13-slim-trixie"
)
DELETED = "RUN touch /bin/uv && chmod +x /bin/uv && rm /bin/uv"
PROGRAM = "RUN touch /opt/uv && chmod +x /opt/uv"
LINK = "RUN ln -s /opt/poetry/venv/bin/poetry /usr/local/bin/poetry"
DISTRIBUTION = "RUN mkdir /srv/pdm-2.26.0.dist-info && touch /srv/pdm-2.26.0.dist-info/METADATA"

test_a_project_is_judged = judged(
    "no-installer",
    [
        (dockerfile(LOOKALIKES), KEPT, "None of them is among"),
        (dockerfile(IN_A_STAGE), KEPT, "None of them is among"),
        (dockerfile(DELETED), KEPT, "None of them is among"),
        (dockerfile(PROGRAM), BROKEN, "In the image: /opt/uv"),
        (dockerfile(LINK), BROKEN, "In the image: /usr/local/bin/poetry"),
        (dockerfile(DISTRIBUTION), BROKEN, "In the image: pdm 2.26.0 in /srv"),
    ],
)
