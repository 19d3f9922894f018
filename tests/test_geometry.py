"""Points of the image plane; least squares: right, and the same bits in every run."""

from __future__ import annotations

import torch

from musedance_core.geometry import least_squares, pixel_centres, quadratic_terms


def test_pixel_centres_lie_between_the_edges_row_by_row() -> None:
    assert pixel_centres(2, 4).tolist() == [
        [x, y] for y in (-0.5, 0.5) for x in (-0.75, -0.25, 0.25, 0.75)
    ]


def test_quadratic_terms_are_all_monomials_up_to_the_second_order() -> None:
    points = torch.tensor([[0.1, -1.0], [2.0, 3.0]])
    expected = torch.tensor([[1, 0.1, -1, 0.01, -0.1, 1], [1, 2, 3, 4, 6, 9]])
    assert torch.allclose(quadratic_terms(points), expected)


def test_least_squares_recovers_exact_solutions() -> None:
    rows, weights = torch.randn(50, 6), torch.randn(6, 3)
    torch.testing.assert_close(least_squares(rows, rows @ weights), weights, atol=1e-4, rtol=1e-4)


def test_rows_of_less_than_full_rank_have_a_finite_solution() -> None:
    rows = torch.zeros(10, 6)
    rows[:, 0], rows[:, 1] = 1, torch.linspace(0, 1, 10)
    fit = least_squares(rows, torch.ones(10, 3))
    torch.testing.assert_close(rows @ fit, torch.ones(10, 3))


def test_memory_that_was_used_before_changes_no_bit() -> None:
    """Freed blocks of small whole numbers are where a solver finds pivots nobody has set."""
    torch.manual_seed(0)
    rows, targets = torch.randn(500, 6), torch.randn(500, 3)
    first = least_squares(rows, targets)
    for k in range(200):
        used = [torch.full((n,), (k + n) % 2, dtype=torch.int32) for n in range(1, 12)]
        del used
        assert torch.equal(least_squares(rows, targets), first)
