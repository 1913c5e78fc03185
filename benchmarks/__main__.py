"""Run a benchmark with `python -m benchmarks NAME ...`, or list all benchmarks without a name."""

from __future__ import annotations

import importlib
import sys

from vsenumba.errors import VsenumbaError

BENCHMARKS = {
    "sampler-cost": "time of a training step with each sampler, by number of labels",
    "sampler-laws": "distance of the adaptive law from the exact rank law",
    "sampler-convergence": "convergence with each sampler of the package, and with rejected ones",
    "peers": "accuracy, speed and memory compared with LightFM, implicit and EASE",
    "sets": "create the sets for `peers` from published files",
    "pace": "steps per second compared with LightFM, implicit and hardware limits",
    "inputs": "accuracy with each kind of input, and with sums of inputs",
    "scale": "time and memory of training, up to all of OpenImages and to a million labels",
    "import-rows": "time and memory of importing a table as large as that of Open Images",
    "evaluation": "speed of evaluation compared with implicit and LightFM",
    "asking": "speed and memory of suggesting labels and finding images",
    "retrieval": "poolings and objectives compared with PyTorch: values and time",
    "words": "speed and accuracy of word vectors compared with gensim",
    "pictures": "pictures decoded and described per second",
    "features": "suggestions for pictures without tags, compared with other methods",
    "robustness": "outcomes of loading 10,000 damaged and crafted files",
    "paper-sizes": "training time on planted sets of the sizes in the VSE-ens paper",
    "cluster": "accuracy of training on a cluster, and the bytes sent",
    "plan": "estimates of `vsenumba plan` for up to 10^11 pairs, compared with measurements",
    "gpu": "a GPU compared with the CPU: correctness and speed",
    "in-flight": "accuracy by the number of pairs trained at once, as on a GPU",
    "gpu-kernels": "registers of the GPU kernels, compiled without a GPU",
    "vse-ens": "time to WARP's accuracy with the sampler of VSE-ens, at the paper's sizes and by number of labels",
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
