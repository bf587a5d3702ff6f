"""Logistic regression, with one outcome or several, fitted by limited-memory BFGS on numpy alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float32]

_MEMORY = 8
"""Steps remembered (Nocedal and Wright, Numerical Optimization, algorithm 7.4)."""
_SUFFICIENT = 1e-4
_HALVINGS = 20
_MORE_DIRECTIONS = 20


def minimise(
    objective: Callable[[Vector], tuple[float, Vector]], start: Vector, *, steps: int = 60, tolerance: float = 1e-4
) -> Vector:
    """Return where ``objective`` (value, gradient) is least, by L-BFGS with backtracking.

    Stops after ``steps``, or when a step makes the value less by no more than ``tolerance`` of it. The same input gives
    the same output, bit by bit, on one machine.
    """
    here = start.copy()
    value, slope = objective(here)
    moves: list[tuple[Vector, Vector, float]] = []
    for _ in range(steps):
        direction = -_curved(slope, moves)
        descent = float(direction @ slope)
        if descent >= 0:
            direction, descent, moves = -slope, -float(slope @ slope), []
        length = 1.0 if moves else min(1.0, 1.0 / (np.abs(slope).sum() + 1e-12))
        for _ in range(_HALVINGS):
            there = here + length * direction
            new_value, new_slope = objective(there)
            if new_value <= value + _SUFFICIENT * length * descent:
                break
            length *= 0.5
        else:
            return here
        move, bend = there - here, new_slope - slope
        curvature = float(move @ bend)
        if curvature > 1e-12:
            moves = [*moves[-(_MEMORY - 1) :], (move, bend, 1.0 / curvature)]
        done = value - new_value <= tolerance * max(abs(new_value), 1e-12)
        here, value, slope = there, new_value, new_slope
        if done:
            break
    return here


def _curved(slope: Vector, moves: list[tuple[Vector, Vector, float]]) -> Vector:
    """Return the inverse Hessian's estimate times the slope."""
    found = slope.copy()
    shares: list[float] = []
    for move, bend, inverse in reversed(moves):
        share = inverse * float(move @ found)
        shares.append(share)
        found -= share * bend
    if moves:
        move, bend, inverse = moves[-1]
        found *= 1.0 / (inverse * float(bend @ bend))
    for (move, bend, inverse), share in zip(moves, reversed(shares), strict=True):
        found += (share - inverse * float(bend @ found)) * move
    return found


def softmax(scores: Matrix) -> Matrix:
    """Return each row as shares that sum to one."""
    found: Matrix = np.exp(scores - scores.max(axis=1, keepdims=True))
    found /= found.sum(axis=1, keepdims=True)
    return found


def fit_classes(
    rows: Matrix, classes: NDArray[np.int64], count: int, weights: Matrix, *, strength: float, steps: int = 60
) -> tuple[Matrix, Matrix]:
    """Fit multinomial logistic regression; returns weights (columns x count) and offsets (count).

    ``strength`` weighs the sentences against the squared weights (``C`` elsewhere); ``weights`` (rows) weigh the rows.
    """
    columns = rows.shape[1]
    at = np.arange(len(rows))

    def objective(flat: Vector) -> tuple[float, Vector]:
        table = flat.astype(np.float32).reshape(columns + 1, count)
        scores = rows @ table[:-1] + table[-1]
        top = scores.max(axis=1, keepdims=True)
        shares = np.exp(scores - top)
        total = shares.sum(axis=1, keepdims=True)
        loss = (np.log(total[:, 0]) + top[:, 0] - scores[at, classes]) @ weights
        shares /= total
        shares[at, classes] -= 1.0
        shares *= weights[:, None]
        slope = np.empty_like(table)
        slope[:-1] = rows.T @ shares
        slope[-1] = shares.sum(axis=0)
        slope *= strength
        slope[:-1] += table[:-1]
        return strength * float(loss) + 0.5 * float((table[:-1] ** 2).sum()), slope.ravel().astype(np.float64)

    table = minimise(objective, np.zeros((columns + 1) * count), steps=steps).astype(np.float32)
    table = table.reshape(columns + 1, count)
    return table[:-1], table[-1]


def fit_one(rows: NDArray[np.float64], right: NDArray[np.float64], *, strength: float, steps: int = 400) -> Vector:
    """Fit logistic regression with one outcome (0 or 1); returns the weights of the columns, the offset last."""
    columns = rows.shape[1]

    def objective(flat: Vector) -> tuple[float, Vector]:
        scores = rows @ flat[:-1] + flat[-1]
        loss = float(np.logaddexp(0.0, scores).sum() - scores @ right)
        off = 1.0 / (1.0 + np.exp(-np.clip(scores, -60, 60))) - right
        slope = np.concatenate([rows.T @ off, [off.sum()]]) * strength
        slope[:-1] += flat[:-1]
        return strength * loss + 0.5 * float((flat[:-1] ** 2).sum()), slope

    return minimise(objective, np.zeros(columns + 1), steps=steps, tolerance=1e-7)


def main_directions(rows: Matrix, count: int) -> Matrix:
    """Return the directions (columns x count at most, of length 1) in which rows differ most.

    Randomised subspace iteration (Halko, Martinsson and Tropp, 2011, algorithm 4.4) from a fixed start: the same rows
    give the same directions.
    """
    width = min(count + _MORE_DIRECTIONS, len(rows))
    start = np.random.default_rng(1).standard_normal((len(rows), width)).astype(np.float32)
    basis = rows.T @ start
    for _ in range(2):
        basis = rows.T @ (rows @ np.linalg.qr(basis)[0])
    basis = np.linalg.qr(basis)[0]
    turned = np.linalg.svd(rows @ basis, full_matrices=False)[2]
    found: Matrix = basis @ turned[:count].T
    return found
