"""Options and kinds of values that several commands have."""

from __future__ import annotations

import csv
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from vsenumba.errors import InputError, unknown_name
from vsenumba.printable import printable
from vsenumba.progress import ProgressLine, progress_line

if TYPE_CHECKING:
    from vsenumba.data import AnnotationSet
    from vsenumba.models import Annotator, Fitted
    from vsenumba.models.parameters import Parameter

F = TypeVar("F", bound=Callable[..., Any])

# Endings of files that other programs read, as what they are not.
_OTHER_FORMATS = frozenset(
    {
        *(".csv", ".tsv", ".txt", ".json", ".npz", ".npy", ".pkl", ".joblib", ".xlsx", ".parquet", ".vec", ".bin"),
        *(".png", ".svg", ".pdf"),
    }
)

# Larger files take more than a moment to read.
_MOMENT = 4_000_000


class Member(click.ParamType):  # type: ignore[type-arg]  # it has none before click 8.4
    """The name of an entry of a mapping; the mapping is imported when a name is given or help is asked for.

    Parameters
    ----------
    kind : str
        What the entries are, for error messages.
    module, registry : str
        Where the mapping from names to entries is.
    """

    name = "name"

    def __init__(self, kind: str, module: str, registry: str) -> None:
        self.kind = kind
        self.module = module
        self.registry = registry

    def names(self) -> list[str]:
        """Return the names there are."""
        return list(getattr(importlib.import_module(self.module), self.registry))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check a name."""
        if value not in self.names():
            raise unknown_name(self.kind, value, self.names())
        return str(value)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str | None:
        """Return the names, as help shows them."""
        return f"[{'|'.join(self.names())}]" if self.names() else None

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names that begin so."""
        return [CompletionItem(name) for name in self.names() if name.startswith(incomplete)]


class ParameterValue(Member):
    """A value of a model's parameter, as the model's table has it.

    Parameters
    ----------
    model, parameter : str
        The model's class, and the parameter's name.
    """

    def __init__(self, model: str, parameter: str) -> None:
        self.model = model
        self.parameter = parameter

    def entry(self) -> Parameter:
        """Return the parameter's entry in the table."""
        model: type[Fitted] = getattr(importlib.import_module("vsenumba.models"), self.model)
        return model.PARAMETERS[self.parameter]

    def names(self) -> list[str]:
        """Return the names that can be given; none for numbers."""
        return list(getattr(self.entry(), "names", ()))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Make a value of a text; its range is the model's to check."""
        try:
            return self.entry().parse(self.parameter, value) if isinstance(value, str) else value
        except InputError as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str | None:
        """Return the names, or what stands for a number."""
        return super().get_metavar(param, ctx) or ("n" if type(self.entry()).__name__ == "Whole" else "x").upper()


class MetricName(click.ParamType):  # type: ignore[type-arg]  # likewise
    """The name of a metric, as ``recall@5``."""

    name = "metric"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check a name."""
        from vsenumba.evaluation import parse_metric

        return parse_metric(value).name


class ThreadCount(click.ParamType):  # type: ignore[type-arg]  # likewise
    """A number of threads, brought down, with one warning, to what there is."""

    name = "n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Check a number."""
        from vsenumba.kernels.threads import thread_count

        return thread_count(click.IntRange(1).convert(value, param, ctx))


class OutputPath(click.Path):
    """The name of a file to write; a `Path` by itself would drop the end of names such as ``model.h5/``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check the end of a name."""
        from vsenumba.storage import check_name

        check_name(value)
        return super().convert(value, param, ctx)


