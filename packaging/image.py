"""grantd-VERSION-image.tar: an OCI image layout (image-spec 1.1) that holds grantd, the libraries it is linked to, and
nothing else, as Dockerfile makes it. `manifest.json` beside it lets older `docker load` read it too."""

import hashlib
import json
import time

from archives import compressed, tar
from program import Unfit

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def make(contents, output):
    program = contents.program
    layer = tar(files(contents), contents.time, folders={"tmp": 0o1777})
    blobs = Blobs()
    packed = blobs.add(compressed(layer), "application/vnd.oci.image.layer.v1.tar+gzip")
    config = blobs.add_json(config_of(contents, layer), "application/vnd.oci.image.config.v1+json")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config,
        "layers": [packed],
    }
    entry = blobs.add_json(manifest, manifest["mediaType"])
    tag = f"grantd:{program.version}"
    entry["annotations"] = {"org.opencontainers.image.ref.name": program.version, "io.containerd.image.name": tag}
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    }
    docker = [{"Config": blobs.path(config), "RepoTags": [tag], "Layers": [blobs.path(packed)]}]
    layout = {
        **blobs.files,
        "oci-layout": (as_json({"imageLayoutVersion": "1.0.0"}), 0o644),
        "index.json": (as_json(index), 0o644),
        "manifest.json": (as_json(docker), 0o644),
    }
    path = output / f"grantd-{program.version}-image.tar"
    path.write_bytes(tar(layout, contents.time))
    return path


def files(contents):
    """What the layer holds: paths from the root, to (bytes, mode)."""
    program = contents.program
    files = {
        "grantd": (program.path.read_bytes(), 0o755),
        "LICENSE": (contents.license, 0o644),
        "THIRD-PARTY-LICENSES.txt": (contents.third_party, 0o644),
    }
    for library in program.loaded():
        # Where the program looks for it, even if this machine has a link there.
        files[str(library).lstrip("/")] = (library.read_bytes(), 0o755)
    try:
        with open(CERTIFICATES, "rb") as file:
            files[CERTIFICATES.lstrip("/")] = (file.read(), 0o644)
    except FileNotFoundError:
        raise Unfit(f"{CERTIFICATES} is missing; install the package ca-certificates") from None
    return files


def config_of(contents, layer):
    seconds = 10**9
    return {
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(contents.time)),
        "architecture": contents.program.oci_machine,
        "os": "linux",
        "config": {
            # An ordinary user; the number suffices, there is no /etc/passwd.
            "User": "65532:65532",
            "ExposedPorts": {"8080/tcp": {}},
            "Entrypoint": ["/grantd"],
            "Cmd": ["serve"],
            "WorkingDir": "/",
            # Of Docker, not of OCI.
            "Healthcheck": {
                "Test": ["CMD", "/grantd", "health"],
                "Interval": 5 * seconds,
                "Timeout": 3 * seconds,
                "StartPeriod": 10 * seconds,
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
    }


class Blobs:
    """Contents under their digest."""

    def __init__(self):
        self.files = {}

    def add(self, data, media_type):
        descriptor = {"mediaType": media_type, "digest": digest(data), "size": len(data)}
        self.files[self.path(descriptor)] = (data, 0o644)
        return descriptor

    def add_json(self, value, media_type):
        return self.add(as_json(value), media_type)

    @staticmethod
    def path(descriptor):
        return "blobs/" + descriptor["digest"].replace(":", "/")


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def as_json(value):
    return json.dumps(value, sort_keys=True).encode()
