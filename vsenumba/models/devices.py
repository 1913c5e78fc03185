"""Where a model can be trained, by name; a device is imported when it is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vsenumba.training.annotation.device import Device
from vsenumba.training.annotation.host import HostDevice
from vsenumba.training.text.device import TextDevice
from vsenumba.training.text.host import HostTextDevice


def _cuda() -> type[Device]:
    from vsenumba.gpu.device import CudaDevice

    return CudaDevice


def _cuda_for_text() -> type[TextDevice]:
    from vsenumba.gpu.text_device import CudaTextDevice

    return CudaTextDevice


DEVICES: Mapping[str, Callable[[], type[Device]]] = {"cpu": lambda: HostDevice, "cuda": _cuda}
TEXT_DEVICES: Mapping[str, Callable[[], type[TextDevice]]] = {"cpu": lambda: HostTextDevice, "cuda": _cuda_for_text}


def require_device(name: str) -> None:
    """Make sure that a device is there; that of the processor always is.

    Raises
    ------
    DeviceError
        If it is not; the message says what is missing and how to get it.
    """
    if name == "cuda":
        from vsenumba.gpu.backend import require_card

        require_card()