class DefaultOf(click.Option):
    """An option whose default is that of a parameter in the library, looked up when it is needed.

    Parameters
    ----------
    module, function : str
        Where the function, or the class, is.
    parameter : str, optional
        The parameter's name, where it is not the option's own.
    *declarations, **settings
        As for `click.Option`.
    """

    def __init__(
        self, *declarations: Any, module: str, function: str, parameter: str | None = None, **settings: Any
    ) -> None:
        super().__init__(*declarations, **settings)
        self.show_default = True
        self._module = module
        self._function = function
        self.parameter = parameter or self.name

    def get_default(self, ctx: click.Context, call: bool = True) -> Any:
        """Return the parameter's default."""
        function = getattr(importlib.import_module(self._module), self._function)
        return inspect.signature(function).parameters[str(self.parameter)].default


class ParameterOption(DefaultOf):
    """An option for a parameter of a model: its kind and its help are those of the model's table.

    Parameters
    ----------
    model, parameter : str
        The model's class, and the parameter's name.
    *declarations, **settings
        As for `click.Option`.
    """

    def __init__(self, *declarations: Any, model: str, parameter: str, **settings: Any) -> None:
        value = ParameterValue(model, parameter)
        self._entry = value.entry
        where = {"module": "vsenumba.models", "function": model, "parameter": parameter}
        super().__init__(*declarations, **where, type=value, **settings)

    @property
    def help(self) -> str:
        """What the parameter is, and what is taken where it is left out."""
        entry = self._entry()
        return f"{entry.meaning.removesuffix('.')}; by default {entry.none}." if entry.none else entry.meaning

    @help.setter
    def help(self, text: str | None) -> None:
        """Ignore what the base class sets."""


def model_options(model: str, **options: str) -> Callable[[F], F]:
    """Return options for parameters of a model, each given as ``parameter="--option"``."""

    def decorate(command: F) -> F:
        for parameter, option in reversed(options.items()):
            command = click.option(option, parameter, cls=ParameterOption, model=model, parameter=parameter)(command)
        return command

    return decorate


SAMPLER = ParameterValue("ImageAnnotator", "sampler")
LOSS = ParameterValue("ImageAnnotator", "loss")
METRIC = MetricName()
POSITIVE = click.IntRange(min=1)
POSITIVE.name = "n"  # which help shows
FILE = click.Path(path_type=Path)
OUTPUT = OutputPath(path_type=Path)

seed_option = click.option(
    "--seed", type=click.IntRange(min=0), metavar="N", default=0, show_default=True, help="Where randomness starts."
)
threads_option = click.option("--threads", type=ThreadCount(), help="Threads to use; all there are by default.")


def _there(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Refuse a device that is not there before anything is read."""
    if value != "cpu":
        from vsenumba.models.devices import require_device

        require_device(value)
    return value


device_option = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    callback=_there,
    help="Where to train; 'cuda' takes an NVIDIA card, see docs/how-to/gpu.md.",
)
scheduler_option = click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Have a cluster of Dask do the work, whose scheduler this is; see docs/how-to/cluster.md.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
count_option = click.option("-n", "n", type=POSITIVE, default=10, show_default=True, help="How many to show.")
force_option = click.option("--force", is_flag=True, help="Replace files of an earlier run in DIR.")
model_argument = click.argument("model", type=FILE)


def client_of(scheduler: str | None) -> Any:
    """Return a client of the scheduler that ``--scheduler`` names, which is closed when the command ends; or None."""
    if scheduler is None:
        return None
    from vsenumba.cluster.workers import connected

    return click.get_current_context().with_resource(connected(scheduler))


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep how a file is read, for `load_set`."""
    context.meta[f"{__name__}.{parameter.name}"] = value


# By the names of `load_dataset`'s arguments.
_TABLE_OPTIONS: dict[str, dict[str, Any]] = {
    "image_column": {"help": "The column of a table, or the key of records, with the images."},
    "label_column": {"help": "The column of a table, or the key of records, with the labels."},
    "separator": {
        "metavar": "TEXT",
        "help": "What stands between the labels of a cell, as ', '; 'list' for lists, 'none' for one label a cell.",
    },
    "threshold": {"type": float, "metavar": "X", "help": "In a table of scores, those from X on are labels."},
    "first_number": {
        "type": click.IntRange(0, 1),
        "metavar": "0|1",
        "help": "The number of the first label, in files that number them.",
    },
    "sources": {
        "metavar": "NAMES",
        "help": "Of Open Images: whose labels count, as 'verification,crowdsource-verification'.",
    },
    "format": {
        "type": Member("format", "vsenumba.data.annotation.readers", "READER_NAMES"),
        "metavar": "NAME",
        "help": "Take SET for this format, without looking; docs/how-to/own-data.md names them.",
    },
    "part": {"metavar": "NAME", "help": "Which part of a folder to read, such as 'train', where it has several."},
    "lenient": {
        "is_flag": True,
        "default": None,
        "help": "Leave out values that are known to be wrong, with a warning.",
    },
}


def set_argument(command: F) -> F:
    """Add the argument SET, and the options that say how a file is read; `load_set` loads it."""
    return click.argument("source", metavar="SET")(table_options(command))


def optional_set_argument(command: F) -> F:
    """Add SET as an argument that may be left out; see `set_argument`."""
    return click.argument("source", metavar="[SET]", required=False)(table_options(command))


def catalogue_options(command: F) -> F:
    """Add the options for sets of the catalogue, which are fetched; `load_set` takes them."""
    choices: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("--trust", "trust", {"is_flag": True, "default": None, "help": "Fetch what no checksum is published of."}),
        (
            "--from",
            "from_folder",
            {"type": FILE, "metavar": "DIR", "help": "Where the files of a set of the catalogue are at hand."},
        ),
    )
    for option, name, settings in choices:
        command = click.option(option, name, expose_value=False, callback=_remember, **settings)(command)
    return command


