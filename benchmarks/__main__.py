"""`python -m benchmarks NAME ...` runs one of the benchmarks; without a name it lists them."""

from __future__ import annotations

import importlib
import sys

from vsenumba.errors import VsenumbaError

BENCHMARKS = {
    "sampler-cost": "what a step costs with each sampler, against the number of labels",
    "sampler-laws": "how far the adaptive law is from the exact rank law",
    "sampler-convergence": "how fast training converges with each sampler, and with those that were tried and left out",
    "peers": "how good, how fast and how large this package is beside LightFM, implicit and EASE",
    "sets": "make the sets of `peers` from the files that others published",
    "pace": "steps a second beside LightFM's and implicit's, on one thread and more, and the machine's bounds",
    "inputs": "how good a model is with each kind of input, and with their sums",
    "scale": "time and memory of training, up to all of OpenImages and to a million labels",
    "import-rows": "time and memory of importing a table as large as that of Open Images",
    "evaluation": "how fast evaluation is beside implicit and LightFM",
    "asking": "how fast a model suggests labels and finds images, and in how much memory",
    "retrieval": "whether poolings and objectives equal PyTorch's, and how long a training step takes",
    "words": "how fast and how good word vectors are beside gensim's",
    "pictures": "how many pictures a second are decoded and described",
    "features": "how good suggestions are for pictures that nobody tagged, beside other ways",
    "robustness": "what becomes of 10,000 damaged and crafted files",
    "paper-sizes": "seconds for what took the VSE-ens paper hours, on planted sets of its sizes",
    "cluster": "how good a model is that a cluster trained, and how much is sent for it",
    "plan": "what `vsenumba plan` foretells, up to 10^11 pairs, beside what was measured",
    "gpu": "a card beside the processor: whether both are right, and how fast each is",
    "in-flight": "how many pairs may be trained at a time, as on a card, before a model is worse for it",
    "gpu-kernels": "registers of the kernels for cards, compiled without one",
    "vse-ens": "how much sooner than WARP the sampler of VSE-ens is, at the paper's sizes and by the number of labels",
}


def main(arguments: list[str]) -> int:
    """Run the benchmark that the first argument names."""
    if not arguments or arguments[0] not in BENCHMARKS:
        print("usage: python -m benchmarks NAME ...\n")
        for name, line in BENCHMARKS.items():
            print(f"  {name:20} {line}")
        return 0 if arguments in ([], ["--help"]) else 2
    module = importlib.import_module("benchmarks." + arguments[0].replace("-", "_"))
    try:
        module.main(arguments[1:])
    except VsenumbaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
