"""What every model that is trained epoch by epoch does: seeds, tables, history, going on, its best epoch, its files."""

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
        What is learnt: arrays by name. Each is an attribute too, with an underscore behind its name.
    history_ : History
        One record per epoch.
    best_ : Best or None
        The best epoch by a validation metric, where one is kept.
    seed_entropy_ : int
        What the randomness was seeded with.
    provenance_ : dict
        Where and on what it was trained, for people.
    is_resumable_ : bool
        Whether `resume` can go on with it.
    """

    #: The file's element that holds the optimiser's memory.
    memory_element: ClassVar[str] = "optimiser_sums"

    def __getattr__(self, name: str) -> Any:
        # Looked up in the instance itself: while it is made, or copied, there are no tables yet.
        tables = self.__dict__.get("tables_", {})
        if name.endswith("_") and name[:-1] in tables:
            return tables[name[:-1]]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def best_epoch_(self) -> int:
        """The epoch that was best by a validation metric; 0 where none was kept."""
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
        # None where a file had none: then only a fresh one can be made.
        self._memory: dict[str, np.ndarray] | None = {}
        self.provenance_: dict[str, Any] = {}

    def _run(self, trainer: Trainer, **settings: Any) -> None:
        """Train with the schedule and rate of the model; other settings are those of `vsenumba.training.run.run`."""
        self.provenance_ |= {"device": getattr(self, "device", "cpu"), "n_threads": thread_count(self._threads)}
        try:
            run(self, trainer, schedule=self.schedule, learning_rate=self.chosen("learning_rate"), **settings)
        finally:
            if self.best_ is not None and self.best_.tables and self.best_.epoch != self.history_[-1]["epoch"]:
                # It belongs to the last epoch's tables, not to those that were put back.
                self._memory = None

    @property
    def _threads(self) -> int | None:
        """How many threads to train with."""
        return 1 if getattr(self, "deterministic", False) else self.n_threads

    def check_parameters(self) -> None:
        """Refuse parameters that cannot be used; see `Fitted.check_parameters`."""
        super().check_parameters()
        if getattr(self, "deterministic", False) and getattr(self, "device", "cpu") != "cpu":
            raise InputError(
                'deterministic=True takes device="cpu": what works side by side on a card adds up in no fixed order'
            )
        if getattr(self, "deterministic", False) and self.n_threads not in (None, 1):
            warnings.warn(f"deterministic=True reduces n_threads={self.n_threads} to 1", UserWarning, stacklevel=4)

    def _check_resumable(self, same: bool) -> int:
        """Return the epochs that are done, having made sure that a checkpoint can be resumed with some data.

        Where all are done, nothing is to be trained, and there may be no optimiser's memory to do it with.
        """
        self.check_parameters()
        self._check_trainable()
        if not same:
            raise InputError("resume takes the data that training began with; for other data there is partial_fit")
        if not self.is_resumable_ and len(self.history_) < self.n_epochs:
            raise InputError(
                "the model was saved without the optimiser's memory, or the best epoch was put back: only a checkpoint "
                "can be resumed"
            )
        return len(self.history_)

    def _began_with(self, data: CaptionSet | Corpus) -> bool:
        """Tell whether training began with some data, as far as the file says: early ones have no digest."""
        digest = self.provenance_.get("data_sha256")
        return digest is None or digest == data.digest()

    def _ended(self) -> Self:
        """Have the best epoch's tables, where one is kept, as at the end of training."""
        if self.best_ is not None and self.best_.tables and self.best_.epoch != self.history_[-1]["epoch"]:
            self.tables_ |= {name: table.copy() for name, table in self.best_.tables.items()}
            self._memory = None
        return self

    @abstractmethod
    def _sizes(self) -> schema.Sizes:
        """Return how much the model knows now: what `_table_shapes` takes."""

    def _check_tables(self) -> None:
        """Refuse tables that were made with other parameters than the model has now, or set or cut since."""
        for name, shape in self._table_shapes(self._sizes()).items():
            table = np.asarray(self.tables_[name])
            if len(shape) == table.ndim == 2 and table.shape[1] != shape[1] == self.n_factors:
                raise InputError(
                    f"n_factors is {self.n_factors}, but {name} was fitted with {table.shape[1]}; fit afresh"
                )
            readable(f"tables_[{name!r}]", table, shape)

    def _check_trainable(self) -> None:
        """Refuse to go on with tables, or an optimiser's memory, that were made with other parameters."""
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
                    f"the optimiser's memory is not that of {as_optimiser(self.optimiser)}: {name} has sums of the "
                    f"shape {np.shape(sums)}, not {shapes[name]}; fit afresh, or save and load the model without its "
                    "memory"
                )

    def _grow_table(
        self, name: str, shape: tuple[int, int], fill: Callable[[np.ndarray], object], fresh_memory: np.ndarray
    ) -> None:
        """Give a table a shape, the new rows written by `fill`, and the memory of what moves it likewise."""
        old = self.tables_.get(name, np.zeros((0, shape[1]), np.float32))
        if name not in self.tables_ or len(old) < shape[0]:
            # In place: a table can be most of the memory there is.
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
        """Write the model to one ``.h5`` file; see ``docs/reference/file-format.md``.

        Parameters
        ----------
        path : str or path
            The file; an existing one is replaced in one stroke.
        include_optimiser : bool
            Whether to write all that `resume` needs too, the optimiser's memory and the best epoch so far. Without it
            `partial_fit` begins with a fresh memory.
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
        """Return the shapes of the tables of a model of these parameters, that knows so much."""

    def _memory_shapes(self, sizes: schema.Sizes) -> dict[str, tuple[int, ...]]:
        """Return the shapes of what the optimiser remembers of each table."""
        per_row = len(as_optimiser(self.optimiser).fresh_sums(1))
        return {name: (per_row * shape[0],) for name, shape in self._table_shapes(sizes).items()}

    def _memory_schema(self, sizes: schema.Sizes) -> dict[str, schema.Spec]:
        """Return what the optimiser remembers, as it stands in files."""
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
    """Return what stands for seeds in a file: as text, since the entropy has 128 bits, or is several numbers."""
    entropy: Any = seeds.entropy
    words = str(entropy) if np.ndim(entropy) == 0 else [str(int(word)) for word in np.ravel(entropy)]
    return {"entropy": words, "spawn_key": [int(key) for key in seeds.spawn_key]}
