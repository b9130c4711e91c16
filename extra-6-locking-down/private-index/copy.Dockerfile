FROM python:3.13-slim-trixie
# Leaks: this layer keeps the file
COPY .secrets/netrc /root/.netrc
RUN pip install --no-cache-dir acme-greeting==1.0 \
    --index-url http://localhost:8080/simple/
# This layer only hides it
RUN rm /root/.netrc
