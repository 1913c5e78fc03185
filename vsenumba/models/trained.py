"""The base of models that are trained epoch by epoch: seeds, tables, history, checkpoints, the best epoch, files."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from vsenumba import storage
from vsenumba.checks import seed_sequence
from vsenumba.errors import InputError
from vsenumba.kernels.aligned import aligned_empty
from vsenumba.kernels.gate import readable
from vsenumba.kernels.random import spawned
from vsenumba.kernels.threads import thread_count
from vsenumba.models.fitted import Fitted
from vsenumba.models.unfitted import check_is_fitted
from vsenumba.storage import schema
from vsenumba.training.best import Best
from vsenumba.training.history import COLUMNS, History
from vsenumba.training.optimisers import as_optimiser
from vsenumba.training.run import Trainer, run

if TYPE_CHECKING:
    from vsenumba.data.captions.caption_set import CaptionSet
    from vsenumba.data.text.corpus import Corpus

_DIGITS = schema.Text("[0-9]{1,4000}")
_SEED = schema.Object(
    {"entropy": schema.Either(_DIGITS, schema.ListOf(_DIGITS)), "spawn_key": schema.ListOf(schema.Whole())}
)


class Trained(Fitted):
    """Base of the models that are trained.

    Attributes
    ----------
    tables_ : dict
        The learnt arrays by name. Each is also an attribute, with an underscore after its name.
    history_ : History
        One record for each epoch.
    best_ : Best or None
        The best epoch by a validation metric, if one was kept.
    seed_entropy_ : int
        The entropy of the random seed.
    provenance_ : dict
        Facts about the training, for people: the device, the number of threads, the data.
    is_resumable_ : bool
        Whether `resume` can continue the training.
    """

    #: Name of the file element that contains the optimiser's memory.
    memory_element: ClassVar[str] = "optimiser_sums"

    def __getattr__(self, name: str) -> Any:
        # Look in the instance dictionary: while a model is created or copied, it has no tables yet.
        tables = self.__dict__.get("tables_", {})
        if name.endswith("_") and name[:-1] in tables:
            return tables[name[:-1]]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def best_epoch_(self) -> int:
        """The number of the best epoch by a validation metric; 0 if none was kept."""
        return 0 if self.best_ is None else self.best_.epoch

    @property
    def is_resumable_(self) -> bool:
        """Whether the model has the optimiser's memory of its last epoch, as a checkpoint does."""
        return self._memory is not None

    def _begin(self) -> None:
        """Forget everything that was learnt."""
        self._seeds = seed_sequence(self.random_state, "random_state")
        self.seed_entropy_ = self._seeds.entropy
        self.history_ = History()
        self.tables_: dict[str, np.ndarray] = {}
        self.best_: Best | None = None
        # None after loading a file without the optimiser's memory.
        self._memory: dict[str, np.ndarray] | None = {}
        self.provenance_: dict[str, Any] = {}

    def _run(self, trainer: Trainer, **settings: Any) -> None:
        """Train with the model's schedule and learning rate; `settings` go to `vsenumba.training.run.run`."""
        self.provenance_ |= {"device": getattr(self, "device", "cpu"), "n_threads": thread_count(self._threads)}
        try:
            run(self, trainer, schedule=self.schedule, learning_rate=self.chosen("learning_rate"), **settings)
        finally:
            if self.best_ is not None and self.best_.tables and self.best_.epoch != self.history_[-1]["epoch"]:
                # The memory belongs to the last epoch's tables, not to the restored ones.
                self._memory = None

    @property
    def _threads(self) -> int | None:
        """Number of threads for training."""
        return 1 if getattr(self, "deterministic", False) else self.n_threads

    def check_parameters(self) -> None:
        """Check all parameters, and raise an error for the first that cannot be used; see `Fitted.check_parameters`."""
        super().check_parameters()
        if getattr(self, "deterministic", False) and getattr(self, "device", "cpu") != "cpu":
            raise InputError('deterministic=True needs device="cpu": the order of additions on a GPU is not fixed')
        if getattr(self, "deterministic", False) and self.n_threads not in (None, 1):
            warnings.warn(f"deterministic=True reduces n_threads={self.n_threads} to 1", UserWarning, stacklevel=4)

    def _check_resumable(self, same: bool) -> int:
        """Return the number of finished epochs, after checking that training can continue with some data.

        If all epochs are finished, nothing is left to train, and the model may lack the optimiser's memory.
        """
        self.check_parameters()
        self._check_trainable()
        if not same:
            raise InputError("resume needs the data that training began with; use partial_fit for other data")
        if not self.is_resumable_ and len(self.history_) < self.n_epochs:
            raise InputError(
                "the model has no optimiser's memory, because it was saved without it or the best epoch was restored; "
                "resume from a checkpoint"
            )
        return len(self.history_)

    def _began_with(self, data: CaptionSet | Corpus) -> bool:
        """Return whether training began with some data; True if the file has no digest, as early files do."""
        digest = self.provenance_.get("data_sha256")
        return digest is None or digest == data.digest()

    def _ended(self) -> Self:
        """Restore the tables of the best epoch, if one was kept, as at the end of training."""
        if self.best_ is not None and self.best_.tables and self.best_.epoch != self.history_[-1]["epoch"]:
            self.tables_ |= {name: table.copy() for name, table in self.best_.tables.items()}
            self._memory = None
        return self

    @abstractmethod
    def _sizes(self) -> schema.Sizes:
        """Return the numbers of images, labels or words that `_table_shapes` needs."""

    def _check_tables(self) -> None:
        """Raise an error for tables that do not fit the model's parameters, or that somebody changed."""
        for name, shape in self._table_shapes(self._sizes()).items():
            table = np.asarray(self.tables_[name])
            if len(shape) == table.ndim == 2 and table.shape[1] != shape[1] == self.n_factors:
                raise InputError(
                    f"n_factors is {self.n_factors}, but {name} was fitted with {table.shape[1]}; fit the model again"
                )
            readable(f"tables_[{name!r}]", table, shape)

    def _check_trainable(self) -> None:
        """Raise an error if training cannot continue with the model's tables and the optimiser's memory."""
        if not self.tables_:
            return
        self._check_tables()
        for name, table in ({} if self.best_ is None else self.best_.tables).items():
            readable(f"best_.tables[{name!r}]", table, self.tables_[name].shape)
        if self.memory_element != "optimiser_sums":
            return
        shapes = self._memory_shapes(self._sizes())
        for name, sums in (self._memory or {}).items():
            if np.shape(sums) != shapes[name]:
                raise InputError(
                    f"the optimiser's memory does not belong to {as_optimiser(self.optimiser)}: {name} has sums of the "
                    f"shape {np.shape(sums)}, not {shapes[name]}; fit the model again, or save and load it without the "
                    "optimiser's memory"
                )

    def _grow_table(
        self, name: str, shape: tuple[int, int], fill: Callable[[np.ndarray], object], fresh_memory: np.ndarray
    ) -> None:
        """Enlarge a table to a shape, fill the new rows with `fill`, and enlarge the optimiser's memory likewise."""
        old = self.tables_.get(name, np.zeros((0, shape[1]), np.float32))
        if name not in self.tables_ or len(old) < shape[0]:
            # In place, because a table can take up most of the memory.
            table = aligned_empty(shape)
            table[: len(old)] = old
            fill(table[len(old) :])
            self.tables_[name] = table
        self._memory = {} if self._memory is None else self._memory
        if name in self._memory:
            n_known = len(self._memory[name])
            fresh_memory[:n_known] = self._memory[name]
        self._memory[name] = fresh_memory

    def save(self, path: str | PathLike[str], *, include_optimiser: bool = False) -> None:
        """Save the model to one ``.h5`` file.

        Parameters
        ----------
        path : str or path
            File to write; an existing file is replaced. See ``docs/reference/file-format.md`` for the format.
        include_optimiser : bool, default False
            Whether to include what `resume` needs: the optimiser's memory and the best epoch so far. Without it,
            `partial_fit` starts with an empty memory.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        InputError
            If a file with this content could not be loaded again.
        """
        check_is_fitted(self)
        extra: dict[str, Any] = {}
        if include_optimiser and self._memory is not None:
            extra[self.memory_element] = self._memory
            if self.best_ is not None:
                extra |= {"best": self.best_.tables, "best_value": np.array([self.best_.value])}
        self._write(path, extra)

    def _to_elements(self) -> dict[str, Any]:
        best = {} if self.best_ is None else {"best_epoch": self.best_.epoch, "best_metric": self.best_.metric}
        return {
            "arrays": self.tables_,
            "history": self.history_.to_columns(),
            "seed": storage.Json(_seed_json(self._seeds)),
            "about": storage.Json({**self.provenance_, **best}),
        }

    @abstractmethod
    def _table_shapes(self, sizes: schema.Sizes) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the tables, for the model's parameters and some sizes."""

    def _memory_shapes(self, sizes: schema.Sizes) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the optimiser's memory of each table."""
        per_row = len(as_optimiser(self.optimiser).fresh_sums(1))
        return {name: (per_row * shape[0],) for name, shape in self._table_shapes(sizes).items()}

    def _memory_schema(self, sizes: schema.Sizes) -> dict[str, schema.Spec]:
        """Return the schema of the optimiser's memory in files."""
        shapes = self._memory_shapes(sizes)
        return {name: schema.Array(schema.FLOAT, shape, finite=True) for name, shape in shapes.items()}

    def _schema(self, sizes: schema.Sizes) -> dict[str, schema.Spec]:
        shapes = self._table_shapes(sizes)
        tables = {name: schema.Array(schema.FLOAT, shape, finite=True) for name, shape in shapes.items()}
        memory = schema.Elements(self._memory_schema(sizes), closed=True, or_empty=True)
        about = {
            "best_epoch": schema.Optional(schema.Whole()),
            "best_metric": schema.Optional(schema.Text()),
            "data_sha256": schema.Optional(schema.Text("[0-9a-f]{64}")),
        }
        return {
            "arrays": schema.Elements(tables, closed=True),
            "history": COLUMNS,
            "seed": _SEED,
            "about": schema.Optional(schema.Object(about)),
            self.memory_element: schema.Optional(memory),
            "best": schema.Optional(schema.Elements(tables, closed=True, or_empty=True)),
            "best_value": schema.Optional(schema.Array(("<f8",), (1,))),
        }

    def _from_elements(self, elements: Mapping[str, Any]) -> None:
        seed, about = elements["seed"], dict(elements.get("about", {}))
        entropy = seed["entropy"]
        entropy = [int(word) for word in entropy] if isinstance(entropy, list) else int(entropy)
        self._seeds = np.random.SeedSequence(entropy, spawn_key=tuple(seed["spawn_key"]))
        self.seed_entropy_ = self._seeds.entropy
        self.history_ = History.from_columns(elements["history"])
        self.tables_ = dict(elements["arrays"])
        self._memory = dict(elements[self.memory_element]) if self.memory_element in elements else None
        epoch, metric = int(about.pop("best_epoch", 0)), str(about.pop("best_metric", "rsum"))
        self.best_ = Best(metric) if epoch else None
        if self.best_ is not None:
            self.best_.epoch, self.best_.tables = epoch, dict(elements.get("best", {}))
            self.best_.value = float(elements["best_value"][0]) if "best_value" in elements else -np.inf
        self.provenance_ = about

    def _spawned(self, *key: int) -> np.random.SeedSequence:
        return spawned(self._seeds, *key)


def _seed_json(seeds: np.random.SeedSequence) -> dict[str, Any]:
    """Return seeds as JSON. The entropy is text, because it has 128 bits or consists of several numbers."""
    entropy: Any = seeds.entropy
    words = str(entropy) if np.ndim(entropy) == 0 else [str(int(word)) for word in np.ravel(entropy)]
    return {"entropy": words, "spawn_key": [int(key) for key in seeds.spawn_key]}
