"""Where a model can be trained, by name; a device is imported when it is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vsenumba.training.annotation.device import Device
from vsenumba.training.annotation.host import HostDevice


def _cuda() -> type[Device]:
    from vsenumba.gpu.device import CudaDevice

    return CudaDevice


DEVICES: Mapping[str, Callable[[], type[Device]]] = {"cpu": lambda: HostDevice, "cuda": _cuda}
