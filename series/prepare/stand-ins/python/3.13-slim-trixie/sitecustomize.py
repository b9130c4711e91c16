"""Debian freezes its own `site` into the interpreter; give upstream's site-packages back to it."""

import site
import sys


def getsitepackages(prefixes=None):
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return [
        f"{prefix}/lib/{version}/site-packages"
        for prefix in dict.fromkeys(prefixes or site.PREFIXES)
    ]


site.getsitepackages = getsitepackages
if sys.prefix == sys.base_prefix and not any(path.endswith("/site-packages") for path in sys.path):
    for directory in getsitepackages():
        site.addsitedir(directory)

# Poetry's plug-in is beside Poetry only: in no other program's path, and not in `pip freeze`.
if any(word.rpartition("/")[2] == "poetry" for word in sys.orig_argv[1:3]):
    sys.path.append("/usr/local/lib/poetry-plugins")
