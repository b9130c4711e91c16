# Poetry turns the project into what pip can install
FROM python:3.13-slim-trixie AS builder
WORKDIR /src
RUN pip install --no-cache-dir poetry==2.5.1 poetry-plugin-export==1.10.1
COPY pyproject.toml poetry.lock ./
RUN poetry export --without dev --with prod --output /requirements.txt
COPY src src
RUN poetry build --format wheel --output /dist


# What compiles: gcc, the headers of the C library, and from libpq-dev those of PostgreSQL's
# library and pg_config, which says where they are. Without versions: Debian keeps only the newest.
FROM python:3.13-slim-trixie AS compiler
WORKDIR /src
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev libpq-dev \
    && rm -rf /var/lib/apt/lists/*
ENV PIP_DISABLE_PIP_VERSION_CHECK=1

# Everything for the image goes into a folder of its own
COPY build-constraints.txt .
COPY --from=builder /requirements.txt .
RUN pip install --no-cache-dir --build-constraint build-constraints.txt --require-hashes \
        --prefix /install -r requirements.txt
COPY --from=builder /dist/*.whl .
RUN pip install --no-cache-dir --no-deps --prefix /install ./*.whl


# The image
FROM python:3.13-slim-trixie
WORKDIR /app

# A running container leaves no .pyc files behind
ENV PYTHONDONTWRITEBYTECODE=1
# What the program prints is in the log at once
ENV PYTHONUNBUFFERED=1
# A crash leaves a traceback in the log
ENV PYTHONFAULTHANDLER=1

# What the compiled psycopg2 needs to run: PostgreSQL's library
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpq5 \
    && rm -rf /var/lib/apt/lists/*

COPY --from=compiler /install /usr/local
COPY gunicorn.conf.py .

CMD ["gunicorn", "compiling_dependencies.main:app"]
