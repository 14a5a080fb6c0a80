"""`rib configs`: the configs that there are, rib's own, those of plugins and of `--config-dir`."""

from __future__ import annotations

import sys
from pathlib import Path

from rib.config.exit_codes import exit_code
from rib.io.errors import RibError

USAGE = """usage: rib configs ls [GROUP] | show GROUP/OPTION | cp GROUP/OPTION NEW [FOLDER]
                   [plugins=[mypkg]] [--config-dir FOLDER]

  rib configs ls                              # every group with its options; those with * are not rib's own
  rib configs ls net                          # what each option is, in a line
  rib configs show net/motion_tiny            # its settings, with their meaning and units
  rib configs cp net/motion_tiny mine my      # to my/net/mine.yaml; without FOLDER to conf/net/mine.yaml
  rib train --config-dir my net=mine ...
"""


def command(arguments: list[str]) -> None:
    """Entry point for `rib configs`."""
    from rib.config.help import catalog
    from rib.config.search import settle_config_search
    from rib.io.plugins import import_plugins

    words, plugins = settle_config_search(arguments)
    words = [word for word in words if not word.startswith(("plugins=", "+plugins="))]
    match words:
        case [] | ["-h" | "--help", *_]:
            print(USAGE, end="")
        case ["ls", *group] if len(group) < 2:
            import_plugins(plugins)
            for line in catalog.list_configs(*group):
                print(line)
        case ["show", name]:
            print(catalog.show_config(name), end="")
        case ["cp", name, new, *folder] if len(folder) < 2:
            to = Path(folder[0] if folder else "conf")
            file = catalog.copy_config(name, new, to)
            print(f"written: {file}; type --config-dir {to} {name.rpartition('/')[0]}={new}")
        case _:
            raise RibError(f"rib configs {' '.join(words)} cannot be read", "type: rib configs --help")


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
