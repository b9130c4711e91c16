FROM python:3.13-slim-trixie
# What your network wants, where somebody gives it: where the index is, who may use it, whom to trust
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    --mount=type=secret,id=netrc,target=/root/.netrc \
    --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    pip install --no-cache-dir iniconfig==2.3.0