def caption_set_argument(command: F) -> F:
    """Add the argument SET of commands that read captions, which say themselves how they are read."""
    return click.argument("source", metavar="SET")(command)


def table_options(command: F) -> F:
    """Add the options that say how a file is read, for `load_set`."""
    for name, settings in reversed(_TABLE_OPTIONS.items()):
        option = f"--{name.replace('_', '-')}"
        command = click.option(option, name, expose_value=False, callback=_remember, **settings)(command)
    return command


def load_set(source: str) -> AnnotationSet:
    """Load what was given for SET."""
    from vsenumba.data import load_dataset

    options = {name: _remembered(name) for name in _TABLE_OPTIONS}
    with _reading(source), fetching() as progress:
        return load_dataset(source, **options, **catalogue_choices(), progress=progress)


def _remembered(name: str) -> Any:
    return click.get_current_context().meta.get(f"{__name__}.{name}")


def catalogue_choices() -> dict[str, Any]:
    """Return what was given for `catalogue_options`, as arguments."""
    return {"from_folder": _remembered("from_folder"), "trust": bool(_remembered("trust"))}


@contextmanager
def fetching() -> Iterator[Callable[[str, int, int | None], None]]:
    """Yield what shows how far each file is that is fetched."""
    with ExitStack() as stack:
        lines: dict[str, ProgressLine] = {}

        def show(name: str, there: int, total: int | None) -> None:
            if name not in lines:  # files come one after the other; most sets are not fetched
                stack.close()
                lines.clear()
                lines[name] = stack.enter_context(progress_line(name))
            rate = there / max(lines[name].seconds, 1e-9)
            lines[name].update(there, f"{there / 1e6:,.1f} MB ({rate / 1e6:,.1f} MB/s)", total=total)

        yield show


