"""Upload model files to the Hugging Face Hub, and download them, with clear error messages.

This module needs the extra ``hub``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from vsenumba import storage
from vsenumba.errors import InputError
from vsenumba.printable import printable
from vsenumba.storage.provenance import provenance

#: The names of the files in a repository.
MODEL_FILE = "model.h5"
CARD_FILE = "README.md"

# Status codes of a server that refuses access: the caller is unknown, or lacks the permission.
_REFUSED = (401, 403)
# The status code for too many requests, and the first status code of server errors.
_BUSY, _FAULTS = 429, 500


def upload(
    repo_id: str,
    files: Mapping[str, Path],
    *,
    private: bool | None,
    token: str | bool | None,
    revision: str | None,
    commit_message: str,
    create_pr: bool,
) -> str:
    """Write files to a repository in one commit, and return the address of the commit or the pull request.

    The repository and the branch are created if they do not exist.

    Parameters
    ----------
    repo_id : str
        ``"user/name"``.
    files : mapping of str to Path
        The local file for each name in the repository.
    private, token, revision, commit_message, create_pr
        See `vsenumba.models.sharing.Shared.push_to_hub`.

    Raises
    ------
    InputError
        If huggingface-hub is not installed, the hub cannot be reached, or it refuses.
    """
    api, errors = _hub(token)
    from huggingface_hub import CommitOperationAdd

    # Early versions of huggingface-hub do not accept None here.
    settings = {} if private is None else {"private": private}
    with _plain_errors(api, errors, repo_id, revision, writes=True):
        api.create_repo(repo_id, exist_ok=True, **settings)
        # The revision of an open pull request is not a branch.
        if revision is not None and not revision.startswith("refs/"):
            api.create_branch(repo_id, branch=revision, exist_ok=True)
        operations = [CommitOperationAdd(name, str(path)) for name, path in files.items()]
        done = api.create_commit(
            repo_id, operations, commit_message=commit_message, revision=revision, create_pr=create_pr
        )
        return str(done.pr_url or done.commit_url)


def download(
    repo_id: str,
    *,
    revision: str | None,
    token: str | bool | None,
    cache_dir: str | PathLike[str] | None,
) -> Path:
    """Return the path of a repository's model file in the cache, after downloading it if necessary.

    Parameters
    ----------
    repo_id : str
        ``"user/name"``.
    revision, token, cache_dir
        See `vsenumba.models.sharing.Shared.from_pretrained`.

    Raises
    ------
    InputError
        If huggingface-hub is not installed, the hub cannot be reached, or it refuses.
    """
    api, errors = _hub(token)
    with _plain_errors(api, errors, repo_id, revision, writes=False):
        return Path(api.hf_hub_download(repo_id, MODEL_FILE, revision=revision, cache_dir=cache_dir))


def _hub(token: str | bool | None) -> tuple[Any, Any]:
    """Return the client of the hub, and the module with its error classes."""
    try:
        from huggingface_hub import HfApi, errors
    except ImportError as error:
        raise InputError(
            'sharing models needs huggingface-hub, which is not installed: pip install "vsenumba[hub]"'
        ) from error
    return HfApi(token=token, library_name="vsenumba", library_version=provenance()["vsenumba"]), errors


@contextmanager
def _plain_errors(api: Any, errors: Any, repo_id: str, revision: str | None, *, writes: bool) -> Iterator[None]:
    """Convert the errors of huggingface-hub and of its HTTP library to `InputError`."""
    try:
        yield
    except (errors.HTTPError, OSError, RuntimeError, ValueError) as error:
        # Some versions wrap the error of a failed upload.
        cause = error.__cause__ if type(error) is RuntimeError and error.__cause__ is not None else error
        repo = printable(str(repo_id))
        raise InputError(_message(api.endpoint, errors, cause, repo, revision, writes)) from error


def _message(endpoint: str, errors: Any, error: BaseException, repo: str, revision: str | None, writes: bool) -> str:
    """Return one line with the problem and its remedy."""
    place = f"{repo} at revision {printable(revision)!r}" if revision else repo
    log_in = "log in with 'hf auth login' or pass token=..."
    if isinstance(error, errors.HFValidationError):
        return f"{repo!r} is not the name of a repository; expected 'user/name', or a folder that exists"
    if isinstance(error, errors.GatedRepoError):
        return f"access to {repo} is restricted: request it at {endpoint}/{repo}, then {log_in}"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{repo} has no revision {printable(str(revision))!r}: give an existing branch, tag or commit"
    # LocalEntryNotFoundError means that the hub could not be reached, or gave no answer.
    is_missing = isinstance(error, errors.EntryNotFoundError) and not isinstance(error, errors.LocalEntryNotFoundError)
    if is_missing:
        return f"{place} has no file {MODEL_FILE}: it contains no model uploaded with push_to_hub"
    if isinstance(error, errors.LocalEntryNotFoundError):
        error = error.__cause__ or error
    refused = getattr(getattr(error, "response", None), "status_code", None) in _REFUSED
    if writes and (refused or isinstance(error, errors.RepositoryNotFoundError)):
        return f"you may not write to {repo}: check the name, and {log_in} with a token that may write"
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"there is no repository {repo}, or it is private: check the name, or {log_in}"
    if refused:
        return f"you may not read {repo}: {log_in} with a token that may read it"
    reason = _reason(endpoint, errors, error)
    return f"cannot upload to {place}: {reason}" if writes else f"cannot download {place}: {reason}"


def _reason(endpoint: str, errors: Any, error: BaseException) -> str:
    """Return the reason for a failed transfer, and its remedy."""
    if isinstance(error, errors.OfflineModeIsEnabled) or os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        return "huggingface-hub is offline; unset HF_HUB_OFFLINE to connect"
    status = getattr(getattr(error, "response", None), "status_code", None)
    first_line = printable(str(error).strip().partition("\n")[0])
    if status is not None:
        said = getattr(error, "server_message", None)
        later = "; try again later" if status == _BUSY or status >= _FAULTS else ""
        return f"{endpoint} returned status {status}" + (f" ({printable(str(said))})" if said else "") + later
    if "Consistency check failed" in first_line:
        return "the transfer was incomplete; try again"
    if isinstance(error, OSError) and error.errno is not None and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    if isinstance(error, (errors.HTTPError, OSError)):
        return f"{endpoint} cannot be reached ({first_line:.100}); check the network, and HF_ENDPOINT if it is set"
    return printable(" ".join(str(error).split()))


def check_folder(folder: Path) -> Path:
    """Return the model file in a folder.

    Raises
    ------
    InputError
        If there is none.
    """
    path = folder / MODEL_FILE
    if not storage.exists(path):
        raise InputError(f"the folder {folder} has no file {MODEL_FILE}; use load_model for files with other names")
    return path
