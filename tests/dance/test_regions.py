"""Borders of parts follow regions of one colour."""

import numpy as np

from musedance_core.dance.regions import follow_regions, thick_regions

HEIGHT, WIDTH = 120, 80
SKIN, CLOTH, INK = (1.0, 0.8, 0.2), (0.5, 0.5, 0.5), (0.0, 0.0, 0.0)


def _picture(border: int) -> np.ndarray:
    """Skin on the left of column `border`, cloth on the right: `[4 h w]`."""
    colours = np.ones((4, HEIGHT, WIDTH), np.float32)
    colours[:3] = np.array(CLOTH, np.float32)[:, None, None]
    colours[:3, :, :border] = np.array(SKIN, np.float32)[:, None, None]
    return colours


def _labels(border: int) -> np.ndarray:
    """Label 1 on the left of column `border`, 0 on the right."""
    labels = np.zeros((HEIGHT, WIDTH), np.int64)
    labels[:, :border] = 1
    return labels


def test_border_moves_to_that_of_colours() -> None:
    solid = np.ones((HEIGHT, WIDTH), np.bool_)
    for wrong in (38, 42):
        found = follow_regions(_labels(wrong), _picture(40), solid)
        assert (found == _labels(40)).all()


def test_border_inside_one_colour_stays() -> None:
    solid = np.ones((HEIGHT, WIDTH), np.bool_)
    found = follow_regions(_labels(30), _picture(WIDTH), solid)
    assert (found == _labels(30)).all()


def test_outline_goes_with_the_region_beside_it() -> None:
    # A line of two pixels around the cloth, away from the skin, that was taken for skin.
    picture = _picture(20)
    picture[:3, :, 78:] = np.array(INK, np.float32)[:, None, None]
    labels = _labels(20)
    labels[:, 78:] = 1
    found = follow_regions(labels, picture, np.ones((HEIGHT, WIDTH), np.bool_))
    assert (found == _labels(20)).all()


def test_speck_goes_with_its_colour() -> None:
    # A speck of skin beyond a gap of cloth-coloured pixels, near both regions.
    picture, labels = _picture(40), _labels(40)
    picture[:3, 50:52, 41] = np.array(SKIN, np.float32)[:, None]
    found = follow_regions(labels, picture, np.ones((HEIGHT, WIDTH), np.bool_))
    assert (found[50:52, 41] == 1).all()


def test_shaded_pictures_stay() -> None:
    noise = np.random.default_rng(0).random((4, HEIGHT, WIDTH), dtype=np.float32)
    labels = _labels(33)
    assert (follow_regions(labels, noise, np.ones((HEIGHT, WIDTH), np.bool_)) == labels).all()


def test_lines_are_not_thick() -> None:
    picture = _picture(40)
    picture[:3, :, 39:41] = np.array(INK, np.float32)[:, None, None]
    thick = thick_regions(picture, np.ones((HEIGHT, WIDTH), np.bool_))
    assert not thick[:, 39:41].any() and thick[40:80, 10:30].all() and thick[40:80, 50:70].all()
