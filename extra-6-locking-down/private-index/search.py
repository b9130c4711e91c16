"""Search an image for a text: docker image save IMAGE | python3 search.py FILE-WITH-THE-TEXT

Looks into the history, the configuration, and each file of each layer, those included that a later
layer hides. What is compressed inside of a layer, such as a wheel, stays closed.
"""

import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

TEXT = Path(sys.argv[1]).read_bytes().strip()
# How such data begin: https://www.rfc-editor.org/rfc/rfc8878
ZSTD = b"\x28\xb5\x2f\xfd"


def files(blob: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of a layer, compressed or not; raises tarfile.ReadError if it is none."""
    with tarfile.open(fileobj=io.BytesIO(blob)) as layer:
        for file in layer:
            yield f"/{file.name}", layer.extractfile(file).read() if file.isfile() else b""


def descriptions(blob: bytes) -> Iterator[tuple[str, bytes]]:
    """The history and the rest of the image's configuration, or what else describes the image."""
    try:
        image = json.loads(blob)
        for step in image["history"]:
            yield "the history", json.dumps(step).encode()
        yield "the configuration", json.dumps(image["config"]).encode()
    except (ValueError, KeyError, TypeError):
        yield "other metadata", blob


found, searched = [], 0
# As a stream: one layer at a time is in memory
with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as image:
    for blob in (image.extractfile(member).read() for member in image if member.isfile()):
        try:
            places = [*files(blob)]
        except tarfile.ReadError:
            if blob.startswith(ZSTD):
                sys.exit("A layer is compressed by zstd, which this Python can't read: no result.")
            places = [*descriptions(blob)]
        found += [place for place, text in places if TEXT in text or TEXT in place.encode()]
        searched += len(places)
for place in dict.fromkeys(found):
    print("FOUND in", place)
print(f"hits: {len(found)}, places searched: {searched}")
