"""Run a job in a separate process: the job and its results are JSON on standard input and output.

The memory, the compilation and the imports of the measurement are then those of the job alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def in_own_process(script: str, job: Mapping[str, Any]) -> dict[str, Any]:
    """Run a job with a script of this folder and the search path of this process; return its result."""
    child = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(script))],
        input=json.dumps({**job, "path": sys.path}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(child.stdout)
