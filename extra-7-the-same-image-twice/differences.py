"""Compare two images, file by file: python differences.py ONE.tar TWO.tar

It takes archives from docker buildx build --output type=oci, for one platform each, and exits with
status 1 if they differ.
"""

import hashlib
import json
import sys
import tarfile

Parts = dict[str, dict[str, object]]
"""An image's parts by name, each with its properties."""


def read(path: str) -> tuple[str, Parts]:
    """The digest of an image, and its parts."""
    with tarfile.open(path) as archive:

        def blob(descriptor: dict) -> tarfile.ExFileObject:
            return archive.extractfile("blobs/" + descriptor["digest"].replace(":", "/"))

        [image] = json.load(archive.extractfile("index.json"))["manifests"]
        digest, parts, manifest = image["digest"], {}, json.load(blob(image))
        if "manifests" in manifest:
            # The first manifest is the image, the others are attestations.
            image, *attestations = manifest["manifests"]
            parts["attestations"] = {"contents": attestations}
            manifest = json.load(blob(image))
        for key, value in json.load(blob(manifest["config"])).items():
            # Layers are compared below, file by file.
            if key != "rootfs":
                parts[f"configuration: {key}"] = {"contents": value}
        for number, layer in enumerate(manifest["layers"], 1):
            with tarfile.open(fileobj=blob(layer)) as files:
                parts |= {
                    f"layer {number}: /{file.name}": properties(file, files) for file in files
                }
        return digest, parts


def properties(file: tarfile.TarInfo, files: tarfile.TarFile) -> dict[str, object]:
    """The properties of a file that are compared."""
    content = files.extractfile(file).read() if file.isfile() else b""
    return {
        "contents": hashlib.sha256(content).digest(),
        "kind": (file.type, file.linkname),
        "owner": (file.uid, file.gid),
        "permissions": file.mode,
        "time": file.mtime,
    }


(one, its_parts), (two, other_parts) = map(read, sys.argv[1:])
print(one)
print(two)
differences = 0
for name in {**its_parts, **other_parts}:
    this, that = its_parts.get(name, {}), other_parts.get(name, {})
    if this != that:
        differences += 1
        print(f"{name}:", *(key for key in {**this, **that} if this.get(key) != that.get(key)))
if one == two:
    print("The same image")
elif differences:
    print(f"Different images: {differences} difference{'s' * (differences > 1)}")
else:
    print("Different images: compression or annotations, no file and no setting")
sys.exit(one != two)
