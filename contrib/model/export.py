"""Writes a trained network as a Vosk model directory: its weights as Kaldi stores them, all else from another model.

The words, the language model and the settings are the other model's (``orderline model add-words`` adds words). Its
network must have the same outputs, as all models made by this recipe have.
"""

from __future__ import annotations

import math
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from contrib.model.features import BANDS
from contrib.model.network import EVERY, OFFSETS, SKIP, WINDOW
from contrib.model.pronunciation import PHONES

Matrix = NDArray[np.float64]
SMALLEST_COMPRESSED = 4096
"""Matrices of more numbers than this are stored with 16 bits a number."""
POSITIONS = ("_B", "_E", "_I", "_S")
"""A phone at the beginning, at the end, inside of a word, or as a word of its own; all four share their outputs."""
STATES = ["SIL", *(phone + position for phone in PHONES[1:] for position in POSITIONS)]


def token(text: str) -> bytes:
    """A name in the binary format."""
    return text.encode() + b" "


def integer(value: int) -> bytes:
    """A 32-bit integer with its size before it."""
    return b"\x04" + struct.pack("<i", value)


def real(value: float) -> bytes:
    """A 32-bit float with its size before it."""
    return b"\x04" + struct.pack("<f", value)


def integers(values: list[int]) -> bytes:
    """A list of 32-bit integers."""
    return integer(len(values)) + np.array(values, "<i4").tobytes()


def vector(values: NDArray[np.floating] | list[float]) -> bytes:
    """A vector of 32-bit floats."""
    numbers = np.asarray(values, "<f4")
    return token("FV") + integer(len(numbers)) + numbers.tobytes()


def matrix(values: Matrix) -> bytes:
    """A matrix; a large one with 16 bits a number between its least and its greatest."""
    numbers = np.ascontiguousarray(values, "<f4")
    if numbers.size <= SMALLEST_COMPRESSED:
        return token("FM") + integer(numbers.shape[0]) + integer(numbers.shape[1]) + numbers.tobytes()
    least, span = float(numbers.min()), float(numbers.max() - numbers.min())
    steps = np.clip(np.round((numbers - least) / span * 65535), 0, 65535).astype("<u2")
    return token("CM2") + struct.pack("<ffii", least, span, *numbers.shape) + steps.tobytes()


class Components:
    """The parts of the network in the order of their work, and how each is fed."""

    def __init__(self) -> None:
        self.wiring = [f"input-node name=input dim={BANDS}"]
        self.parts: list[tuple[str, bytes]] = []

    def add(self, name: str, source: str, content: bytes) -> str:
        """One part and what it is fed with; returns its name."""
        self.wiring.append(f"component-node name={name} component={name} input={source}")
        self.parts.append((name, content))
        return name

    def affine(self, name: str, source: str, weights: Matrix, bias: Matrix) -> str:
        """A matrix and a vector to add."""
        content = token("<FixedAffineComponent>") + token("<LinearParams>") + matrix(weights)
        return self.add(name, source, content + token("<BiasParams>") + vector(bias) + token("</FixedAffineComponent>"))

    def rectifier(self, name: str, source: str, size: int) -> str:
        """Nought in place of what is negative; the statistics of training are left empty."""

        def count(label: str) -> bytes:
            return token(label) + b"\x08" + struct.pack("<d", 0.0)

        content = token("<RectifiedLinearComponent>") + token("<Dim>") + integer(size)
        content += token("<ValueAvg>") + vector([]) + token("<DerivAvg>") + vector([]) + count("<Count>")
        content += token("<OderivRms>") + vector([]) + count("<OderivCount>")
        content += count("<NumDimsSelfRepaired>") + count("<NumDimsProcessed>")
        return self.add(name, source, content + token("</RectifiedLinearComponent>"))

    def sum_of(self, name: str, source: str, size: int) -> str:
        """A part that does nothing but name a sum."""
        content = token("<NoOpComponent>") + token("<Dim>") + integer(size) + token("<BackpropScale>") + real(1.0)
        return self.add(name, source, content + token("</NoOpComponent>"))


def transitions() -> bytes:
    """Every phone has one state; it is entered once and stayed in with probability one half."""
    numbers = list(range(1, len(STATES) + 1))
    written = token("<TransitionModel>") + token("<Topology>") + integers(numbers) + integers([-1, *[0] * len(numbers)])
    written += integer(-1) + integer(1) + integer(2)
    written += integer(0) + integer(1) + integer(2) + integer(0) + real(0.5) + integer(1) + real(0.5)
    written += integer(-1) + integer(-1) + integer(0) + token("</Topology>")
    written += token("<Tuples>") + integer(len(numbers))
    for number, state in zip(numbers, STATES, strict=True):
        phone = PHONES.index(state.split("_")[0])
        written += integer(number) + integer(0) + integer(2 * phone) + integer(2 * phone + 1)
    written += token("</Tuples>") + token("<LogProbs>")
    written += vector([0.0, *[math.log(0.5)] * (2 * len(numbers))])
    return written + token("</LogProbs>") + token("</TransitionModel>")


