# The Dockerfile of this folder with every line explained; it makes the same image.
# To build it: docker build --file verbose.Dockerfile --tag verbose .

# A Dockerfile may have several stages. Each begins with FROM and has a file system of its own.
# The last stage becomes the image. The others are built as far as it needs them, and only what
# COPY --from names gets from one to the other.

# ---------- Stage "poetry": what the next two stages have in common ----------

# The base image: Python 3.13 on Debian 13, which is called trixie, with pip and a compiler. The tag
# stands for the latest 3.13 on the day when you pull the image. AS gives the stage a name that later
# lines can use.
FROM python:3.13-trixie AS poetry

# The folder in which the following instructions work, made if it is not there.
WORKDIR /src

# Poetry, and the plug-in with its command "export". Exact versions, so that the lock is read next
# year as it is today. It comes first because it changes least: when an instruction runs again, so
# do those that stand on its result. --no-cache-dir: pip would keep its downloads for a second
# installation, which an image never sees.
RUN pip install --no-cache-dir poetry==2.5.1 poetry-plugin-export==1.10.1

# The two files that decide about the dependencies, and no others: an edit of the code leaves
# everything up to here, and what is made of it below, in the build cache.
COPY pyproject.toml poetry.lock ./

# ---------- Stage "tests": built only when asked for ----------

# The image does not need this stage, so a build of the image skips it. The compose file asks
# for it by name, as the target of the service "tests".
FROM poetry AS tests

# The dependencies and the group dev. The group prod is optional, and no test needs a server.
# --no-root leaves out the project: the compose file mounts its sources and tests where pytest
# looks for them (pyproject.toml names the two folders), so that an edit needs no build.
RUN poetry install --no-root

# What a container of this stage runs: pytest, in the virtual environment that Poetry made.
CMD ["poetry", "run", "pytest"]

# ---------- Stage "builder": turns the project into what pip can install ----------

# It goes on where the stage "poetry" ended. Nothing of "tests" is in it.
FROM poetry AS builder

# The lock as a list for pip: every package with its version and the hashes of its files. The
# export takes the dependencies and the groups that it is told: prod, which has the server.
# --without dev says that the other group is left out on purpose. The list is written outside of
# /src, where a file of yours cannot take its place.
RUN poetry export --without dev --with prod --output /requirements.txt

# The package. The folder is named: with "COPY . ." an edit of gunicorn.conf.py would run this
# and the next instruction again.
COPY src src

# The project as a wheel, the format that pip installs without building anything. Poetry builds
# it with the backend that it brings along. "pip wheel" would fetch one, without a hash.
RUN poetry build --format wheel --output /dist

# ---------- The last stage: the image ----------

# The same base image again, as it was: without Poetry, the lock, and the sources.
FROM python:3.13-trixie

# Here Gunicorn starts, and here it looks for gunicorn.conf.py.
WORKDIR /app

# Each ENV is set while the image is built and in every container of it.

# What a running container imports, it does not compile into .pyc files that vanish with it. pip
# compiles what it installs all the same.
# https://docs.python.org/3/using/cmdline.html#envvar-PYTHONDONTWRITEBYTECODE
ENV PYTHONDONTWRITEBYTECODE=1

# A container's log is a pipe, and to a pipe Python writes in blocks: the last lines before a
# crash would be lost.
# https://docs.python.org/3/using/cmdline.html#envvar-PYTHONUNBUFFERED
ENV PYTHONUNBUFFERED=1

# When compiled code crashes, the log says which Python code had called it.
# https://docs.python.org/3/using/cmdline.html#envvar-PYTHONFAULTHANDLER
ENV PYTHONFAULTHANDLER=1

# pip does not ask the package index for a newer pip, which nobody would install here.
# https://pip.pypa.io/en/stable/cli/pip/#cmdoption-disable-pip-version-check
ENV PIP_DISABLE_PIP_VERSION_CHECK=1

# Only the list comes over from the builder. What counts for the cache is what the file contains:
# the export runs again with every change of pyproject.toml, a new version of the project for
# example, but as long as it writes the same list, nothing is installed again.
COPY --from=builder /requirements.txt .

# --require-hashes: a file with another hash is refused, and so is a package that has none in the
# list. There is no virtual environment. It keeps projects apart, and the image has one.
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

# The server's settings are no part of the package. They come after the dependencies, so that an
# edit of them does not install these again.
COPY gunicorn.conf.py .

# The asterisk stands for the wheel's name, of which the version of the project is a part.
COPY --from=builder /dist/*.whl .

# --no-deps: the dependencies are there, each with its hash checked, and none may come in without.
RUN pip install --no-cache-dir --no-deps ./*.whl

# What a container of the image runs. In this form, a JSON list, there is no shell in front of
# Gunicorn: it is process 1, and gets the signal to stop.
CMD ["gunicorn", "larger_project.main:app"]
