"""The smallest proxy for HTTP: it fetches what it is asked for, and logs the address."""

import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Proxy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        wanted = urllib.request.Request(self.path)
        if password := self.headers["Authorization"]:  # for the index, not for the proxy
            wanted.add_header("Authorization", password)
        try:
            answer = urllib.request.urlopen(wanted)
        except urllib.error.HTTPError as refused:
            answer = refused
        content = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


ThreadingHTTPServer(("", 3128), Proxy).serve_forever()
