"""The process, and JSON over HTTP to it."""

import json
import os
import shutil
import subprocess
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

Json = dict[str, Any]
# No proxy of the environment: it is on loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class GrantdError(Exception):
    """What grantd refused: `status`, and the answer's JSON or text in `body`."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


def send(method: str, url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
    """The JSON of an answer, `None` where it is empty."""
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        # Longer than grantd waits for requests.
        with _opener.open(request, timeout=660) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        is_json = error.headers.get_content_type() == "application/json"
        raise GrantdError(error.code, json.loads(text) if is_json else text) from None
    return json.loads(text) if text else None


class Control:
    """The paths below `/_test`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, method: str, path: str, body: Json | None = None, **query: Any) -> Any:
        url = f"{self.url}/_test{path}" + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        return send(method, url, data, {"Content-Type": "application/json"})


class Process:
    """A `grantd dev` that ends with this process, even if that is killed: its standard input then closes."""

    def __init__(self, *arguments: str) -> None:
        places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
        binary = os.environ.get("GRANTD_BIN") or shutil.which("grantd", path=places)
        if not binary:
            raise FileNotFoundError("there is no grantd: pip install grantd, or set GRANTD_BIN to the program")
        with tempfile.TemporaryDirectory() as folder:
            ready = Path(folder) / "ready.json"
            options = ["--listen", "127.0.0.1:0", "--ready-file", str(ready), "--until-stdin-closes"]
            self._child = subprocess.Popen(
                [binary, "dev", *options, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env={"GRANTD_LOG": "warn", **os.environ},
            )
            deadline = time.monotonic() + 60
            while not ready.exists():
                if self._child.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError("grantd does not start; it says why on standard error")
                time.sleep(0.005)
            self.control: str = json.loads(ready.read_text())["control"]

    def stop(self) -> None:
        self._child.communicate()
