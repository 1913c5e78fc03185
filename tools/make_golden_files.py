"""Write the golden files of the current format versions that are not in ``tests/golden`` yet.

    python tools/make_golden_files.py

Files that are there are left alone: that they still read is what they are for.
"""

from __future__ import annotations

import sys
from pathlib import Path

from vsenumba.storage import FILE_VERSIONS, write_file

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from golden_files import CONTENTS, golden_path


def main() -> None:
    """Write what is missing."""
    for (kind, version), elements in CONTENTS.items():
        path = golden_path(kind, version)
        if version == FILE_VERSIONS[kind] and not path.exists():
            path.parent.mkdir(exist_ok=True)
            write_file(path, kind, elements)
            print(f"wrote {path}")


if __name__ == "__main__":
    main()