def refuse_table_options(needed: str) -> None:
    """Refuse the options that say how a table is read where an option that names one, `needed`, is not given."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.callback is _remember and is_given(str(parameter.name)):
            raise click.UsageError(f"{parameter.opts[0]} says how a table is read; it cannot be given without {needed}")


def _reading(source: str) -> AbstractContextManager[object]:
    """Return what shows on a terminal that a file is being read, if it is one that takes more than a moment."""
    path = Path(source)
    if not (sys.stderr.isatty() and path.is_file() and path.stat().st_size > _MOMENT):
        return nullcontext()
    from rich.console import Console
    from rich.text import Text

    return Console(stderr=True).status(Text(f"reading {printable(source)}, {path.stat().st_size / 1e6:,.0f} MB"))


def metrics_option(text: str) -> Callable[[F], F]:
    """Return the option ``--metric``: what to compute."""
    return click.option(
        "--metric",
        "metrics",
        type=METRIC,
        multiple=True,
        default=("mrr", "recall@5", "recall@10", "auc"),
        show_default=True,
        help=f"{text} precision, recall, ndcg, ap, map_cut, psp, psndcg and coverage take any k, as in psp@5.",
    )


def is_given(name: str) -> bool:
    """Tell whether an option stands on the command line."""
    return click.get_current_context().get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def examples(*commands: str) -> str:
    """Return the end of a command's help: how it is called."""
    title = "Example" if len(commands) == 1 else "Examples"
    # The first line keeps click from filling the paragraph.
    return "\n".join(["\b", f"{title}:", *(f"  {command}" for command in commands)])


def output_option(metavar: str) -> Callable[[F], F]:
    """Return the option ``-o``: the file to write."""
    return click.option(
        "-o",
        "--output",
        type=OUTPUT,
        required=True,
        metavar=metavar,
        help="The file to write; one that is there is replaced.",
    )


def set_option(text: str) -> Callable[[F], F]:
    """Return the option ``--set``, and those that say how a table is read; `known_set` loads it."""

    def decorate(command: F) -> F:
        return click.option("--set", "source", metavar="SET", help=text)(table_options(command))

    return decorate


def known_set(source: str, model: Annotator) -> AnnotationSet:
    """Load what was given for ``--set``; labels that a model does not know are left out, with a warning."""
    from vsenumba.evaluation.known_labels import with_known_labels

    return with_known_labels(load_set(source), model.label_names, source)[0]


def names_in(text: str, option: str) -> list[str]:
    """Return the names in a line of comma-separated values, in which quotes keep a comma from dividing."""
    try:
        row = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error as error:
        raise click.UsageError(f"{option} takes labels with commas between them, on one line: {error}") from error
    return [name.strip() for name in row if name.strip()]


def limit_threads(threads: int | None) -> None:
    """Leave BLAS, which multiplies matrices beside the package's kernels, so many threads until the command ends."""
    if threads is not None:
        from threadpoolctl import threadpool_limits

        click.get_current_context().with_resource(threadpool_limits(threads, user_api="blas"))


def check_output(output: Path, *inputs: str | Path, streams: bool = False) -> None:
    """Make sure, before the work, that a file can be written, and that it is none of those that are read.

    With `streams`, it may also be a pipe or a device that is written through.
    """
    from vsenumba.storage import check_writable, exists

    for path in map(Path, inputs):
        if exists(path) and exists(output) and output.samefile(path):
            raise InputError(f"cannot write {output}: it is the file that is read; choose another name")
    check_writable(output, streams=streams)


def check_native_output(output: Path, *inputs: str | Path) -> None:
    """Make sure, before the work, that a file of vsenumba's own format can be written; see `check_output`."""
    check_output(output, *inputs)
    if output.suffix.lower() in _OTHER_FORMATS:
        raise InputError(f"cannot write {output}: what is written is HDF5, not {output.suffix}; name it .h5")


def prepare_folder(folder: Path, names: Iterable[str], *, force: bool) -> list[Path]:
    """Make a folder and return the paths of files in it, having made sure that they can be written.

    A file that the caller of a command named, with ``-o``, is replaced. Of a folder, the caller did not name the files
    that are written: those that are there stay, unless `force` says otherwise.
    """
    from vsenumba.storage import check_writable

    paths = [folder / name for name in names]
    there = [path.name for path in paths if path.exists()]
    if there and not force:
        raise InputError(
            f"{folder} has {', '.join(there)} already; name another folder with --out, or replace with --force"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror or error}") from error
    for path in paths:
        check_writable(path)
    return paths
