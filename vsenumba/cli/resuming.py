"""Interrupting and continuing a training: ``--checkpoint-every`` and ``--resume``."""

from __future__ import annotations

import shlex
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vsenumba.cli import options
from vsenumba.errors import InputError

if TYPE_CHECKING:
    from vsenumba.models.trained import Trained
    from vsenumba.training import Checkpoint

M = TypeVar("M", bound="Trained")

checkpoint_option = click.option(
    "--checkpoint-every", type=options.POSITIVE, help="Save a checkpoint for --resume every N epochs."
)
resume_option = click.option(
    "--resume", is_flag=True, help="Continue from the checkpoint in MODEL.h5, with the same data."
)

# Options that belong to the model, besides its parameters.
_OF_THE_MODEL = {"settings", "seed"}


def checkpoint_in(
    output: Path, kind: type[M], fixed: Collection[str] = (), is_last: Callable[[M], bool] = lambda model: True
) -> M:
    """Return the model to continue with, for a command that was given ``--resume``.

    Parameters
    ----------
    output : Path
        The file that holds the checkpoint.
    kind : class
        The expected class of the model.
    fixed : collection of str
        Parameters of the command, besides the model's, that are only allowed at the start of a training.
    is_last : callable
        Returns whether no other model is trained after this one, once all its epochs are done.

    Raises
    ------
    click.UsageError
        If the command was given an option whose value the checkpoint stores.
    InputError
        If the file is missing, is not a checkpoint, or its training is complete.
    """
    from vsenumba.models import load_model
    from vsenumba.storage import exists

    context = click.get_current_context()
    for parameter in _given(context):
        if _is_of_the_model(parameter) or parameter.name in fixed:
            raise click.UsageError(
                f"{parameter.opts[0]} cannot be combined with --resume; the checkpoint stores this setting"
            )
    if not exists(output):
        raise InputError(f"nothing to resume: {output} does not exist; leave out --resume to start a training")
    model = load_model(output, kind)
    done = len(model.history_)
    if done >= model.n_epochs and is_last(model):
        raise InputError(f"nothing to resume: all {done} epochs of {output} are done")
    if not model.is_resumable_:
        raise InputError(
            f"{output} is not a checkpoint: its training ended after epoch {done}; --resume needs a file that "
            "--checkpoint-every saved"
        )
    return model


@contextmanager
def interruptible(model: Trained, output: Path, saving: Checkpoint | None) -> Iterator[None]:
    """If the training in the block is interrupted, report what is saved and how to continue.

    A termination signal, as from ``kill`` or a cluster's scheduler, interrupts the training like Ctrl-C.

    Parameters
    ----------
    model : Trained
        The model; it has a history if it continues from a checkpoint.
    output : Path
        The checkpoint file.
    saving : Checkpoint or None
        The callback that saves checkpoints.
    """
    saved = len(getattr(model, "history_", ()))
    # Only the main thread may set signal handlers.
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if main else None
    try:
        yield
    except KeyboardInterrupt:
        saved = max(saved, 0 if saving is None else saving.saved_epoch_)
        done = len(getattr(model, "history_", ()))
        raise KeyboardInterrupt(_what_is_saved(done, saved, output)) from None
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def _what_is_saved(done: int, saved: int, output: Path) -> str:
    said = f"interrupted after epoch {done}" if done else "interrupted in the first epoch"
    if saved:
        again = shlex.join(_words_again(click.get_current_context()))
        return f"{said}; epoch {saved} is saved in {output}. Continue with: {again}"
    return f"{said}; nothing was saved. To be able to continue, train with --checkpoint-every N"


def _given(context: click.Context) -> list[click.Parameter]:
    return [parameter for parameter in context.command.params if options.is_given(str(parameter.name))]


def _is_of_the_model(parameter: click.Parameter) -> bool:
    return isinstance(parameter, options.ParameterOption) or parameter.name in _OF_THE_MODEL


def _words_again(context: click.Context) -> list[str]:
    """Return the command as it was given, with ``--resume`` and without the settings that a checkpoint stores."""
    words = context.command_path.split()
    for parameter in _given(context):
        value: Any = context.params[str(parameter.name)]
        if _is_of_the_model(parameter) or parameter.name == "resume":
            continue
        if isinstance(parameter, click.Argument):
            words += map(str, value) if isinstance(value, tuple) else [str(value)]
        elif isinstance(parameter, click.Option) and parameter.is_flag:
            words.append(parameter.opts[0])
        else:
            for one in value if isinstance(value, tuple) else [value]:
                words += [parameter.opts[0], str(one)]
    return [*words, "--resume"]
