"""Exit with status 0 if the server answers with 200. HEALTHCHECK runs this in the container."""

from http.client import HTTPConnection

# No curl in a slim image, and urllib would ask the proxy if the container has one set.
server = HTTPConnection("127.0.0.1", 8000, timeout=2)
# An application that checks the Host header, as Django does, wants a name that it knows.
server.request("GET", "/", headers={"Host": "localhost"})
answer = server.getresponse()
if answer.status != 200:
    raise SystemExit(f"{answer.status} {answer.reason}")
