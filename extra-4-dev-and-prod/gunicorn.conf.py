# Every address of the container, so that the published port reaches it.
bind = "0.0.0.0:8000"

# FastAPI speaks ASGI, which Gunicorn's default worker does not.
worker_class = "uvicorn_worker.UvicornWorker"

# Workers prove that they are alive by touching a file: keep it in memory, a disk may stall.
worker_tmp_dir = "/dev/shm"

# Seconds that requests in progress get at a stop. After ten, Docker kills what still runs.
graceful_timeout = 8

# Nobody manages this server through a socket.
control_socket_disable = True
