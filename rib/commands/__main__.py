"""`rib <verb> ...`."""

from __future__ import annotations

import importlib
import os
import sys

import rib
from rib.config.help.verbs import VERBS


def verbs_usage() -> str:
    """The verbs, a line each."""
    return "\n".join(
        ["usage: rib <verb> key=value ...", ""]
        + [f"  {verb:{max(map(len, VERBS))}}  {text}" for verb, text in VERBS.items()]
        + ["", "rib <verb> --help lists its settings; rib --version; rib --install-completion bash|zsh|fish"]
    )


def dispatch_verb(arguments: list[str]) -> None:
    """Call the command that the first argument names."""
    from rib.io.errors import RibError
    from rib.io.recipe import did_you_mean

    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(verbs_usage())
        return
    verb, *rest = arguments
    if verb == "--version":
        print(f"rib {rib.__version__}")
        return
    if verb == "--install-completion":
        verb, rest = "completion", ["install", *rest]
    if verb not in VERBS:
        raise RibError(f"there is no command {verb!r}", did_you_mean(verb, list(VERBS)))
    importlib.import_module(f"rib.commands.{verb}").command(rest)


def main() -> None:
    """Entry point of the script `rib` and of `python -m rib.commands`."""
    if sys.argv[1:2] == ["--complete"]:  # by a shell that waits: before anything else is imported
        from rib.config.completion.answer import answer_completion

        try:
            print("\n".join(answer_completion(sys.argv[2:])), flush=True)
        except BrokenPipeError:  # the shell has read enough; what is left would be flushed at the exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    try:
        from rib.config.exit_codes import exit_code, open_standard_streams
    except KeyboardInterrupt:  # later ones are told by exit_code
        sys.exit(130)
    open_standard_streams()
    sys.exit(exit_code(lambda: dispatch_verb(sys.argv[1:])))


if __name__ == "__main__":
    main()
