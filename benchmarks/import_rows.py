"""Measure the time and memory of importing a table as large as that of Open Images.

    python -m benchmarks import-rows --rows 60000000 --out FOLDER

The benchmark writes tables of random rows, and reads each in a separate process. `pairs` has an image and a label per
row. `open-images` has the published columns ``ImageID,Source,LabelName,Confidence``, with labels by machines and by
people, and with rows for verified absences. The rows of an image are next to each other, as in Open Images, unless you
give ``--shuffled``. Peak memory is that of the whole process. The measured call is `load_dataset`, with the file in the
page cache.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from benchmarks.own_process import in_own_process

FORMS = ("pairs", "open-images")
_BLOCK = 500_000
N_LABELS = 20_000
ROWS_AN_IMAGE = 60 / 9


def main(arguments: Sequence[str]) -> None:
    """Measure, print a table, and write `import_rows.json`."""
    parser = argparse.ArgumentParser(prog="benchmarks import-rows", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 60_000_000])
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--shuffled", action="store_true", help="rows in random order")
    parser.add_argument("--folder", type=Path, help="folder for the tables, which are deleted afterwards")
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args(arguments)
    results = []
    print("| table | rows | MB | images | labels | pairs | s | million rows/s | peak GB |\n|" + "---|" * 9)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for form in options.forms:
            for n_rows in options.rows:
                path = Path(folder) / f"{form}.csv"
                write_table(path, form, n_rows, shuffled=options.shuffled)
                runs = [in_own_process("import_rows_run.py", {"file": str(path)}) for _ in range(options.repeats)]
                best = min(runs, key=lambda run: run["seconds"])
                result = {"form": form, "n_rows": n_rows, "bytes": path.stat().st_size, **best, "runs": runs}
                results.append(result)
                print(
                    f"| {form} | {n_rows:,} | {result['bytes'] / 1e6:,.0f} | {best['n_images']:,} | "
                    f"{best['n_labels']:,} | {best['n_pairs']:,} | {best['seconds']:.1f} | "
                    f"{n_rows / best['seconds'] / 1e6:.2f} | {max(run['peak_bytes'] for run in runs) / 1e9:.2f} |",
                    flush=True,
                )
                path.unlink()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "import_rows.json").write_text(json.dumps({"machine": machine(), "results": results}, indent=1))


def write_table(path: Path, form: str, n_rows: int, *, shuffled: bool = False) -> None:
    """Write a table of random rows."""
    with path.open("wb") as file:
        file.write(b"ImageID,Source,LabelName,Confidence\n" if form == "open-images" else b"image,label\n")
        for block in _blocks(form, n_rows, shuffled=shuffled):
            file.write(block)


def _blocks(form: str, n_rows: int, *, shuffled: bool) -> Iterator[bytes]:
    rng = np.random.default_rng(0)
    n_images = max(round(n_rows / ROWS_AN_IMAGE), 1)
    names = rng.permutation(16**6)[:N_LABELS]
    frequency = 1 / np.arange(1, N_LABELS + 1)
    ends = np.cumsum(frequency / frequency.sum())
    for start in range(0, n_rows, _BLOCK):
        n = min(_BLOCK, n_rows - start)
        images = rng.integers(n_images, size=n) if shuffled else (start + np.arange(n)) * n_images // n_rows
        labels = names[np.minimum(np.searchsorted(ends, rng.random(n)), N_LABELS - 1)]
        # Ids have 16 hexadecimal digits, as published. An odd factor maps different numbers to different ids.
        parts = [_digits(images.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15), 16), _texts([","], np.zeros(n, int))]
        kind = rng.integers(10, size=n)
        if form == "open-images":
            parts.append(_texts(["machine,", "verification,"], (kind >= 6).astype(int)))
        parts += [_texts(["/m/"], np.zeros(n, int)), _digits(labels.astype(np.uint64), 6)]
        if form == "open-images":
            score = np.where(kind < 6, rng.integers(5, size=n), np.where(kind < 8, 5, 6))
            parts.append(_texts([",0.5", ",0.6", ",0.7", ",0.8", ",0.9", ",1", ",0"], score))
        parts.append(_texts(["\n"], np.zeros(n, int)))
        table = np.concatenate(parts, axis=1)
        yield table[table != 0].tobytes()


def _digits(numbers: np.ndarray, n: int) -> np.ndarray:
    """Return numbers in hexadecimal digits, (len(numbers), n) uint8."""
    shifts = np.arange(4 * (n - 1), -4, -4).astype(np.uint64)
    return np.frombuffer(b"0123456789abcdef", np.uint8)[(numbers[:, None] >> shifts) & np.uint64(15)]


def _texts(texts: Sequence[str], which: np.ndarray) -> np.ndarray:
    """Return selected texts, padded with zeros, (len(which), longest) uint8."""
    longest = max(map(len, texts))
    return np.frombuffer("".join(text.ljust(longest, "\0") for text in texts).encode(), np.uint8).reshape(
        len(texts), longest
    )[which]
