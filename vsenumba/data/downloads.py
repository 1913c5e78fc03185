"""Downloads: resumed after an interruption, checked, and stored in the platform's cache."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from vsenumba.data.annotation.data_set import RemoteFile
from vsenumba.errors import FileFormatError, InputError
from vsenumba.storage import named_errors, open_output

#: A progress callback. It receives a file's name, the bytes downloaded so far, and the total or None if unknown.
Progress = Callable[[str, int, int | None], None]

#: The environment variable that overrides the platform's cache folder for downloads.
FOLDER_VARIABLE = "VSENUMBA_DATA"

_RECORD = "checked.json"
_TRIES = 3
# An interrupted transfer loses less than one block.
_BLOCK = 1 << 14
_SECONDS = 30


def cache_folder(set_name: str) -> Path:
    """Return the cache folder for the files of a data set. The folder need not exist yet.

    Raises
    ------
    InputError
        If ``VSENUMBA_DATA`` is not set, and pooch, which finds the platform's cache, is not installed.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    return (Path(named) if named else Path(_pooch().os_cache("vsenumba"))) / set_name


def fetched(file: RemoteFile, folder: Path, *, trust: bool = False, progress: Progress | None = None) -> Path:
    """Return the path of a file in a folder, and download the file if it is not there yet.

    Parameters
    ----------
    file : RemoteFile
        The file to download.
    folder : Path
        The folder to store it in. It also holds partial downloads and a record of digests.
    trust : bool
        Whether to download the file even if no checksum is known. The function stores the file's digest and checks it
        from then on.
    progress : callable, optional
        Called with the file's name, the number of bytes downloaded so far, and the total or None.

    Raises
    ------
    InputError
        If no checksum is known and `trust` is false, there is no network, the server refuses the request, the transfer
        stops early, or pooch is not installed.
    FileFormatError
        If the file does not have the expected checksum.
    """
    target = folder / file.name
    if target.is_file():
        check_file(file, target, folder)
        return target
    expected = file.checksum or _recorded(folder).get(file.name, {}).get("sha256")
    if expected is None and not trust:
        raise InputError(
            f"no checksum is published for {file.address}; use --trust (in Python trust=True) to download "
            "it anyway. Its "
            "digest is stored and checked in later downloads"
        )
    pooch = _pooch()
    with named_errors(target):
        folder.mkdir(parents=True, exist_ok=True)

    def download(url: str, output: Any, _: object) -> None:
        _download(file, folder / f"{file.name}.part", Path(output), progress)

    try:
        pooch.retrieve(file.address, expected, file.name, folder, downloader=download)
    except ValueError as error:
        if "hash" not in str(error).lower():
            raise
        raise FileFormatError(
            f"the download from {file.address} does not have the checksum {expected}; the file was changed or tampered "
            "with, and was not kept"
        ) from error
    check_file(file, target, folder)
    return target


def check_file(file: RemoteFile, path: Path, folder: Path) -> None:
    """Check a file against its checksum or its stored digest, and record the result.

    Raises
    ------
    FileFormatError
        If the digests differ.
    """
    status = path.stat()
    stamp = {"size": status.st_size, "changed": status.st_mtime_ns, "path": str(path)}
    record = _recorded(folder)
    known = record.get(file.name, {})
    if all(known.get(name) == value for name, value in stamp.items()):
        return
    sha256 = _digest(path, "sha256")
    algorithm, _, digest = (file.checksum or "").rpartition(":")
    if file.checksum is not None:
        found = sha256 if algorithm in ("", "sha256") else _digest(path, algorithm)
        _compare(path, found, digest, "checksum")
    elif "sha256" in known:
        _compare(path, sha256, known["sha256"], "digest stored when you trusted the file")
    record[file.name] = {"sha256": sha256, **stamp}
    folder.mkdir(parents=True, exist_ok=True)
    with open_output(folder / _RECORD) as out:
        out.write(json.dumps(record, indent=1).encode())


def _compare(path: Path, found: str, expected: str, what: str) -> None:
    if found != expected.lower():
        raise FileFormatError(
            f"{path} has the wrong digest: {found:.16}..., but the {what} is {expected:.16}...; delete the file"
        )


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def _recorded(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / _RECORD).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _pooch() -> Any:
    try:
        import pooch
    except ImportError as error:
        raise InputError(
            "downloading data needs pooch; install it with pip install 'vsenumba[data]', or download the "
            "files yourself "
            "and use --from DIR (in Python from_folder=DIR)"
        ) from error
    pooch.get_logger().setLevel("WARNING")
    return pooch


def _download(file: RemoteFile, part: Path, output: Path, progress: Progress | None) -> None:
    """Download a file into `part`, resuming at its end, and move it to `output` when it is complete."""
    import requests

    failure: Exception | None = None
    for _ in range(_TRIES):
        try:
            total = _go_on(file, part, progress)
        except requests.exceptions.HTTPError as error:
            answer = error.response
            _refuse(file, f"the server answers {answer.status_code} {answer.reason}", error)
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
            # Resume an interrupted transfer. If the server never answered, there is nothing to resume.
            if not part.exists() and not isinstance(error, requests.exceptions.ChunkedEncodingError):
                _refuse(file, f"{urlsplit(file.address).hostname} cannot be reached, check the network", error)
            failure = error
            continue
        except requests.exceptions.RequestException as error:
            failure = error
            continue
        if total is None or part.stat().st_size == total:
            os.replace(part, output)  # noqa: PTH105 - as everywhere a finished file is moved into place
            return
    there = part.stat().st_size if part.exists() else 0
    _refuse(file, f"the transfer stopped after {there:,} bytes; run the command again to continue", failure)


def _refuse(file: RemoteFile, what: str, cause: Exception | None) -> NoReturn:
    raise InputError(
        f"cannot download {file.address}: {what}; or download the files yourself and use --from DIR (in Python "
        "from_folder=DIR)"
    ) from cause


def _go_on(file: RemoteFile, part: Path, progress: Progress | None) -> int | None:
    """Download the missing bytes, and return the total number of bytes, or None if the server does not report it."""
    import requests

    start = part.stat().st_size if part.exists() else 0
    version = part.with_name(part.name + ".version")
    known = version.read_text(encoding="utf-8") if version.exists() else ""
    # Compression in transit would change the byte count. Resume only if the file on the server is unchanged.
    headers = {"Accept-Encoding": "identity"}
    if start and known:
        headers |= {"Range": f"bytes={start}-", "If-Range": known}
    with requests.get(file.address, stream=True, timeout=_SECONDS, headers=headers) as answer:
        if answer.status_code == 416:  # no bytes follow the partial download, so it belongs to another file
            part.unlink(missing_ok=True)
            version.unlink(missing_ok=True)
            raise requests.exceptions.ChunkedEncodingError(
                "the file on the server is shorter than the part downloaded so far"
            )
        answer.raise_for_status()
        goes_on = answer.status_code == 206
        start = start if goes_on else 0
        mark = answer.headers.get("ETag", "")
        mark = answer.headers.get("Last-Modified", "") if not mark or mark.startswith("W/") else mark
        version.write_text(mark, encoding="utf-8")
        length = answer.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        with part.open("ab" if goes_on else "wb") as out:
            there = start
            for block in answer.iter_content(_BLOCK):
                out.write(block)
                there += len(block)
                if progress is not None:
                    progress(file.name, there, total)
    version.unlink(missing_ok=True)
    return total
