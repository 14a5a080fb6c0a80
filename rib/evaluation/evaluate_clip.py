"""One clip of an evaluation: its hidden frames are made, scored and filmed, one after the other."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rib.clips.store import Hdf5ClipStore
from rib.evaluation.clips import Renderer, fps_of_evaluation_frames, render_evaluation_frames
from rib.evaluation.clips_report import evaluation_panels, evaluation_video
from rib.evaluation.settings import ClipEvaluationSettings
from rib.metrics.frames import FrameScorer


def evaluate_clip(
    store: Hdf5ClipStore, name: str, renderer: Renderer, scorer: FrameScorer, config: ClipEvaluationSettings
) -> list[dict[str, Any]]:
    """Score every hidden frame of a clip, and write the comparison video if asked for.

    Args:
        store: The clips.
        name: Which clip.
        renderer: A `RendererClipBatch` in and `RendererClipOutput` out.
        scorer: Scores pictures.
        config: Of conf/evaluate_humanslomo.yaml.

    Returns:
        A row a frame: `frame`, `time_s`, and scores of the finished frame (`fused`) and of the background
        alone (`background`).
    """
    video = None
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        for made in render_evaluation_frames(
            store, name, renderer, config.batch_size, config.every, config.device
        ):
            if config.videos:
                if video is None:
                    path = Path(config.output).expanduser() / "videos" / f"{name}.mp4"
                    fps = fps_of_evaluation_frames(store, name) / config.every
                    size_wh = made.true.shape[1], made.true.shape[0]
                    video = stack.enter_context(
                        evaluation_video(path, size_wh, fps, config.codec, config.crf)
                    )
                video.write(evaluation_panels(made))
            scores = scorer.score_many(made.true, {"fused": made.fused, "background": made.background})
            rows.append({"frame": made.trial.hidden, "time_s": round(made.time_s, 6), **scores})
    return rows
