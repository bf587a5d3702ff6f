"""Logistic regression on numpy: it finds what a closed form or a search finds, and always the same."""

import numpy as np
import pytest

from agent.dialog.understanding.logistic import fit_classes, fit_one, main_directions, minimise, softmax


def test_a_quadratic_bowl_is_minimised_to_its_bottom() -> None:
    scale = np.array([1.0, 10.0, 100.0, 0.1])
    bottom = np.array([3.0, -2.0, 0.5, 7.0])
    found = minimise(lambda at: (float(scale @ (at - bottom) ** 2), 2 * scale * (at - bottom)), np.zeros(4),
                     steps=200, tolerance=1e-14)  # fmt: skip
    assert found == pytest.approx(bottom, abs=1e-3)


def test_a_curved_valley_is_followed_to_its_end() -> None:
    def valley(at: np.ndarray) -> tuple[float, np.ndarray]:
        x, y = at
        return float((1 - x) ** 2 + 100 * (y - x * x) ** 2), np.array(
            [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
        )

    assert minimise(valley, np.array([-1.2, 1.0]), steps=500, tolerance=0) == pytest.approx([1.0, 1.0], abs=1e-4)


def rows_of_three_classes() -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(7)
    middles = np.array([[2, 0], [0, 2], [-2, -2]], dtype=np.float32)
    classes = np.repeat(np.arange(3), 60)
    return (middles[classes] + chance.normal(0, 0.7, (180, 2))).astype(np.float32), classes


def test_classes_that_lie_apart_are_told_apart_and_shares_sum_to_one() -> None:
    rows, classes = rows_of_three_classes()
    table, offsets = fit_classes(rows, classes, 3, np.ones(180, np.float32), strength=10.0)
    shares = softmax(rows @ table + offsets)
    assert (shares.argmax(axis=1) == classes).mean() > 0.95
    assert shares.sum(axis=1) == pytest.approx(np.ones(180), abs=1e-5)


def test_the_slope_is_zero_where_the_fit_stops() -> None:
    rows, classes = rows_of_three_classes()
    weights = np.ones(180, np.float32)
    table, offsets = fit_classes(rows, classes, 3, weights, strength=1.0, steps=500)
    off = softmax(rows @ table + offsets) - np.eye(3)[classes]
    assert np.abs(rows.T @ off + table).max() < 0.5  # 180 rows: half a row's worth


def test_a_row_that_weighs_nothing_changes_nothing() -> None:
    rows, classes = rows_of_three_classes()
    weights = np.ones(180, np.float32)
    weights[100:] = 0
    wrong = classes.copy()
    wrong[100:] = 0
    one = fit_classes(rows, classes, 3, weights, strength=1.0)
    other = fit_classes(rows, wrong, 3, weights, strength=1.0)
    assert np.array_equal(one[0], other[0])


def test_two_fits_of_the_same_rows_are_the_same_to_the_last_bit() -> None:
    rows, classes = rows_of_three_classes()
    weights = np.ones(180, np.float32)
    one, other = (fit_classes(rows, classes, 3, weights, strength=5.0) for _ in range(2))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])


def test_one_outcome_is_as_likely_as_it_was_seen() -> None:
    rows = np.array([[0.0]] * 40 + [[1.0]] * 40)
    right = np.array([1.0] * 10 + [0.0] * 30 + [1.0] * 30 + [0.0] * 10)
    weight, offset = fit_one(rows, right, strength=1000.0)
    shares = 1 / (1 + np.exp(-(np.array([0.0, weight]) + offset)))
    assert shares == pytest.approx([0.25, 0.75], abs=0.01)


def test_main_directions_hold_what_rows_are_made_of() -> None:
    chance = np.random.default_rng(3)
    made_of = np.linalg.qr(chance.normal(size=(50, 4)))[0].T
    rows = (chance.normal(size=(200, 4)) @ made_of).astype(np.float32)
    directions = main_directions(rows, 4)
    assert np.abs(rows @ directions @ directions.T - rows).max() < 1e-4
    assert directions.T @ directions == pytest.approx(np.eye(4), abs=1e-4)
