"""Training of image annotation: pairs of an image and a label, with negatives that a sampler draws."""

from __future__ import annotations

from vsenumba.training.annotation.device import Device
from vsenumba.training.annotation.host import HostDevice

DEVICES: dict[str, type[Device]] = {device.name: device for device in (HostDevice,)}

__all__ = ["DEVICES", "Device", "HostDevice"]
