FROM python:3.13-slim-trixie
ARG INDEX_PASSWORD
# Leaks: every container gets the value
ENV PIP_INDEX_URL=http://reader:$INDEX_PASSWORD@localhost:8080/simple/
RUN pip install --no-cache-dir acme-greeting==1.0
