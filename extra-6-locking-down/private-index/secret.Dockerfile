FROM python:3.13-slim-trixie
# Where the index is: no secret, so the history may record it
ARG PIP_INDEX_URL=http://localhost:8080/simple/
# Who may use it: a file that pip looks for, there for this one instruction
RUN --mount=type=secret,id=netrc,target=/root/.netrc,required=true \
    pip install --no-cache-dir acme-greeting==1.0
CMD ["python", "-c", "import acme_greeting; print(acme_greeting.GREETING)"]
