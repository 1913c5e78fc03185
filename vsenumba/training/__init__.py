"""Training: the loop over epochs, callbacks, optimisers, schedules, and the compiled loops of each task."""

from vsenumba.training.callbacks import Callback, Checkpoint, EarlyStopping, TimeBudget
from vsenumba.training.history import History
from vsenumba.training.optimisers import OPTIMISERS, RowAdagrad, Sgd
from vsenumba.training.progress import ProgressBar
from vsenumba.training.schedules import SCHEDULES

__all__ = [
    "OPTIMISERS",
    "SCHEDULES",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "History",
    "ProgressBar",
    "RowAdagrad",
    "Sgd",
    "TimeBudget",
]
