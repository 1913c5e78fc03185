"""A job in a process of its own: it comes in as JSON on standard input, what it measured goes out as JSON.

What a measurement takes in memory, compiles or imports is then that of the job alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def in_own_process(script: str, job: Mapping[str, Any]) -> dict[str, Any]:
    """Have a script of this folder do a job, with the search path of this process; return its answer."""
    child = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(script))],
        input=json.dumps({**job, "path": sys.path}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(child.stdout)
