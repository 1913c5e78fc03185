"""Sharing models: pushed to the Hugging Face Hub with a model card, and loaded from there."""

from __future__ import annotations

import importlib
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any, Self

from vsenumba.errors import FileFormatError, InputError
from vsenumba.models import hub
from vsenumba.models.model_card import model_card
from vsenumba.models.unfitted import check_is_fitted


class Shared(ABC):
    """What every model does to be shared."""

    @abstractmethod
    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to a file."""

    def model_card(self, *, repo_id: str | None = None, data: str | None = None, license: str | None = None) -> str:
        """Return a description of the model as Markdown, with metadata in front as the Hugging Face Hub reads it.

        Everything in it comes from the model: what it is, how to load it, what it was trained on and with, what was
        measured, and its limitations. Edit it as you like, and hand it to `push_to_hub`.

        Parameters
        ----------
        repo_id : str, optional
            Where the model is going to be, for the code that loads it; ``"user/name"`` if left out.
        data : str, optional
            What it was trained on: the name of a set in the catalogue (`vsenumba data list`), whose licence, source and
            citation are added, or a sentence of your own. `vsenumba fit` stores the name if the set is in the
            catalogue.
        license : str, optional
            The licence of the model, as the hub names it: ``"apache-2.0"``, ``"cc-by-4.0"``. Left out if None.

        Returns
        -------
        str
            The card.

        Raises
        ------
        InputError
            If the licence is not in the form that the hub uses.

        Examples
        --------
        >>> import vsenumba as vse
        >>> model = vse.PopularityAnnotator().fit(vse.load_dataset("openclipart"))
        >>> card = model.model_card(data="openclipart", license="cc0-1.0")
        >>> print(card[: card.index("tags")])
        ---
        library_name: vsenumba
        license: cc0-1.0
        <BLANKLINE>
        """
        check_is_fitted(self)
        return model_card(self, repo_id=repo_id, data=data, license=license)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        card: str | None = None,
        private: bool | None = None,
        token: str | bool | None = None,
        revision: str | None = None,
        commit_message: str | None = None,
        create_pr: bool = False,
    ) -> str:
        """Upload the model and its card to a repository of the Hugging Face Hub, in one commit.

        The repository is created if it does not exist. It then holds ``model.h5``, the file that `save` writes, and
        ``README.md``, the card. Both replace those of the last push; the repository keeps the earlier versions. The
        file of an annotation model holds the ids and labels of the images that it was trained on.

        Parameters
        ----------
        repo_id : str
            ``"user/name"``.
        card : str, optional
            The card; what `model_card` returns if left out.
        private : bool, optional
            Whether only you can see a repository that is created; the hub's default if None.
        token : str or bool, optional
            An access token that may write. If None, that of ``hf auth login`` or of the variable ``HF_TOKEN``.
        revision : str, optional
            The branch to write to, created if it does not exist; ``main`` if None.
        commit_message : str, optional
            The message of the commit.
        create_pr : bool
            Propose the change as a pull request.

        Returns
        -------
        str
            The address of the commit, or of the pull request.

        Raises
        ------
        InputError
            If huggingface-hub is not installed, the hub cannot be reached, or it refuses; the message says what to do.
        """
        check_is_fitted(self)
        card = self.model_card(repo_id=repo_id) if card is None else card
        with tempfile.TemporaryDirectory(prefix="vsenumba-") as folder:
            files = {name: Path(folder) / name for name in (hub.MODEL_FILE, hub.CARD_FILE)}
            self.save(files[hub.MODEL_FILE])
            files[hub.CARD_FILE].write_text(card, encoding="utf-8", newline="\n")
            return hub.upload(
                repo_id,
                files,
                private=private,
                token=token,
                revision=revision,
                commit_message=commit_message or f"Upload {type(self).__name__}",
                create_pr=create_pr,
            )

    @classmethod
    def from_pretrained(
        cls,
        repo_id_or_folder: str | PathLike[str],
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | PathLike[str] | None = None,
        members: type | Iterable[type] = (),
    ) -> Self:
        """Load a model that `push_to_hub` uploaded, or that lies in a folder as ``model.h5``.

        Only this one file is downloaded, once for each version, and checked like any other file: it holds no code. A
        crafted file can still hold a model that misleads, so take models from people you trust.

        Parameters
        ----------
        repo_id_or_folder : str or path
            ``"user/name"`` on the Hugging Face Hub, or a folder. A folder that exists comes first.
        revision : str, optional
            A branch, a tag or a commit; ``main`` if None. A commit always gives the same model.
        token : str or bool, optional
            An access token, for private repositories. If None, that of ``hf auth login`` or of the variable
            ``HF_TOKEN``.
        cache_dir : str or path, optional
            Where downloads are kept; huggingface-hub's own cache if None.
        members : type or iterable of type
            Classes of your own that the model was made with; see `vsenumba.load_model`.

        Returns
        -------
        model
            The model, of the class on which the method is called or of one below it: `vsenumba.models.Annotator`
            accepts any model of images and labels.

        Raises
        ------
        InputError
            If there is no such repository or file, the hub cannot be reached, or the model is of another class.
        FileFormatError
            If the file is damaged, is no model, or comes from a newer version of this package.

        Examples
        --------
        >>> import tempfile
        >>> import vsenumba as vse
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     vse.PopularityAnnotator().fit([["cat", "pet"], ["cat"]]).save(f"{folder}/model.h5")
        ...     model = vse.PopularityAnnotator.from_pretrained(folder)
        >>> [match.name for match in model.annotate([["pet"]])[0]]
        ['cat']
        """
        local = Path(repo_id_or_folder)
        if local.is_dir():
            path = hub.check_folder(local)
        elif local.is_file():
            raise InputError(
                f"{local} is a file, which load_model reads; from_pretrained takes a folder or 'user/name'"
            )
        else:
            path = hub.download(str(repo_id_or_folder), revision=revision, token=token, cache_dir=cache_dir)
        # The models stand on this module.
        load_model: Any = importlib.import_module("vsenumba.models").load_model
        try:
            return load_model(path, cls, members)
        except FileFormatError as error:
            if local.is_dir():
                raise
            raise FileFormatError(
                f"{error}; it was downloaded from {repo_id_or_folder}: delete it and try again, and if that does not "
                "help, tell the owner"
            ) from error
