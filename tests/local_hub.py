"""A stand-in for the Hugging Face Hub on this machine: the few requests of an upload and a download, and its errors."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from local_server import serving

TOKEN = "hf_of_the_tests"  # noqa: S105  # no secret


class LocalHub(ThreadingHTTPServer):
    """What the hub holds, and how it fails.

    Attributes
    ----------
    files : dict of str to dict of str to dict of str to bytes
        The files by repository, revision and name.
    private, gated : set of str
        Repositories that want the token; that refuse even this.
    fails : dict of str to int
        The status to answer with, by a part of the paths that fail.
    breaks_after : int or None
        After how many bytes every download breaks off.
    asked : list of str
        The requests, each as its method and path.
    created : list of dict
        What was asked for of each repository that was to be created.
    messages : list of str
        The messages of the commits.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, dict[str, dict[str, bytes]]] = {}
        self.blobs: dict[str, bytes] = {}
        self.private: set[str] = set()
        self.gated: set[str] = set()
        self.fails: dict[str, int] = {}
        self.breaks_after: int | None = None
        self.asked: list[str] = []
        self.created: list[dict[str, Any]] = []
        self.messages: list[str] = []

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def commit_of(self, repo: str, revision: str) -> str:
        """Return the number of a commit, which changes with the content."""
        content = sorted((name, hashlib.sha256(data).hexdigest()) for name, data in self.files[repo][revision].items())
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:40]


class _Handler(BaseHTTPRequestHandler):
    server: LocalHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self._began()
        if path is None:
            return
        # /user/name/resolve/revision/file
        repo, _, rest = path[1:].partition("/resolve/")
        revision, _, name = rest.partition("/")
        revision = unquote(revision)
        if repo in self.server.gated:
            self._refuse(403, "GatedRepo")
        elif repo not in self.server.files or (repo in self.server.private and not self._knows_caller()):
            self._refuse(404 if self._knows_caller() else 401, "RepoNotFound")
        elif revision not in self.server.files[repo]:
            self._refuse(404, "RevisionNotFound")
        elif name not in self.server.files[repo][revision]:
            self._refuse(404, "EntryNotFound")
        else:
            content = self.server.files[repo][revision][name]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", self.server.commit_of(repo, revision))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content[: self.server.breaks_after])
                self.close_connection = True

    def do_POST(self) -> None:
        path = self._began()
        if path is None:
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif not self._knows_caller():
            self._refuse(401, None)
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path.endswith("/info/lfs/objects/batch"):
            self._answer(
                {"transfer": "basic", "objects": [self._upload_of(one) for one in json.loads(body)["objects"]]}
            )
        else:
            # /api/models/user/name/what/revision
            _, _, _, user, name, what, revision = path.split("/")
            self._change(f"{user}/{name}", what, unquote(revision), body)

    def do_PUT(self) -> None:
        path = self._began()
        if path is not None:
            chunks = self.headers.get("Transfer-Encoding") == "chunked"
            content = self._chunks() if chunks else self.rfile.read(int(self.headers["Content-Length"]))
            self.server.blobs[path.rpartition("/")[2]] = content
            self._answer({})

    def _create(self, wanted: dict[str, Any]) -> None:
        repo = f"{wanted['organization']}/{wanted['name']}"
        self.server.created.append(wanted)
        if repo in self.server.files:
            self._refuse(409, None, repo)
            return
        self.server.files[repo] = {"main": {}}
        self._answer({"url": f"{self.server.address}/{repo}"})

    def _upload_of(self, blob: dict[str, Any]) -> dict[str, Any]:
        return {**blob, "actions": {"upload": {"href": f"{self.server.address}/blobs/{blob['oid']}"}}}

    def _change(self, repo: str, what: str, revision: str, body: bytes) -> None:
        revisions = self.server.files[repo]
        if what == "branch":
            if revision in revisions:
                self._refuse(409, None)
            else:
                revisions[revision] = dict(revisions["main"])
                self._answer({})
        elif what == "preupload":
            names = [file["path"] for file in json.loads(body)["files"]]
            kinds = {name: "lfs" if name.endswith(".h5") else "regular" for name in names}
            files = [{"path": name, "uploadMode": kinds[name], "shouldIgnore": False} for name in names]
            self._answer({"files": files})
        else:
            assert what == "commit"
            is_proposed = "create_pr" in parse_qs(urlsplit(self.path).query)
            files = revisions[revision] if not is_proposed else revisions.setdefault("refs/pr/1", {})
            for line in map(json.loads, body.splitlines()):
                value = line["value"]
                if line["key"] == "header":
                    self.server.messages.append(value["summary"])
                elif line["key"] == "lfsFile":
                    files[value["path"]] = self.server.blobs[value["oid"]]
                else:
                    files[value["path"]] = base64.b64decode(value["content"])
            address = f"{self.server.address}/{repo}"
            answer = {"commitUrl": f"{address}/commit/1234567", "commitOid": "1234567"}
            self._answer({**answer, "pullRequestUrl": f"{address}/discussions/1"} if is_proposed else answer)

    def _began(self) -> str | None:
        """Note a request; return its path, or None where it was refused."""
        path = urlsplit(self.path).path
        self.server.asked.append(f"{self.command} {path}")
        for part, status in self.server.fails.items():
            if part in path:
                self._refuse(status, None)
                return None
        return path

    def _chunks(self) -> bytes:
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _knows_caller(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _refuse(self, status: int, code: str | None, repo: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        body = json.dumps({"error": "refused", "url": f"{self.server.address}/{repo}"}).encode()
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = True

    def _answer(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def local_hub() -> AbstractContextManager[LocalHub]:
    """Serve until the block ends."""
    return serving(LocalHub())


def point_to(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have huggingface-hub, which read HF_ENDPOINT when it was imported, ask another server."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    for module in ("constants", "file_download"):  # the second in early versions
        monkeypatch.setattr(f"huggingface_hub.{module}.HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)


def be_the_hub(server: LocalHub, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have huggingface-hub ask this server alone, without a token, and keep what it downloads in a folder."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    point_to(server.address, monkeypatch)
    settings = {
        "HF_TOKEN_PATH": str(folder / "no token"),
        "HF_HUB_CACHE": str(folder / "cache"),
        "HF_HUB_OFFLINE": False,
        "HF_HUB_DISABLE_TELEMETRY": True,
        "HF_HUB_DISABLE_PROGRESS_BARS": True,
        # Xet is a protocol of its own, with a server of its own; without it, large files go by that of Git LFS.
        "HF_HUB_DISABLE_XET": True,
    }
    for name, value in settings.items():
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", value, raising=False)
