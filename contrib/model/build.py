"""Makes a model: speech of voices, speech of people, training, model directory, table. What is done is not done again.

    python -m contrib.model.build --work DIR --recordings DIR --kokoro DIR --start network.pt

Each stage can be stopped and goes on where it was when the command is given again; ``--until train`` stops before the
stages behind it. ``--short`` does all stages in some minutes, to see that they work: its model is worth nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

BUNDLED = Path(__file__).parents[2] / "agent" / "speech" / "models" / "vosk-model-tiny-en-us-phone"

MINUTES = {"kokoro": 20.0, "hibari": 40.0, "flite_awb": 8.0, "flite_kal16": 4.0}
"""How much speech of each synthetic voice is made."""
SHARES = {
    "kokoro": 0.24,
    "hibari": 0.22,
    "flite_awb": 0.08,
    "flite_kal16": 0.04,
    "an4": 0.24,
    "speech_commands": 0.18,
}
"""How often each source is heard. The voices that earlier models heard keep a third, or they are forgotten."""
TRAINING_MINUTES, MOST_STEPS = 25.0, 3000
KEPT = 0.5
"""The share of the network that training began with in the one that is exported."""
STAGES = ("synthesise", "people", "train", "export", "evaluate")


def stages(options: argparse.Namespace) -> dict[str, Callable[[], None]]:
    """What each stage does. What only one of them needs is imported there."""
    work: Path = options.work
    speech, model = work / "speech", work / "model"
    part = 0.01 if options.short else 1.0

    def synthesise() -> None:
        from contrib.model.synthesise import synthesise as make

        make(speech, options.kokoro, {name: minutes * part for name, minutes in MINUTES.items()}, list(MINUTES))

    def people() -> None:
        from contrib.model.people import collect_people

        collect_people(options.recordings, speech)

    def train() -> None:
        from contrib.model.train import Plan
        from contrib.model.train import train as run

        plan = Plan(steps=4 if options.short else MOST_STEPS, minutes=TRAINING_MINUTES)
        run(speech, SHARES, work / "training", options.start, plan)

    def export() -> None:
        from contrib.model.export import export as write
        from contrib.model.export import mean_of

        mean_of(options.start, work / "training" / "network.pt", KEPT, work / "mean.pt")
        write(work / "mean.pt", options.like, model)

    def evaluate() -> None:
        from contrib.model.evaluate import evaluate as measure

        table = measure([options.like, model], options.recordings)
        (work / "people.md").write_text(table + "\n", encoding="utf-8")
        print(table)

    return dict(zip(STAGES, (synthesise, people, train, export, evaluate), strict=True))


def main(arguments: Sequence[str] | None = None) -> None:
    """Do the stages up to the last one wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--recordings", type=Path, required=True, help="people's speech (README.md)")
    parser.add_argument("--kokoro", type=Path, required=True, help="the network and the voices of Kokoro-82M")
    parser.add_argument("--start", type=Path, required=True, help="the checkpoint to train further")
    parser.add_argument("--like", type=Path, default=BUNDLED, help="the model whose words and settings are taken")
    parser.add_argument("--until", choices=STAGES, default=STAGES[-1])
    parser.add_argument("--short", action="store_true", help="all stages in some minutes")
    options = parser.parse_args(arguments)
    todo = stages(options)
    for name in STAGES[: STAGES.index(options.until) + 1]:
        print(f"== {name}", flush=True)
        todo[name]()


if __name__ == "__main__":
    main()
