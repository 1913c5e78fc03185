"""Print the oldest versions that pyproject.toml allows, as constraints for pip.

python tools/oldest_versions.py > oldest.txt && pip install ".[test,ann]" --constraint oldest.txt
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

# Extras whose packages need a GPU, or only serve to be measured against.
NOT_TESTED = {"bench", "cuda12", "cuda13", "docs"}

# Limits for packages that the oldest versions depend on: Matplotlib 3.10 calls functions that pyparsing 3.3 deprecates,
# and warnings are errors in tests.
BESIDE = ("pyparsing<3.3",)

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def oldest(project: dict) -> dict[str, str]:
    """Return the lower bound of each required package, by the package's name.

    Raises `ValueError` if a requirement has no lower bound, or if two requirements give a package different bounds.
    """
    bounds: dict[str, str] = {}
    extras = project["optional-dependencies"]
    tested = [extras[name] for name in extras if name not in NOT_TESTED]
    for requirement in sum(tested, start=project["dependencies"]):
        found = re.fullmatch(r"([\w.-]+)>=([\d.]+)", requirement)
        if found is None:
            raise ValueError(f"{requirement!r} is not of the form name>=version")
        name, bound = found.groups()
        if bounds.setdefault(name, bound) != bound:
            raise ValueError(f"{name} has two lower bounds: {bounds[name]} and {bound}")
    return bounds


def main() -> int:
    """Print one constraint in each line."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    for name, bound in sorted(oldest(project).items()):
        print(f"{name}=={bound}")
    print(*BESIDE, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
