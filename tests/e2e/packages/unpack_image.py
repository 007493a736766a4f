"""unpack_image.py IMAGE ROOT: the layers of an OCI image layout, each blob checked, and ROOT.entrypoint."""

import gzip
import hashlib
import io
import json
import sys
import tarfile

image, root = sys.argv[1:]
archive = tarfile.open(image)


def read(name):
    return archive.extractfile(name).read()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def blob(descriptor):
    data = read("blobs/" + descriptor["digest"].replace(":", "/"))
    assert digest(data) == descriptor["digest"] and len(data) == descriptor["size"], descriptor
    return data


assert json.loads(read("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
(entry,) = json.loads(read("index.json"))["manifests"]
manifest = json.loads(blob(entry))
config = json.loads(blob(manifest["config"]))
for descriptor, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
    layer = gzip.decompress(blob(descriptor))
    assert digest(layer) == diff_id, descriptor
    with tarfile.open(fileobj=io.BytesIO(layer)) as files:
        for member in files:
            # As this user; the modes are the image's.
            member.uid = member.gid = 0
            files.extract(member, root)
(docker,) = json.loads(read("manifest.json"))
assert docker["Layers"] == ["blobs/" + layer["digest"].replace(":", "/") for layer in manifest["layers"]]
assert config["config"]["User"] == "65532:65532" and config["config"]["Cmd"] == ["serve"]
(program,) = config["config"]["Entrypoint"]
with open(f"{root}.entrypoint", "w") as file:
    file.write(program)
