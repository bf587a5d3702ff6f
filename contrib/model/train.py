"""Trains a network further on the speech that was made and collected; a run that was stopped goes on.

Every fifty steps ``training.pt`` is written with all that a run needs to go on, and ``network.pt`` with the running
mean of the weights, which is what is exported and measured. The learning rate falls to ``FINAL_RATE`` of where it
began, by steps or by minutes, whichever ends first.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from contrib.model.batches import Batch, Batches
from contrib.model.mmi import MutualInformation, phone_trigram
from contrib.model.network import Network
from contrib.model.pronunciation import PHONE_NUMBER, PHONES, dictionary, unknown_words
from contrib.model.speech_files import Speech

FINAL_RATE = 0.03
SECOND_HEAD_WEIGHT = 0.15
SMALL_SCORES_WEIGHT = 2.5e-5
"""Weights of the second head's loss and of the penalty on large scores."""
MEAN_DECAY = 0.995
SAVE_EVERY = 50


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train."""

    steps: int
    minutes: float
    rate: float = 7e-4
    warm_up: int = 15
    """Steps until the learning rate is reached."""
    batch_seconds: float = 75.0
    seed: int = 31


def as_it_is(batch: Batch) -> Batch:
    """Keep the loader from turning the arrays of a batch into tensors."""
    return batch


def phones_said(speech: Speech, sayings: int = 5000, seed: int = 5) -> list[list[int]]:
    """Phones of some of the texts, with pauses, for the trigram of what sounds possible."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice, nothing secret
    sequences = []
    for utterance in rng.sample(speech.utterances, min(len(speech.utterances), sayings)):
        words = utterance.words.split()
        if unknown_words(words):
            continue
        phones = [0] if rng.random() < 0.8 else []
        for word in words:
            phones += [PHONE_NUMBER[phone] for phone in rng.choice(dictionary()[word][:3])]
            if rng.random() < 0.15:
                phones.append(0)
        sequences.append(phones if phones[-1] == 0 else [*phones, 0])
    return sequences


def possible_sounds(path: Path, speech: Speech) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The phone trigram kept at ``path`` (a model is best trained further with the one it began with), or a new one."""
    if not path.exists():
        trigram, begin = phone_trigram(phones_said(speech), len(PHONES))
        np.savez(path, P=trigram, I=begin)
    kept = np.load(path)
    return kept["P"], kept["I"]


class Training:
    """A run: the network, its running mean, the optimiser, and how far it has come."""

    def __init__(self, folder: Path, start: Path | None, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        self.network = Network()
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=plan.rate, weight_decay=0.02, betas=(0.9, 0.98)
        )
        self.step, self.seconds = 0, 0.0
        kept = folder / "training.pt"
        if kept.exists():
            state: dict[str, Any] = torch.load(kept, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.mean, self.step, self.seconds = state["mean"], state["step"], state["seconds"]
            print(f"going on at step {self.step}")
            return
        if start is None:
            raise ValueError("no checkpoint to start from")
        self.network.load_state_dict(torch.load(start, weights_only=True))
        self.mean = {name: value.clone() for name, value in self.network.state_dict().items()}

    @property
    def done(self) -> float:
        """How much of the plan is done, 0 to 1, by steps or by time."""
        return max(self.step / self.plan.steps, self.seconds / 60 / self.plan.minutes)

    def learn(self, batch: Batch, trigram: NDArray[np.float32], begin: NDArray[np.float32]) -> float:
        """One step; the loss of what was said against what sounds possible."""
        rate = self.plan.rate * min(1.0, (self.step + 1) / self.plan.warm_up) * FINAL_RATE**self.done
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.network.train()
        scores, second = self.network(batch.features)
        loss: torch.Tensor = MutualInformation.apply(scores, batch.graphs, trigram, begin)
        said = MutualInformation.said
        second_loss = -(said * torch.log_softmax(second, -1)).sum() / said.sum().clamp(min=1)
        small = scores.square().sum(-1).mean()
        self.optimiser.zero_grad()
        (loss + SECOND_HEAD_WEIGHT * second_loss + SMALL_SCORES_WEIGHT * small).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        keep = min(MEAN_DECAY, 1 - 1 / (self.step + 1)) if self.step > 20 else 0.0
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                self.mean[name].mul_(keep).add_(value, alpha=1 - keep)
            else:
                self.mean[name] = value.clone()
        return float(loss.detach())

    def save(self) -> None:
        """Write both files, each in one go."""
        whole = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "mean": self.mean,
            "step": self.step,
            "seconds": self.seconds,
        }
        for name, content in (("training.pt", whole), ("network.pt", self.mean)):
            beside = self.folder / f"{name}.new"
            torch.save(content, beside)
            beside.replace(self.folder / name)


def train(
    speech_folder: Path,
    shares: Mapping[str, float],
    folder: Path,
    start: Path | None,
    plan: Plan,
) -> Path:
    """Train, and return the path of the network."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(plan.seed)
    torch.set_num_threads(1)
    speech = Speech(speech_folder, list(shares))
    trigram, begin = possible_sounds(folder / "phone_trigram.npz", speech)
    run = Training(folder, start, plan)
    if run.done < 1:
        data = Batches(speech, shares, plan.batch_seconds, plan.seed)
        loader = iter(torch.utils.data.DataLoader(data, None, num_workers=1, prefetch_factor=6, collate_fn=as_it_is))
        losses: list[float] = []
        while run.done < 1:
            begun = time.monotonic()
            losses.append(run.learn(next(loader), trigram, begin))
            run.seconds += time.monotonic() - begun
            if run.step % SAVE_EVERY == 0:
                run.save()
                print(f"step {run.step}, {run.seconds / 60:.1f} min, loss {np.mean(losses):.3f}", flush=True)
                losses = []
        run.save()
    return folder / "network.pt"
