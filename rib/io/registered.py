"""The classes that a recipe out of a file may name, by the place that they are built for.

Plain data: nothing is imported to read it. Under each dotted path stand the arguments that are recipes
themselves, with the place of each; `name.*` is a dict of recipes. `rib.io.registry` holds recipes against it.
"""

from __future__ import annotations

Place = dict[str, dict[str, str]]
"""Dotted paths of classes, and of each the arguments that are recipes, with their places."""

_TRACKED = {"tracker": "tracker"}
_SPLINE = {"outliers": "outlier rejection"}
_SKINNED = {"skinning": "skinning", "trust": "trust map"}
_MOTION_MODULE = {"net": "motion net", "loss": "motion loss", "optimizer": "optimizer"}

STAGES: dict[str, Place] = {
    "pose stage": {
        "rib.pose.mediapipe.MediapipePose": _TRACKED,
        "rib.pose.files.FilesPose": _TRACKED,
    },
    "tracker": {"rib.pose.tracking.tracker.Tracker": {"evidence": "link evidence"}},
    "link evidence": {"rib.pose.tracking.links.LinkEvidence": {}},
    "mask stage": {"rib.pose.mask.MediapipeMask": {}, "rib.pose.mask_files.FilesMask": {}},
    "motion stage": {
        "rib.motion.splines.LinearMotion": _SPLINE,
        "rib.motion.splines.CubicMotion": _SPLINE,
        "rib.motion.transformer.TransformerMotion": {},
        "rib.motion.files.FilesMotion": {},
    },
    "outlier rejection": {"rib.motion.outliers.MotionOutliers": {}},
    "background stage": {
        "rib.background.blend.BlendInterpolator": {},
        "rib.background.flow.FlowInterpolator": {},
        "rib.background.folder.FolderInterpolator": {},
        "rib.background.rife.RifeInterpolator": {},
    },
    "plate": {"rib.background.plate.PersonFreePlate": {}},
    "render stage": {
        "rib.render.none.NoRenderer": {},
        "rib.render.warp.WarpRenderer": _SKINNED,
        "rib.render.gan.GanRenderer": {
            **_SKINNED, "net": "renderer net", "fitting": "fit", "crops": "training crops",
        },
        "rib.render.reference.ReferenceRenderer": {"net": "renderer net"},
    },
    "skinning": {"rib.render.skinning.layered_skinning.LayeredSkinning": {}},
    "trust map": {"rib.render.trust.TrustMap": {}},
    "fit": {"rib.render.refine.fitting.RefinerFitRecipe": {}},
    "training crops": {"rib.render.refine.crops.RefinerCropRecipe": {}},
}  # fmt: skip
"""The stages of the chain, and what they are put together from."""

NETS: dict[str, Place] = {
    "motion net": {
        "rib.motion.nets.base.MotionBase": {},
        "rib.motion.nets.reference.MotionReference": {},
    },
    "renderer net": {
        "rib.render.nets.base.RendererBase": {
            "renderer": "render stage",
            "renderer.skinning": "skinning",
            "renderer.trust": "trust map",
        },
        "rib.render.nets.reference.RendererReference": {"conditioning": "conditioning"},
    },
    "conditioning": {
        "rib.render.conditioning.native.SkeletonConditioning": {},
        "rib.render.conditioning.reference.ReferenceConditioning": {},
    },
    "motion discriminator": {"rib.motion.training.adversarial.MotionDiscriminator": {}},
    "discriminator": {
        "rib.render.training.discriminator.Discriminator": {
            "crops": "part crops",
            "net": "discriminator net",
        },
    },
    "discriminator net": {
        "rib.render.nets.discriminators.MultiScaleDiscriminator": {},
        "rib.render.nets.discriminators.PatchDiscriminator": {},
    },
    "part crops": {"rib.render.training.discriminator.BodyPartCrops": {}},
}
"""Nets, and what they see and are seen by."""

TRAINING: dict[str, Place] = {
    "module": {
        "rib.motion.training.module.MotionModule": _MOTION_MODULE,
        "rib.motion.training.adversarial.AdversarialMotionModule": {
            **_MOTION_MODULE, "discriminator": "motion discriminator",
        },
        "rib.render.training.module.RendererModule": {
            "net": "renderer net", "conditioning": "conditioning", "discriminators.*": "discriminator",
            "loss": "renderer loss", "optimizer": "optimizer", "discriminator_optimizer": "optimizer",
        },
    },
    "motion loss": {"rib.motion.training.losses.MotionLoss": {}},
    "renderer loss": {"rib.render.training.losses.RenderLoss": {"perceptual": "perceptual loss"}},
    "perceptual loss": {"rib.render.training.perceptual.PerceptualLoss": {}},
    "data module": {
        "rib.motion.training.data.MotionDataModule": {
            "windows": "window sampling", "views": "virtual cameras", "noise": "corruption", **_TRACKED,
        },
        "rib.clips.data.ClipDataModule": {"synthetic": "painted clips", "augment": "augmentation"},
        "rib.render.training.refiner_data.RefinerDataModule": {"crops": "training crops"},
    },
    "window sampling": {"rib.motion.training.windows.MotionWindowRecipe": {}},
    "virtual cameras": {"rib.mocap.cameras.views.RandomCameras": {}},
    "corruption": {"rib.motion.corruption.detector_noise.DetectorNoise": {}},
    "painted clips": {"rib.clips.synthetic.SyntheticClips": {}},
    "augmentation": {"rib.clips.augment.ClipAugmentation": {}},
    "optimizer": {
        f"torch.optim.{name}": {}
        for name in (
            "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "ASGD", "LBFGS", "NAdam", "RAdam",
            "RMSprop", "Rprop", "SGD",
        )
    },
    "schedule": {
        f"torch.optim.lr_scheduler.{name}": {}
        for name in ("ConstantLR", "CosineAnnealingLR", "ExponentialLR", "LinearLR", "MultiStepLR", "StepLR")
    },
    "trainer": {"pytorch_lightning.Trainer": {"strategy": "strategy"}},
    "strategy": {"rib.engine.distributed.sharded.ShardedStrategy": {}},
    "callback": {
        "pytorch_lightning.callbacks.EarlyStopping": {},
        "pytorch_lightning.callbacks.LearningRateMonitor": {},
        "pytorch_lightning.callbacks.ModelCheckpoint": {},
        "pytorch_lightning.callbacks.ModelSummary": {},
        "rib.engine.callbacks.compile_net.CompileNet": {},
        "rib.engine.callbacks.dead_run.StopWhenDead": {},
        "rib.engine.callbacks.monitors.GradientNorm": {},
        "rib.engine.callbacks.monitors.SeedSteps": {},
        "rib.engine.callbacks.monitors.StopEarly": {},
        "rib.engine.callbacks.monitors.StopWhenNotFinite": {},
        "rib.engine.callbacks.monitors.Throughput": {},
        "rib.engine.callbacks.preemption.SaveOnPreemption": {},
        "rib.engine.callbacks.profile.ProfileSteps": {},
        "rib.motion.training.skeleton_logging.SkeletonLogging": {},
        "rib.render.training.image_logging.ImageLogging": {},
        "rib.render.training.video_logging.VideoLogging": {},
    },
    "logger": {
        "rib.engine.loggers.csv_logger.CsvLogger": {},
        "rib.engine.loggers.wandb_logger.WandbRun": {},
        "pytorch_lightning.loggers.CSVLogger": {},
        "pytorch_lightning.loggers.TensorBoardLogger": {},
    },
}  # fmt: skip
"""What a training is put together from."""

REGISTERED = STAGES | NETS | TRAINING
