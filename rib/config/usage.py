"""What `rib <verb> --help` prints: the root config with its comments, which are its documentation."""

from __future__ import annotations

from rib.config.paths import conf_dir, groups, options


def usage(verb: str) -> str:
    """The command's settings as they stand in conf/, and the options of every group that it uses."""
    text = (conf_dir() / f"{verb}.yaml").read_text(encoding="utf-8")
    head, _, body = text.partition("\ndefaults:\n")
    lines = body.splitlines()
    end = next(
        (i for i, line in enumerate(lines) if line and not line.startswith((" ", "-", "#"))), len(lines)
    )
    settings = "\n".join(lines[end:]).partition("\nhydra:")[0]
    used = [group for group in groups() if any(f"- {group}:" in line for line in lines[:end])]
    choices = "\n".join(f"  {group}={'|'.join(options(group))}" for group in used)
    return "\n".join(
        [
            f"usage: rib {verb} key=value ... [-m for a sweep] [--cfg job to print the config]",
            "",
            head.strip(),
            "",
            "choices (each with settings of its own, e.g. pose.<setting>=...; see conf/<choice>/):",
            choices or "  none",
            "",
            "settings:",
            settings.strip(),
        ]
    )
