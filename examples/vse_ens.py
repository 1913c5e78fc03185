"""VSE-ens (Guo et al., AAAI 2018): the adaptive sampler against WARP.

The paper's model, an image as a row of its own, is trained with the paper's sampler and its rivals, each with each
loss. The table says how good each got, and how many times sooner than WARP it reached WARP's best. The paper's headline
is 5.02, 2.06 and 2.5 times on its three sets, against a WARP without the rank weight and with plain SGD.

    python examples/vse_ens.py [SET] [--epochs N] [--seeds N] [--factors K]

SET is the set that ships by default. Findings on that set stand in the README.
"""

from __future__ import annotations

import argparse

import vsenumba as vse

SAMPLERS = ("uniform", "warp", "adaptive")
LOSSES = ("hinge", "warp", "logistic")


def main() -> None:
    """Train, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", nargs="?", default="openclipart")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--factors", type=int, default=100, help="100 in the paper")
    arguments = parser.parse_args()
    data = vse.load_dataset(arguments.set)
    print(data)
    print("loss      sampler   best MRR (range)        M steps/s   WARP's best reached, times sooner (of seeds)")
    for loss in LOSSES:
        comparison, _ = vse.compare(
            data,
            samplers=SAMPLERS,
            loss=loss,
            inputs="ids",
            n_epochs=arguments.epochs,
            n_seeds=arguments.seeds,
            n_factors=arguments.factors,
            learning_rate=0.1,
            n_negatives=1,
        )
        for sampler, result in comparison.to_json()["samplers"].items():
            best, faster = result["best"], result["speed_up_against_warp"]
            sooner = (
                "never" if faster["median"] is None else f"{faster['median']:.1f}x ({faster['n']} of {faster['of']})"
            )
            print(
                f"{loss:9} {sampler:9} {best['median']:.3f} ({best['min']:.3f}-{best['max']:.3f})"
                f"{result['steps_per_second']['median'] / 1e6:16.2f}   {sooner}"
            )
    for name, value in comparison.reference_values("mrr").items():
        print(f"{name}: {value:.3f}")


if __name__ == "__main__":
    main()
