"""Share models: push them to the Hugging Face Hub with a model card, and load them from there."""

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
    """Base of all models: the methods for sharing."""

    @abstractmethod
    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to a file."""

    def model_card(self, *, repo_id: str | None = None, data: str | None = None, license: str | None = None) -> str:
        """Return a model card in Markdown, with metadata for the Hugging Face Hub at the top.

        The card consists of facts from the model: its purpose, how to load it, its training data, its parameters, its
        scores and its limitations. You can edit the card and pass it to `push_to_hub`.

        Parameters
        ----------
        repo_id : str, optional
            Name of the repository, for the code that loads the model; ``"user/name"`` if left out.
        data : str, optional
            Training data: a sentence of your own, or the name of a set in the catalogue (`vsenumba data list`). For a
            set in the catalogue, the card also gives its licence, source and citation. `vsenumba fit` stores the name
            if the set is in the catalogue.
        license : str, optional
            Licence of the model, by the identifier that the hub uses, such as ``"apache-2.0"`` or ``"cc-by-4.0"``. The
            card names no licence by default.

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

        The repository is created if it does not exist. It then contains ``model.h5``, the file that `save` writes, and
        ``README.md``, the card. Both files replace those of the last push, and the repository keeps the earlier
        versions. The file of an annotation model contains the ids and labels of its training images.

        Parameters
        ----------
        repo_id : str
            Name of the repository, ``"user/name"``.
        card : str, optional
            The card. The default is the result of `model_card`.
        private : bool, optional
            Whether a new repository is visible only to you; the hub's default if None.
        token : str or bool, optional
            Access token with write permission. If None, the token of ``hf auth login`` or of the environment variable
            ``HF_TOKEN``.
        revision : str, optional
            Branch to write to, created if it does not exist; ``main`` if None.
        commit_message : str, optional
            Message of the commit.
        create_pr : bool
            Whether to propose the change as a pull request.

        Returns
        -------
        str
            Address of the commit, or of the pull request.

        Raises
        ------
        InputError
            If huggingface-hub is not installed, the hub cannot be reached, or it refuses access. The message gives the
            remedy.
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
        """Load a model that `push_to_hub` uploaded, or the file ``model.h5`` in a folder.

        Only this file is downloaded, once for each version. It is checked like any other model file, and contains no
        code. A crafted file can still contain a misleading model, so only load models from people you trust.

        Parameters
        ----------
        repo_id_or_folder : str or path
            Name of a repository on the Hugging Face Hub, ``"user/name"``, or a folder. If there is a folder with this
            name, it is used.
        revision : str, optional
            Branch, tag or commit; ``main`` if None. A commit always gives the same model.
        token : str or bool, optional
            Access token for private repositories. If None, the token of ``hf auth login`` or of the environment
            variable ``HF_TOKEN``.
        cache_dir : str or path, optional
            Folder for downloads; the cache of huggingface-hub if None.
        members : type or iterable of type
            Your own classes that the model uses; see `vsenumba.load_model`.

        Returns
        -------
        model
            The model. Its class is the one on which you call the method, or a subclass: `vsenumba.models.Annotator`
            accepts any model of images and labels.

        Raises
        ------
        InputError
            If there is no such repository or file, the hub cannot be reached, or the model has another class.
        FileFormatError
            If the file is damaged, is not a model, or comes from a newer version of this package.

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
                f"{local} is a file; use load_model for it, or give from_pretrained a folder or 'user/name'"
            )
        else:
            path = hub.download(str(repo_id_or_folder), revision=revision, token=token, cache_dir=cache_dir)
        # Imported here because the models import this module.
        load_model: Any = importlib.import_module("vsenumba.models").load_model
        try:
            return load_model(path, cls, members)
        except FileFormatError as error:
            if local.is_dir():
                raise
            raise FileFormatError(
                f"{error}; it was downloaded from {repo_id_or_folder}: delete it and try again. If that does not "
                "help, tell the owner"
            ) from error
