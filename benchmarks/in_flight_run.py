"""One run of `benchmarks in-flight`, in a process that sets the length of a block before it imports the loop."""

from __future__ import annotations

import json
import os
import sys
import warnings

job = json.load(sys.stdin)
sys.path[:] = job.pop("path")
# Compiled code in the cache has other constants.
os.environ["VSENUMBA_CACHE"] = "0"

from vsenumba.training.annotation import layout  # noqa: E402  # needs the path and the variable that are set above

layout.BLOCK = job["pairs"]
layout.SCRATCH, layout.VECTOR_ROWS = 2 * layout.BLOCK, 2 * layout.BLOCK + 1

from vsenumba import ImageAnnotator, evaluate, leave_one_out, load_dataset  # noqa: E402  # imports the loop, which must see the changed layout
from vsenumba.training.annotation.task import Task  # noqa: E402  # imports the loop, which must see the changed layout

# Use one shard, because a block ends where its shard ends.
Task.__init__.__kwdefaults__["n_shards"] = 1

warnings.simplefilter("ignore")
found = []
for seed in range(job["seeds"]):
    train, test = leave_one_out(load_dataset(job["set"]), rng=seed)
    model = ImageAnnotator(
        job["inputs"], n_epochs=job["epochs"], max_neighbours=0, n_threads=1, random_state=seed
    ).fit(train)  # fmt: skip
    found.append(float(evaluate(model, test, exclude=train, metrics=("mrr",)).mean["mrr"]))
print(json.dumps({"mrr": found}))
