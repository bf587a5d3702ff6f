"""The acoustic network: 1.36 million weights, features at 100 frames a second in, scores at 33 a second out.

A window of 9 frames every third frame, then eight factored layers, each of which sees the present and some earlier and
later frames: 55 frames back and 19 ahead altogether. ``export.py`` writes the same network in Kaldi's format.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from contrib.model.features import BANDS
from contrib.model.pronunciation import PHONES

WIDTH, BOTTLENECK, LAST_BOTTLENECK = 384, 96, 160
OUTPUTS = 2 * len(PHONES)
WINDOW, EVERY = 9, 3
OFFSETS = [(1, 1), (1, 1), (2, 1), (2, 1), (2, 1), (3, 0), (3, 0), (3, 0)]
"""How far each layer looks back and ahead, in output frames (of 30 ms)."""
SKIP = 0.66
"""How much of a layer's input is added to its output."""
DROPOUT = 0.08


def earlier(frames: Tensor, steps: int) -> Tensor:
    """Each frame's predecessor ``steps`` before it; before the first there is the first (batch, time, width)."""
    return torch.cat([frames[:, :1].expand(-1, steps, -1), frames[:, :-steps]], 1)


def later(frames: Tensor, steps: int) -> Tensor:
    """Each frame's successor ``steps`` after it; the last frame stands for what lies behind."""
    return torch.cat([frames[:, steps:], frames[:, -1:].expand(-1, steps, -1)], 1)


def flat(weight: Tensor) -> Tensor:
    """A kernel (out, in, taps) as the matrix that takes the taps side by side (out, taps x in)."""
    return weight.permute(0, 2, 1).reshape(weight.shape[0], -1)


def normalised(norm: nn.BatchNorm1d, frames: Tensor) -> Tensor:
    """Batch normalisation over all frames of a batch."""
    return norm(frames.reshape(-1, frames.shape[-1])).view(frames.shape)


class Layer(nn.Module):
    """A factored layer: a narrow linear map of now and earlier, a wide one of now and later, and a way past both."""

    def __init__(self, back: int, ahead: int) -> None:
        super().__init__()
        self.back, self.ahead = back, ahead
        self.lin = nn.Conv1d(WIDTH, BOTTLENECK, 2, bias=False)
        self.aff = nn.Conv1d(BOTTLENECK, WIDTH, 2 if ahead else 1, bias=False)
        self.bn = nn.BatchNorm1d(WIDTH)

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, time, width) to the same shape."""
        narrow = functional.linear(torch.cat([earlier(frames, self.back), frames], 2), flat(self.lin.weight))
        if self.ahead:
            narrow = torch.cat([narrow, later(narrow, self.ahead)], 2)
        wide = functional.linear(narrow, flat(self.aff.weight))
        return functional.relu(normalised(self.bn, wide)) + SKIP * frames


class Network(nn.Module):
    """The whole network. The names of its parts are those of the checkpoints."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(BANDS))
        self.register_buffer("istd", torch.ones(BANDS))  # one over the standard deviation
        self.inp = nn.Conv1d(BANDS, WIDTH, WINDOW, bias=False)
        self.bn0 = nn.BatchNorm1d(WIDTH)
        self.blocks = nn.ModuleList([Layer(back, ahead) for back, ahead in OFFSETS])
        self.pf, self.bnp = nn.Conv1d(WIDTH, LAST_BOTTLENECK, 1, bias=False), nn.BatchNorm1d(LAST_BOTTLENECK)
        self.out = nn.Conv1d(LAST_BOTTLENECK, OUTPUTS, 1)
        # a second head, trained on the frames' phones; it steadies the training and is not exported
        self.xpf, self.bnx = nn.Conv1d(WIDTH, LAST_BOTTLENECK, 1, bias=False), nn.BatchNorm1d(LAST_BOTTLENECK)
        self.xout = nn.Conv1d(LAST_BOTTLENECK, OUTPUTS, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features (batch, frames, 40) to the scores of both heads (batch, a third of the frames, outputs)."""
        frames = (features - self.mean) * self.istd
        side = WINDOW // 2
        frames = torch.cat([frames[:, :1].expand(-1, side, -1), frames, frames[:, -1:].expand(-1, side, -1)], 1)
        windows = frames.unfold(1, WINDOW, EVERY).permute(0, 1, 3, 2).reshape(frames.shape[0], -1, WINDOW * BANDS)
        hidden = functional.relu(normalised(self.bn0, functional.linear(windows, flat(self.inp.weight))))
        for layer in self.blocks:
            hidden = layer(functional.dropout(hidden, DROPOUT, self.training))
        return (
            self.head(hidden, self.pf, self.bnp, self.out),
            self.head(hidden, self.xpf, self.bnx, self.xout),
        )

    @staticmethod
    def head(hidden: Tensor, narrow: nn.Conv1d, norm: nn.BatchNorm1d, out: nn.Conv1d) -> Tensor:
        """One of the two heads."""
        scores = functional.relu(normalised(norm, functional.linear(hidden, narrow.weight[:, :, 0])))
        return functional.linear(scores, out.weight[:, :, 0], out.bias)
