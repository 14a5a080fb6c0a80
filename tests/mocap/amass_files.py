"""Body models and recordings with the true schemas of the files that may not be shipped."""

import numpy as np

SMPLX_PARENTS = [
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15,
    20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35, 20, 37, 38,
    21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50, 21, 52, 53,
]  # fmt: skip
SMPLH_PARENTS = SMPLX_PARENTS[:22] + [p - 3 if p > 24 else p for p in SMPLX_PARENTS[25:]]
PARENTS = {"smplh": SMPLH_PARENTS, "smplx": SMPLX_PARENTS}


def body_model(kind, seed=0, vertices=60, shapes=16):
    """A body model file of the true schema (few vertices; the true ones have 6,890 or 10,475)."""
    rng = np.random.default_rng(seed)
    J = len(PARENTS[kind])
    regressor = rng.random((J, vertices))
    weights = rng.random((vertices, J))
    parents = np.array(PARENTS[kind]) % 2**32
    return {
        "v_template": rng.normal(size=(vertices, 3)),
        "shapedirs": rng.normal(size=(vertices, 3, shapes)) * 0.1,
        "posedirs": rng.normal(size=(vertices, 3, (J - 1) * 9)) * 0.01,
        "J_regressor": regressor / regressor.sum(1, keepdims=True),
        "weights": weights / weights.sum(1, keepdims=True),
        "kintree_table": np.stack([parents, np.arange(J)]).astype(np.uint32),
        "f": rng.integers(0, vertices, (100, 3)).astype(np.uint32),
    }


def poses(kind, frames=7, seed=1, **changes):
    rng = np.random.default_rng(seed)
    data = {
        "poses": rng.normal(size=(frames, len(PARENTS[kind]) * 3)) * 0.4,
        "trans": rng.normal(size=(frames, 3)),
        "betas": rng.normal(size=16),
        "gender": np.array("female"),
        "marker_data": np.full((frames, 4), np.nan),
    }
    rate = {
        "smplh": ("mocap_framerate", np.array(120.00004577636719)),
        "smplx": ("mocap_frame_rate", np.array(120.0)),
    }
    return {**data, rate[kind][0]: rate[kind][1], **changes}
