# What the tests need: docker compose run --build --rm tests
FROM python:3.13-slim-trixie
WORKDIR /src
RUN pip install --no-cache-dir poetry==2.5.1
COPY pyproject.toml poetry.lock ./
# What is downloaded stays with the builder, in no layer
RUN --mount=type=cache,target=/root/.cache/pypoetry/artifacts,sharing=locked \
    poetry install --no-root
CMD ["poetry", "run", "pytest"]
