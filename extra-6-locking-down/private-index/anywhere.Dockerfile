FROM python:3.13-slim-trixie
# Optional: the address of a mirror, a login, a CA bundle
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    --mount=type=secret,id=netrc,target=/root/.netrc \
    --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    pip install --no-cache-dir iniconfig==2.3.0
