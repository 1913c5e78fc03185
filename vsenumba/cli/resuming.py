"""Training that is interrupted and goes on: ``--checkpoint-every``, ``--resume``, and what is said of the two."""

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
    "--checkpoint-every", type=options.POSITIVE, help="Save all that --resume needs after every so many epochs."
)
resume_option = click.option(
    "--resume", is_flag=True, help="Go on from the checkpoint in MODEL.h5, with the same data."
)

# Options of the model beside those that are its parameters.
_OF_THE_MODEL = {"settings", "seed"}


def checkpoint_in(
    output: Path, kind: type[M], fixed: Collection[str] = (), is_last: Callable[[M], bool] = lambda model: True
) -> M:
    """Return the model to go on with, for a command that was given ``--resume``.

    Parameters
    ----------
    output : Path
        The file that holds the checkpoint.
    kind : class
        What the model must be.
    fixed : collection of str
        Parameters of the command, beside the model's, that only the start of a training takes.
    is_last : callable
        Tells of a model whose epochs are all done whether no other is trained after it.

    Raises
    ------
    click.UsageError
        If the command was given an option that is the checkpoint's to say.
    InputError
        If the file is not there, is no checkpoint, or nothing is left to be done.
    """
    from vsenumba.models import load_model
    from vsenumba.storage import exists

    context = click.get_current_context()
    for parameter in _given(context):
        if _is_of_the_model(parameter) or parameter.name in fixed:
            raise click.UsageError(
                f"{parameter.opts[0]} cannot be given with --resume, which goes on as training began"
            )
    if not exists(output):
        raise InputError(f"nothing to resume: there is no {output}; the first time, leave --resume out")
    model = load_model(output, kind)
    done = len(model.history_)
    if done >= model.n_epochs and is_last(model):
        raise InputError(f"nothing to resume: all {done} epochs of {output} are done")
    if not model.is_resumable_:
        raise InputError(
            f"{output} is no checkpoint: it was saved when its training had ended, after epoch {done}; only what "
            "--checkpoint-every saved can be resumed"
        )
    return model


@contextmanager
def interruptible(model: Trained, output: Path, saving: Checkpoint | None) -> Iterator[None]:
    """Say, where the training in the block is interrupted, what is saved and how to go on.

    A termination, as by ``kill`` or a cluster's scheduler, interrupts it like Ctrl-C.

    Parameters
    ----------
    model : Trained
        What is trained; one that goes on from a checkpoint has a history.
    output : Path
        Where checkpoints are.
    saving : Checkpoint or None
        What saves them.
    """
    saved = len(getattr(model, "history_", ()))
    # Of a program's threads only the main one can say what a signal does.
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
        return f"{said}; {output} holds epoch {saved}; go on with: {again}"
    return f"{said}; nothing was saved: with --checkpoint-every N, every N epochs are, and --resume goes on from there"


def _given(context: click.Context) -> list[click.Parameter]:
    return [parameter for parameter in context.command.params if options.is_given(str(parameter.name))]


def _is_of_the_model(parameter: click.Parameter) -> bool:
    return isinstance(parameter, options.ParameterOption) or parameter.name in _OF_THE_MODEL


def _words_again(context: click.Context) -> list[str]:
    """Return the command as it was given, without what a checkpoint knows, and with ``--resume``."""
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
