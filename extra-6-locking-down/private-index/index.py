"""Make a file of passwords out of the secret, and become the index."""

import os
from pathlib import Path

from passlib.apache import HtpasswdFile

passwords = HtpasswdFile("/tmp/htpasswd", new=True)
passwords.set_password("reader", Path("/run/secrets/password").read_text().strip())
passwords.save()
# --authenticate: those who only download give a password, too.
# --disable-fallback: for what is not here, the index sends nobody to the public one.
options = "--passwords /tmp/htpasswd --authenticate update,download,list --disable-fallback"
port = f"--port={os.environ['PORT']}"
os.execvp("pypi-server", ["pypi-server", "run", *options.split(), port, "/packages"])
