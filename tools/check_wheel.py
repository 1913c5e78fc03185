"""Check what a wheel holds: the package, its data, its licence, and nothing else; and that it is small.

python tools/check_wheel.py dist/vsenumba-0.1.0-py3-none-any.whl
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

LARGEST = 3_000_000


def main(path: str) -> int:
    """Print what is wrong; return the exit status."""
    wrong = []
    size = Path(path).stat().st_size
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
    if not path.endswith("-py3-none-any.whl"):
        wrong.append(f"{path} is not a pure Python wheel")
    if size > LARGEST:
        wrong.append(f"{path} has {size:,} bytes, more than {LARGEST:,}")
    page = [f"vsenumba/reports/page.{ending}" for ending in ("html.jinja", "css", "js")]
    for needed in ("vsenumba/__init__.py", "vsenumba/py.typed", "vsenumba/data/shipped/openclipart.h5", *page):
        if needed not in names:
            wrong.append(f"{needed} is missing")
    if not any(name.endswith("licenses/LICENSE") for name in names):
        wrong.append("the licence is missing")
    for name in names:
        if not name.startswith(("vsenumba/", "vsenumba-")) or "__pycache__" in name:
            wrong.append(f"{name} should not be in it")
    for line in wrong:
        print(line)
    print(f"{Path(path).name}: {len(names)} files, {size:,} bytes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
