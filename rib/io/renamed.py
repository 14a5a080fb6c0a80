"""Where code stood when a file was written: files of earlier releases keep loading after it has moved."""

from __future__ import annotations

from typing import Any

RENAMED = {
    "rib.keypoints": "rib.structures.keypoints",
    "rib.skeleton": "rib.structures.skeleton",
    "rib.interval": "rib.structures.interval",
    "rib.render.box": "rib.structures.box",
    "rib.errors": "rib.io.errors",
    "rib.files": "rib.io.files",
    "rib.recipe": "rib.io.recipe",
    "rib.net_files": "rib.io.net_files",
    "rib.models": "rib.io.model_packages",
    "rib.shards": "rib.io.shards",
    "rib.epochs": "rib.training.epochs",
    "rib.slomo.augment": "rib.clips.augment",
    "rib.slomo.clips": "rib.clips.clips",
    "rib.slomo.data": "rib.clips.data",
    "rib.slomo.draw": "rib.clips.batches",
    "rib.slomo.store": "rib.clips.store",
    "rib.slomo.write": "rib.clips.write",
    "rib.slomo.synthetic": "rib.clips.synthetic",
    "rib.slomo.pose_mask": "rib.clips.pose_mask",
    "rib.render.clip": "rib.render.clip_batch",
    "rib.slomo.lists": "rib.datasets.humanslomo.lists",
    "rib.slomo.download": "rib.datasets.humanslomo.download",
    "rib.slomo.footage": "rib.datasets.humanslomo.footage",
    "rib.slomo.find": "rib.datasets.humanslomo.find",
    "rib.slomo.make": "rib.datasets.humanslomo.make",
    "rib.slomo.parts": "rib.datasets.humanslomo.parts",
    "rib.slomo.prepare": "rib.datasets.humanslomo.prepare",
    "rib.slomo.evaluate_clip": "rib.evaluation.evaluate_clip",
    "rib.slomo.evaluation": "rib.evaluation.clips",
    "rib.slomo.evaluation_report": "rib.evaluation.clips_report",
    "rib.engine.evaluate_clips": "rib.evaluation.checkpoint_on_clips",
    "rib.motion.evaluation": "rib.motion.evaluation.scoring",
    "rib.motion.evaluation_report": "rib.motion.evaluation.report",
    "rib.motion.protocol": "rib.motion.evaluation.protocol",
    "rib.motion.show": "rib.motion.evaluation.show",
    "rib.motion.recordings": "rib.motion.training.recordings",
    "rib.motion.skeleton_video": "rib.motion.evaluation.skeleton_video",
    "rib.motion.attention": "rib.motion.nets.attention",
    "rib.motion.curve": "rib.motion.nets.curve",
    "rib.motion.frames_curve": "rib.motion.nets.frames_curve",
    "rib.motion.keyframe_features": "rib.motion.nets.keyframe_features",
    "rib.motion.net_base": "rib.motion.nets.base",
    "rib.motion.net_reference": "rib.motion.nets.reference",
    "rib.motion.reference_transformer": "rib.motion.nets.reference_transformer",
    "rib.motion.spline_prior": "rib.motion.nets.spline_prior",
    "rib.motion.stencils": "rib.motion.nets.stencils",
    "rib.motion.published": "rib.motion.nets.published",
    "rib.motion.checkpoint": "rib.motion.nets.checkpoint",
    "rib.motion.adversarial": "rib.motion.training.adversarial",
    "rib.motion.data": "rib.motion.training.data",
    "rib.motion.losses": "rib.motion.training.losses",
    "rib.motion.module": "rib.motion.training.module",
    "rib.motion.panels": "rib.motion.training.panels",
    "rib.motion.windows": "rib.motion.training.windows",
    "rib.motion.recombination": "rib.motion.training.recombination",
    "rib.motion.corruption": "rib.motion.corruption.detector_noise",
    "rib.motion.detector_errors": "rib.motion.corruption.detector_errors",
    "rib.motion.draw": "rib.motion.corruption.sampling",
    "rib.render.bones": "rib.render.skinning.bones",
    "rib.render.skinning": "rib.render.skinning.blend",
    "rib.render.puppet": "rib.render.skinning.puppet",
    "rib.render.layers": "rib.render.skinning.layers",
    "rib.render.parts": "rib.render.skinning.parts",
    "rib.render.drawn": "rib.render.refine.drawn",
    "rib.render.drawings": "rib.render.refine.drawings",
    "rib.render.registered": "rib.render.refine.registered",
    "rib.render.fitting": "rib.render.refine.fitting",
    "rib.render.crops": "rib.render.refine.crops",
    "rib.render.clip_drawing": "rib.render.refine.clip_drawing",
    "rib.render.net_base": "rib.render.nets.base",
    "rib.render.net_reference": "rib.render.nets.reference",
    "rib.render.spade": "rib.render.nets.spade",
    "rib.render.spectral": "rib.render.nets.spectral",
    "rib.render.discriminators": "rib.render.nets.discriminators",
    "rib.render.published": "rib.render.nets.published",
    "rib.render.checkpoint": "rib.render.nets.checkpoint",
    "rib.render.winograd": "rib.render.nets.winograd",
    "rib.render.lean_norm": "rib.render.nets.lean_norm",
    "rib.render.module": "rib.render.training.module",
    "rib.render.losses": "rib.render.training.losses",
    "rib.render.perceptual": "rib.render.training.perceptual",
    "rib.render.opponents": "rib.render.training.opponents",
    "rib.render.adversarial": "rib.render.training.adversarial",
    "rib.render.drawn_data": "rib.render.training.drawn_data",
    "rib.render.scores": "rib.render.training.scores",
    "rib.render.panels": "rib.render.training.panels",
    "rib.render.video_panels": "rib.render.training.video_panels",
    "rib.render.labels.limbs": "rib.render.conditioning.limbs",
    "rib.render.labels.native": "rib.render.conditioning.native",
    "rib.render.labels.reference": "rib.render.conditioning.reference",
    "rib.render.labels.windows": "rib.render.conditioning.windows",
    "rib.render.labels": "rib.render.conditioning",
}
"""Modules of earlier releases, and where what stood in them stands now."""


def current_target(target: Any) -> Any:
    """Translate the dotted path of a class, as a file of an earlier release names it, to today's.

    Args:
        target: Such as "rib.render.net_base.RendererBase"; a path of today or no text, comes back as it is.
    """
    if not isinstance(target, str):
        return target
    module, _, name = target.rpartition(".")
    return f"{RENAMED[module]}.{name}" if module in RENAMED else target


def current_recipe(node: Any) -> Any:
    """Translate every `_target_` inside plain containers that came out of a file; other values stay."""
    if isinstance(node, dict):
        return {
            key: current_target(value)
            if key == "_target_" and isinstance(value, str)
            else current_recipe(value)
            for key, value in node.items()
        }
    return [current_recipe(value) for value in node] if isinstance(node, list) else node
