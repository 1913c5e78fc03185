"""Options and parameter types that several commands share."""

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

# Endings that belong to other formats. A native file must not have one of them.
_OTHER_FORMATS = frozenset(
    {
        *(".csv", ".tsv", ".txt", ".json", ".npz", ".npy", ".pkl", ".joblib", ".xlsx", ".parquet", ".vec", ".bin"),
        *(".png", ".svg", ".pdf", ".safetensors"),
    }
)

# Reading a larger file takes long enough to show a status line.
_MOMENT = 4_000_000


class Member(click.ParamType):  # type: ignore[type-arg]  # it has none before click 8.4
    """The name of an entry of a mapping; the mapping is imported only to check a name or to show the help.

    Parameters
    ----------
    kind : str
        The kind of the entries, for error messages.
    module, registry : str
        The module and the name of the mapping.
    """

    name = "name"

    def __init__(self, kind: str, module: str, registry: str) -> None:
        self.kind = kind
        self.module = module
        self.registry = registry

    def names(self) -> list[str]:
        """Return all names."""
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
        """Return the names that begin with `incomplete`."""
        return [CompletionItem(name) for name in self.names() if name.startswith(incomplete)]


class ParameterValue(Member):
    """A value of a model's parameter, parsed as the model's ``PARAMETERS`` table declares it.

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
        """Return the allowed names; empty for a number."""
        return list(getattr(self.entry(), "names", ()))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse a text; the model checks the range."""
        try:
            return self.entry().parse(self.parameter, value) if isinstance(value, str) else value
        except InputError as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str | None:
        """Return the names, or the placeholder for a number."""
        return super().get_metavar(param, ctx) or ("n" if type(self.entry()).__name__ == "Whole" else "x").upper()


class MetricName(click.ParamType):  # type: ignore[type-arg]  # likewise
    """The name of a metric, such as ``recall@5``."""

    name = "metric"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check a name."""
        from vsenumba.evaluation import parse_metric

        return parse_metric(value).name


class ThreadCount(click.ParamType):  # type: ignore[type-arg]  # likewise
    """A number of threads; a number above the available cores is lowered with a warning."""

    name = "n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Check a number."""
        from vsenumba.kernels.threads import thread_count

        return thread_count(click.IntRange(1).convert(value, param, ctx))


class OutputPath(click.Path):
    """The name of a file to write; a plain `Path` would drop the slash of names such as ``model.h5/``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse a name that only a folder can have."""
        from vsenumba.storage import check_name

        check_name(value)
        return super().convert(value, param, ctx)


class DefaultOf(click.Option):
    """An option that uses the default of a parameter in the library, looked up when it is needed.

    Parameters
    ----------
    module, function : str
        The module, and the function or class in it.
    parameter : str, optional
        The parameter's name, if it differs from the option's.
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
    """An option for a parameter of a model: its type and its help come from the model's ``PARAMETERS`` table.

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
        """The meaning of the parameter and its default."""
        entry = self._entry()
        return f"{entry.meaning}  [default: {entry.none}]" if entry.none else entry.meaning

    @help.setter
    def help(self, text: str | None) -> None:
        """Ignore the text that the base class sets."""


def model_options(model: str, **options: str) -> Callable[[F], F]:
    """Return a decorator that adds options for a model's parameters, each given as ``parameter="--option"``."""

    def decorate(command: F) -> F:
        for parameter, option in reversed(options.items()):
            command = click.option(option, parameter, cls=ParameterOption, model=model, parameter=parameter)(command)
        return command

    return decorate


SAMPLER = ParameterValue("ImageAnnotator", "sampler")
LOSS = ParameterValue("ImageAnnotator", "loss")
METRIC = MetricName()
POSITIVE = click.IntRange(min=1)
POSITIVE.name = "n"  # the help shows it
FILE = click.Path(path_type=Path)
OUTPUT = OutputPath(path_type=Path)

seed_option = click.option(
    "--seed", type=click.IntRange(min=0), metavar="N", default=0, show_default=True, help="Random seed."
)
threads_option = click.option("--threads", type=ThreadCount(), help="Number of threads.  [default: all cores]")


