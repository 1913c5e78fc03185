"""The report of ``vsenumba sampler show``: a sampler's distribution for one image, in numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vsenumba.cli.output import say, table
from vsenumba.printable import counted, printable

if TYPE_CHECKING:
    from vsenumba.data import Vocabulary
    from vsenumba.experiments import SamplerLaw
    from vsenumba.samplers import Sampler

N_PROBABLE = 5


def described(sampler: Sampler) -> str:
    """Return a sampler's name with its numeric parameters and any other parameters that are not the default."""
    defaults = {field.name: field.default for field in dataclasses.fields(sampler)}
    parameters = [
        f"{name}={value}"
        for name, value in dataclasses.asdict(sampler).items()
        if isinstance(value, (int, float)) or value != defaults[name]
    ]
    return f"{sampler.name} ({', '.join(parameters)})" if parameters else sampler.name


def law_report(law: SamplerLaw, label_names: Vocabulary) -> dict[str, Any]:
    """Return the facts of a sampler's distribution as JSON values; ranks begin at 1."""
    import numpy as np

    n_returned = max(law.n_draws - law.n_given_up, 1)
    probable = [int(rank) for rank in np.argsort(-law.law, kind="stable")[:N_PROBABLE] if law.law[rank] > 0]
    return {
        "n_draws": law.n_draws,
        "n_given_up": law.n_given_up,
        "skip_probability": law.skip_probability,
        "p_value": law.p_value,
        "total_variation": {"rank": law.from_rank, "uniform": law.from_uniform},
        "violation_probability": {"margin_1": law.violation, "margin_0": law.misranked},
        "gradient_weight": law.gradient_weight,
        "most_probable": [
            {
                "label": label_names[int(law.labels[rank])],
                "rank": rank + 1,
                "probability": float(law.law[rank]),
                "share_of_draws": float(law.counts[rank] / n_returned),
            }
            for rank in probable
        ],
    }


def show_report(report: Mapping[str, Any], sampler: str, n_others: int) -> None:
    """Print the result of `law_report`, with the sampler and the image."""
    own = report["own_labels"]
    distance, violation = report["total_variation"], report["violation_probability"]
    say(f"sampler   {sampler}")
    labels = f"{counted(len(own), 'label')} ({', '.join(own)})"
    say(printable(f"image     {report['image']}, with {labels}; {n_others:,} labels can be negatives"))
    n_draws, n_given_up = report["n_draws"], report["n_given_up"]
    say(f"draws     {n_draws:,}, {n_given_up:,} skipped (skip probability {report['skip_probability']:.3f})")
    if not report["most_probable"]:
        say("result    no label can be drawn")
    else:
        if n_given_up < n_draws:
            say(f"G-test    p-value {report['p_value']:.3f} of the draws under the exact distribution")
        say(
            f"distance  {distance['rank']:.3f} from the exact rank distribution, {distance['uniform']:.3f} from uniform"
        )
        above, within = violation["margin_0"], violation["margin_1"]
        say(f"negative  scores above a known label with probability {above:.3f}, violates margin 1 with {within:.3f}")
        say(f"gradient  mean weight {report['gradient_weight']:.3f} under the logistic loss")
        rows = [
            [one["label"], f"{one['rank']:,}", f"{one['probability']:.4f}", f"{one['share_of_draws']:.4f}"]
            for one in report["most_probable"]
        ]
        say()
        say(table(["most probable label", "rank", "probability", "share of draws"], rows, "lrrr"))
    say(f"\nsaved {report['figure']}")
