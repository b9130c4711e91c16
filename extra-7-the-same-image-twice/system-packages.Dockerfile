# Reproducible with Debian packages and a compiled dependency, until one of them has an update:
# docker compose exec builder sh twice.sh --file system-packages.Dockerfile
FROM python:3.13-slim-trixie
WORKDIR /app
ARG SOURCE_DATE_EPOCH
ENV PIP_DISABLE_PIP_VERSION_CHECK=1

# Logs contain timestamps, and ldconfig's cache contains inode numbers
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev libpq-dev \
    && rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt/* /var/cache/ldconfig/aux-cache

# Debugging symbols contain pip's build directory, which has a random name
RUN CFLAGS=-g0 pip install --no-cache-dir --no-binary psycopg2 psycopg2==2.9.13