def normalised(weights: Matrix, norm: str, numbers: Mapping[str, Matrix]) -> tuple[Matrix, Matrix]:
    """A matrix and the batch normalisation behind it as one matrix and one vector."""
    scale = numbers[f"{norm}.weight"] / np.sqrt(numbers[f"{norm}.running_var"] + 1e-5)
    return weights * scale[:, None], numbers[f"{norm}.bias"] - numbers[f"{norm}.running_mean"] * scale


def flat(kernel: Matrix) -> Matrix:
    """A kernel (out, in, taps) as a matrix (out, taps x in)."""
    return np.transpose(kernel, (0, 2, 1)).reshape(kernel.shape[0], -1)


def network_components(numbers: Mapping[str, Matrix]) -> Components:
    """The network's parts; normalisations are worked into the matrices."""
    net = Components()
    weights, bias = normalised(flat(numbers["inp.weight"]), "bn0", numbers)
    mean, scale = np.tile(numbers["mean"], WINDOW), np.tile(numbers["istd"], WINDOW)
    bias = bias - (weights * scale) @ mean
    width, side = weights.shape[0], WINDOW // 2
    window = ", ".join(f"Offset(input, {place})" if place else "input" for place in range(-side, side + 1))
    below = net.rectifier("tdnn0.relu", net.affine("tdnn0.affine", f"Append({window})", weights * scale, bias), width)
    for number, (back, ahead) in enumerate(OFFSETS):
        name = f"tdnnf{number + 1}"
        narrow = flat(numbers[f"blocks.{number}.lin.weight"])
        source = f"Append(Offset({below}, {-EVERY * back}), {below})"
        linear = net.affine(f"{name}.linear", source, narrow, np.zeros(narrow.shape[0]))
        wide, bias = normalised(flat(numbers[f"blocks.{number}.aff.weight"]), f"blocks.{number}.bn", numbers)
        source = f"Append({linear}, Offset({linear}, {EVERY * ahead}))" if ahead else linear
        relu = net.rectifier(f"{name}.relu", net.affine(f"{name}.affine", source, wide, bias), width)
        below = net.sum_of(f"{name}.noop", f"Sum(Scale({SKIP}, {below}), {relu})", width)
    weights, bias = normalised(numbers["pf.weight"][:, :, 0], "bnp", numbers)
    last = net.rectifier("prefinal.relu", net.affine("prefinal.affine", below, weights, bias), weights.shape[0])
    output = net.affine("output.affine", last, numbers["out.weight"][:, :, 0], numbers["out.bias"])
    net.wiring.append(f"output-node name=output input={output} objective=linear")
    return net


def kaldi_model(checkpoint: Path) -> bytes:
    """The content of ``am/final.mdl``."""
    state = torch.load(checkpoint, weights_only=True)
    numbers = {name: value.double().numpy() for name, value in state.items() if value.dtype.is_floating_point}
    net = network_components(numbers)
    written = b"\0B" + transitions() + token("<Nnet3>") + b"\n" + ("\n".join(net.wiring) + "\n\n").encode()
    written += token("<NumComponents>") + integer(len(net.parts))
    for name, content in net.parts:
        written += token("<ComponentName>") + token(name) + content
    side = WINDOW // 2
    written += token("</Nnet3>")
    written += token("<LeftContext>") + integer(side + sum(EVERY * back for back, _ in OFFSETS))
    written += token("<RightContext>") + integer(side + sum(EVERY * ahead for _, ahead in OFFSETS))
    return written + token("<Priors>") + vector([])


def mean_of(start: Path, trained: Path, kept: float, out: Path) -> None:
    """Write the mean of two networks, ``kept`` of it the one that training began with.

    It keeps much of what the training was good for, and forgets less of what it did not repeat.
    """
    before, after = torch.load(start, weights_only=True), torch.load(trained, weights_only=True)
    mean = {
        name: before[name] * kept + value * (1 - kept) if value.dtype.is_floating_point else value
        for name, value in after.items()
    }
    torch.save(mean, out)


def export(checkpoint: Path, like: Path, out: Path) -> None:
    """Make the model directory ``out`` with this network, in all else like another one."""
    beside = out.with_name(out.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(like, beside)
    (beside / "am" / "final.mdl").write_bytes(kaldi_model(checkpoint))
    shutil.rmtree(out, ignore_errors=True)
    beside.rename(out)
