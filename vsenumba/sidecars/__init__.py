"""XMP sidecars: add tags next to pictures, never in them, and remove exactly these tags again."""

from vsenumba.sidecars.locations import Sidecars
from vsenumba.sidecars.packet import Packet
from vsenumba.sidecars.tagging import SidecarChange, tag_sidecar, tag_sidecars, undo_sidecars

__all__ = ["Packet", "SidecarChange", "Sidecars", "tag_sidecar", "tag_sidecars", "undo_sidecars"]
