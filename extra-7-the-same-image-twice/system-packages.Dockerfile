# Debian packages and a compiled dependency, and still the same image twice:
# docker compose exec builder sh twice.sh --file system-packages.Dockerfile
FROM python:3.13-slim-trixie
WORKDIR /app
ARG SOURCE_DATE_EPOCH
ENV PIP_DISABLE_PIP_VERSION_CHECK=1

# The logs name the time of the installation, and the linker's cache names inodes
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev libpq-dev \
    && rm -rf /var/lib/apt/lists/* /var/log/*.log /var/log/apt/* /var/cache/ldconfig/aux-cache

# Debugging symbols name the folder where pip compiles, and its name is random
RUN CFLAGS=-g0 pip install --no-cache-dir --no-binary psycopg2 psycopg2==2.9.13
