"""One export, from its settings to a folder with the model and its card."""

from __future__ import annotations

from pathlib import Path

from rib.export.card import export_card
from rib.export.formats import export_difference, write_exported_model
from rib.export.model import SHIPPED, open_model_to_export
from rib.export.settings import FORMATS, ExportSettings
from rib.io.errors import RibError
from rib.io.files.whole import write_text_whole
from rib.io.plugins import import_plugins
from rib.io.results.result import ResultDestination, ResultPart, write_result_whole

CARD = "card.md"


def export_model(config: ExportSettings) -> str:
    """Write the model and its card, hold it against torch, and say in a line what was written.

    Raises:
        RibError: A mistake in the settings, a file that holds no net, or an export that gives other numbers.
    """
    import_plugins(config.plugins)
    model, name = open_model_to_export(config.ckpt), FORMATS[config.format]
    reads = {} if config.ckpt in SHIPPED else {"ckpt": config.ckpt}
    parts = [ResultPart(name), ResultPart(CARD)]
    to = ResultDestination(Path(config.output), f"export {config.format}", parts, reads, config.overwrite)
    with write_result_whole(to) as work:
        read = write_exported_model(model, work / name, config)
        differs = None if read is None else export_difference(model, read, model.example(config))
        if differs is not None and not differs <= config.tolerance:
            raise RibError(
                f"the exported net differs from torch by {differs:.1e}, but tolerance={config.tolerance:g}",
                "raise tolerance=, or choose another format=",
            )
        write_text_whole(work / CARD, export_card(model, name, config.licence, differs))
    told = f"differs from torch by {differs:.1e}" if differs is not None else "not checked: no onnxruntime"
    return f"written: {Path(config.output) / name} ({told}), {Path(config.output) / CARD}"
