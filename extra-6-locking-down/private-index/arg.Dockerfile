FROM python:3.13-slim-trixie
# Leaks: the history of the image records the value
ARG INDEX_PASSWORD
RUN pip install --no-cache-dir acme-greeting==1.0 \
    --index-url "http://reader:$INDEX_PASSWORD@localhost:8080/simple/"