def _there(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Refuse a missing device before any file is read."""
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
    help="Device to train on; 'cuda' needs an NVIDIA GPU (see docs/how-to/gpu.md).",
)
scheduler_option = click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Run on the Dask cluster with this scheduler (see docs/how-to/cluster.md).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
count_option = click.option("-n", "n", type=POSITIVE, default=10, show_default=True, help="Number of results to show.")
force_option = click.option("--force", is_flag=True, help="Overwrite existing files in DIR.")
model_argument = click.argument("model", type=FILE)


def client_of(scheduler: str | None) -> Any:
    """Return a client of the scheduler given with ``--scheduler``, or None; the client closes when the command ends."""
    if scheduler is None:
        return None
    from vsenumba.cluster.workers import connected

    return click.get_current_context().with_resource(connected(scheduler))


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Store an option's value for `load_set`."""
    context.meta[f"{__name__}.{parameter.name}"] = value


# The keys are the names of `load_dataset`'s arguments.
_TABLE_OPTIONS: dict[str, dict[str, Any]] = {
    "image_column": {"help": "Column of a table, or key of JSON records, that holds the images."},
    "label_column": {"help": "Column of a table, or key of JSON records, that holds the labels."},
    "separator": {
        "metavar": "TEXT",
        "help": "Text between the labels of a cell, such as ', '. 'list' reads lists; 'none' reads one label per cell.",
    },
    "threshold": {
        "type": float,
        "metavar": "X",
        "help": "In a table of scores, count a score of at least X as a label.",
    },
    "first_number": {
        "type": click.IntRange(0, 1),
        "metavar": "0|1",
        "help": "Number of the first label, in files with numbered labels.",
    },
    "sources": {
        "metavar": "NAMES",
        "help": "Open Images: use labels from these sources only, such as 'verification,crowdsource-verification'.",
    },
    "format": {
        "type": Member("format", "vsenumba.data.annotation.readers", "READER_NAMES"),
        "metavar": "NAME",
        "help": "Format of SET; by default it is detected. docs/how-to/own-data.md lists the formats.",
    },
    "part": {"metavar": "NAME", "help": "Part of a folder to read, such as 'train'."},
    "lenient": {
        "is_flag": True,
        "default": None,
        "help": "Skip invalid values with a warning instead of stopping.",
    },
}


def set_argument(command: F) -> F:
    """Add the argument SET and the options for reading it; `load_set` loads it."""
    return click.argument("source", metavar="SET")(table_options(command))


def optional_set_argument(command: F) -> F:
    """Add SET as an optional argument; see `set_argument`."""
    return click.argument("source", metavar="[SET]", required=False)(table_options(command))


def catalogue_options(command: F) -> F:
    """Add the options for data sets that are downloaded by name; `load_set` uses them."""
    choices: tuple[tuple[str, str, dict[str, Any]], ...] = (
        (
            "--trust",
            "trust",
            {"is_flag": True, "default": None, "help": "Download files even if no checksum is published."},
        ),
        (
            "--from",
            "from_folder",
            {"type": FILE, "metavar": "DIR", "help": "Read the files from this folder instead of downloading them."},
        ),
    )
    for option, name, settings in choices:
        command = click.option(option, name, expose_value=False, callback=_remember, **settings)(command)
    return command


def caption_set_argument(command: F) -> F:
    """Add the argument SET of commands that read captions; those commands add their own reading options."""
    return click.argument("source", metavar="SET")(command)


def table_options(command: F) -> F:
    """Add the options for reading a file; `load_set` uses them."""
    for name, settings in reversed(_TABLE_OPTIONS.items()):
        option = f"--{name.replace('_', '-')}"
        command = click.option(option, name, expose_value=False, callback=_remember, **settings)(command)
    return command


def load_set(source: str) -> AnnotationSet:
    """Load the data set given as SET."""
    from vsenumba.data import load_dataset

    options = {name: _remembered(name) for name in _TABLE_OPTIONS}
    with _reading(source), fetching() as progress:
        return load_dataset(source, **options, **catalogue_choices(), progress=progress)


def _remembered(name: str) -> Any:
    return click.get_current_context().meta.get(f"{__name__}.{name}")


def catalogue_choices() -> dict[str, Any]:
    """Return the values of `catalogue_options` as keyword arguments."""
    return {"from_folder": _remembered("from_folder"), "trust": bool(_remembered("trust"))}


@contextmanager
def fetching() -> Iterator[Callable[[str, int, int | None], None]]:
    """Yield a function that shows the progress of downloads."""
    with ExitStack() as stack:
        lines: dict[str, ProgressLine] = {}

        def show(name: str, there: int, total: int | None) -> None:
            if name not in lines:  # files come one after the other; most data sets need no download
                stack.close()
                lines.clear()
                lines[name] = stack.enter_context(progress_line(name))
            rate = there / max(lines[name].seconds, 1e-9)
            lines[name].update(there, f"{there / 1e6:,.1f} MB ({rate / 1e6:,.1f} MB/s)", total=total)

        yield show


def refuse_table_options(needed: str) -> None:
    """Refuse the options for reading a table if the option that names the table, `needed`, is missing."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.callback is _remember and is_given(str(parameter.name)):
            raise click.UsageError(f"{parameter.opts[0]} requires {needed}")


def _reading(source: str) -> AbstractContextManager[object]:
    """Return a status line for a terminal while a large file is being read."""
    path = Path(source)
    if not (sys.stderr.isatty() and path.is_file() and path.stat().st_size > _MOMENT):
        return nullcontext()
    from rich.console import Console
    from rich.text import Text

    return Console(stderr=True).status(Text(f"reading {printable(source)}, {path.stat().st_size / 1e6:,.0f} MB"))


def metrics_option(text: str) -> Callable[[F], F]:
    """Return the option ``--metric``; its help begins with `text`."""
    return click.option(
        "--metric",
        "metrics",
        type=METRIC,
        multiple=True,
        default=("mrr", "recall@5", "recall@10", "auc"),
        show_default=True,
        help=f"{text} Repeatable. precision, recall, ndcg, ap, map_cut, psp, psndcg and coverage accept any k, "
        "as in psp@5.",
    )


def is_given(name: str) -> bool:
    """Return whether an option was given on the command line."""
    return click.get_current_context().get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def examples(*commands: str) -> str:
    """Return the epilog of a command's help: example calls."""
    title = "Example" if len(commands) == 1 else "Examples"
    # \b keeps click from rewrapping the paragraph.
    return "\n".join(["\b", f"{title}:", *(f"  {command}" for command in commands)])


def output_option(metavar: str) -> Callable[[F], F]:
    """Return the option ``-o``: the file to write."""
    return click.option(
        "-o",
        "--output",
        type=OUTPUT,
        required=True,
        metavar=metavar,
        help="File to write; an existing file is replaced.",
    )


def set_option(text: str) -> Callable[[F], F]:
    """Return the option ``--set`` and the options for reading its table; `known_set` loads it."""

    def decorate(command: F) -> F:
        return click.option("--set", "source", metavar="SET", help=text)(table_options(command))

    return decorate


def known_set(source: str, model: Annotator) -> AnnotationSet:
    """Load the data set given with ``--set``; labels that the model does not know are skipped with a warning."""
    from vsenumba.evaluation.known_labels import with_known_labels

    return with_known_labels(load_set(source), model.label_names, source)[0]


def names_in(text: str, option: str) -> list[str]:
    """Return the names in a line of comma-separated values; a quoted name may contain a comma."""
    try:
        row = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error as error:
        raise click.UsageError(f"{option} expects comma-separated labels on one line: {error}") from error
    return [name.strip() for name in row if name.strip()]


def limit_threads(threads: int | None) -> None:
    """Limit BLAS, which multiplies matrices outside the package's kernels, to `threads` until the command ends."""
    if threads is not None:
        from threadpoolctl import threadpool_limits

        click.get_current_context().with_resource(threadpool_limits(threads, user_api="blas"))


def check_output(output: Path, *inputs: str | Path, streams: bool = False) -> None:
    """Check, before the work starts, that a file can be written and is not one of the inputs.

    With `streams`, the output may also be a pipe or a device.
    """
    from vsenumba.storage import check_writable, exists

    for path in map(Path, inputs):
        if exists(path) and exists(output) and output.samefile(path):
            raise InputError(f"cannot write {output}: it is also an input file; choose another name")
    check_writable(output, streams=streams)


def check_native_output(output: Path, *inputs: str | Path) -> None:
    """Check, before the work starts, that a native file can be written; see `check_output`."""
    check_output(output, *inputs)
    if output.suffix.lower() in _OTHER_FORMATS:
        raise InputError(f"cannot write {output}: the file is HDF5, not {output.suffix}; choose a name ending in .h5")


def prepare_folder(folder: Path, names: Iterable[str], *, force: bool) -> list[Path]:
    """Create a folder, check that the files can be written in it, and return their paths.

    A file named with ``-o`` is always replaced. Files in a folder are not named by the user, so existing ones are
    only replaced with `force`.
    """
    from vsenumba.storage import check_writable

    paths = [folder / name for name in names]
    there = [path.name for path in paths if path.exists()]
    if there and not force:
        raise InputError(
            f"{folder} already contains {', '.join(there)}; choose another folder with --out, or overwrite with --force"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot create the folder {folder}: {error.strerror or error}") from error
    for path in paths:
        check_writable(path)
    return paths
