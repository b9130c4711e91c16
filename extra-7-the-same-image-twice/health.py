"""Exit with status 0 if the server answers with 200. HEALTHCHECK runs this in the container."""

from http.client import HTTPConnection

# A slim image has no curl. urllib would use the container's proxy settings, if there are any.
server = HTTPConnection("127.0.0.1", 8000, timeout=2)
# Django: put a name from ALLOWED_HOSTS here, or it answers 400.
server.request("GET", "/", headers={"Host": "localhost"})
answer = server.getresponse()
if answer.status != 200:
    raise SystemExit(f"{answer.status} {answer.reason}")
