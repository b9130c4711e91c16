# Docker Engine with the containerd image store: docker compose up --build --detach --wait builder
FROM python:3.13-slim-trixie
WORKDIR /src
RUN apt-get update \
    && apt-get install --yes --no-install-recommends docker.io docker-cli docker-buildx \
    && rm -rf /var/lib/apt/lists/* \
    && echo '{"features": {"containerd-snapshotter": true}}' > /etc/docker/daemon.json
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s \
    CMD ["docker", "info"]
CMD ["dockerd"]
