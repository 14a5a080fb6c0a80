"""From a network's coarse mask to a matte whose edge lies on the picture's edge.

Nothing here shrinks the person: a matte that is too small costs a renderer more than one that is too large.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Planes = Sequence[np.ndarray]
"""(H, W) each."""
AT_ONCE_PX = 2**14
"""More pixels are filtered some rows at a time: planes of so few lie in memory that is there already, where
larger ones are asked for page by page, and all some 30 of them fit into a cache."""


def steepen_matte(mask: np.ndarray, centre: float, gain: float) -> np.ndarray:
    """Push a soft mask towards 0 and 1: `gain` times the slope in log-odds, 1/2 where it was `centre`.

    Args:
        mask: Any shape, float in 0..1.
        centre: Value (0..1) that becomes 1/2.
        gain: 1 keeps the softness.
    """
    inside = np.clip(mask, 1e-4, 1 - 1e-4).astype(np.float32)
    odds = (inside / (1 - inside)) * np.float32((1 - centre) / centre)
    powered = odds ** np.float32(gain)
    return powered / (1 + powered)


def guided_filter(
    picture: np.ndarray, mask: np.ndarray, radius_px: int, epsilon: float, at_once_px: int = AT_ONCE_PX
) -> np.ndarray:
    """Let a mask's edge follow the picture's.

    He, Sun and Tang, "Guided Image Filtering", TPAMI 2013, with a colour guide: in every window the mask is
    fitted as a linear function of the colour (equation 14); the fits are averaged.

    Args:
        picture: (H, W, 3) uint8.
        mask: (H, W) float32 in 0..1.
        radius_px: Windows are squares of 2 r + 1 pixels.
        epsilon: Ridge of the fit, in squared colour units of 0..1.
        at_once_px: Pixels that are filtered at a time.

    Returns:
        (H, W) float32 in 0..1.
    """
    height, width = mask.shape
    num_rows, halo = max(at_once_px // width, 4 * radius_px, 1), 2 * radius_px
    filtered = np.empty((height, width), np.float32)
    for first in range(0, height, num_rows):
        start, last = max(first - halo, 0), min(first + num_rows, height)
        rows = slice(start, last + halo)
        strip = _filter_rows(picture[rows], mask[rows], radius_px, epsilon)
        filtered[first:last] = strip[first - start : last - start]
    return filtered


def _filter_rows(picture: np.ndarray, mask: np.ndarray, radius_px: int, epsilon: float) -> np.ndarray:
    """`guided_filter` of some rows; those within two radii of the first and last miss what lies beyond."""
    import cv2

    def mean(values: np.ndarray) -> np.ndarray:
        side = 2 * radius_px + 1
        return cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)

    # float64: windows of one colour have covariances that float32 cannot invert; a plane a colour
    guide = [np.ascontiguousarray(picture[..., i]).astype(np.float64) / 255 for i in range(3)]
    mask = mask.astype(np.float64)
    guide_mean, mask_mean = [mean(plane) for plane in guide], mean(mask)
    covariance = [mean(g * mask) - g_mean * mask_mean for g, g_mean in zip(guide, guide_mean, strict=True)]
    slope = _solve_symmetric(_moments(guide, guide_mean, mean, epsilon), covariance)
    offset = mask_mean - _dot(slope, guide_mean)
    filtered = _dot([mean(plane) for plane in slope], guide)
    filtered += mean(offset)
    return np.clip(filtered, 0, 1, out=filtered).astype(np.float32)


def _dot(a: Planes, b: Planes) -> np.ndarray:
    """Sum the products of three planes."""
    total = a[0] * b[0]
    total += a[1] * b[1]
    total += a[2] * b[2]
    return total


def _moments(
    guide: Planes, guide_mean: Planes, mean: Callable[[np.ndarray], np.ndarray], epsilon: float
) -> list[np.ndarray]:
    """The windows' colour covariances rr rg rb gg gb bb, each (H, W), with epsilon on the diagonal."""
    moments = []
    for i, j in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]:
        moment = mean(guide[i] * guide[j])
        moment -= guide_mean[i] * guide_mean[j]
        moment += epsilon * (i == j)
        moments.append(moment)
    return moments


def _solve_symmetric(matrix: Planes, right: Planes) -> list[np.ndarray]:
    """Solve 3 x 3 systems by cofactors: numpy's solver takes ten times as long on a million small ones."""
    rr, rg, rb, gg, gb, bb = matrix

    def minor(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
        product = a * b
        product -= c * d
        return product

    c_rr, c_rg, c_rb = minor(gg, bb, gb, gb), minor(gb, rb, rg, bb), minor(rg, gb, gg, rb)
    c_gg, c_gb, c_bb = minor(rr, bb, rb, rb), minor(rb, rg, rr, gb), minor(rr, gg, rg, rg)
    determinant = _dot((rr, rg, rb), (c_rr, c_rg, c_rb))
    solved = []
    for row in ((c_rr, c_rg, c_rb), (c_rg, c_gg, c_gb), (c_rb, c_gb, c_bb)):
        one = _dot(row, right)
        one /= determinant
        solved.append(one)
    return solved


def keep_matte_touching_joints(mask: np.ndarray, points_px: np.ndarray, level: float) -> np.ndarray:
    """Remove islands that none of the points lies on, such as a neighbour's arm or a shadow.

    Args:
        mask: (H, W) float in 0..1.
        points_px: (N, 2) x and y, the person's joints.
        level: Value above which pixels hang together.
    """
    import cv2

    _, islands = cv2.connectedComponents((mask > level).astype(np.uint8), connectivity=8)
    height, width = mask.shape
    x, y = np.floor(points_px).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    touched = np.unique(islands[y[inside], x[inside]])
    touched = touched[touched > 0]
    if len(touched) == 0:
        return mask
    stranger = ~np.isin(islands, [0, *touched])
    stranger = cv2.dilate(stranger.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    return np.where(stranger & ~np.isin(islands, touched), np.float32(0), mask)
