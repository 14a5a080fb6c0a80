"""Scripts of bash, zsh and fish, and the places where these look for them."""

from __future__ import annotations

import os
from pathlib import Path

from rib.io.errors import RibError
from rib.io.files.whole import write_text_whole

BASH = """# completion of rib in bash
_rib() {
  local line="${COMP_LINE:0:COMP_POINT}" word current cut=""
  local -a typed found
  read -ra typed <<<"$line"
  [[ $line == *[[:space:]] ]] && typed+=("")
  current="${typed[${#typed[@]}-1]}"
  # where = parts words, bash replaces what stands behind it
  [[ $current == *=* && $COMP_WORDBREAKS == *=* ]] && cut="${current%%=*}="
  local IFS=$'\\n'
  found=($(command "$1" --complete "${typed[@]:1}" 2>/dev/null))
  COMPREPLY=()
  for word in "${found[@]}"; do
    [[ $word == "$current"* ]] && COMPREPLY+=("${word#"$cut"}")
  done
}
complete -o nospace -o default -F _rib rib
"""

ZSH = """#compdef rib
# completion of rib in zsh
_rib() {
  local word
  local -a found whole begun
  found=("${(@f)$(command "${words[1]}" --complete "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
  for word in $found; do
    if [[ $word == *" " ]]; then whole+=("${word% }"); else begun+=("$word"); fi
  done
  (( $#whole )) && compadd -Q -- $whole
  (( $#begun )) && compadd -Q -S '' -- $begun
  if [[ $PREFIX == *=* ]] && (( ! $#whole && ! $#begun )); then
    compset -P '*='
    _files
  fi
}
compdef _rib rib
"""

FISH = """# completion of rib in fish
complete -c rib -e
function __rib_words
  set -l typed (commandline -opc)
  command $typed[1] --complete $typed[2..-1] (commandline -ct) 2>/dev/null | string trim -r
end
complete -c rib -a '(__rib_words)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def completion_script(shell: str) -> str:
    """What a shell has to read.

    Raises:
        RibError: There is none for it.
    """
    if shell not in SCRIPTS:
        raise RibError(f"{shell!r} is no shell that rib completes in", f"choose one of: {', '.join(SCRIPTS)}")
    return SCRIPTS[shell]


def install_completion(shell: str) -> list[Path]:
    """Put a shell's script where it is found, and a line into its start file where it needs one.

    Returns:
        The files that were written; one that says it already is left as it is.

    Raises:
        RibError: There is no script for it.
    """
    text = completion_script(shell)
    home, shared = Path.home(), _folder("XDG_DATA_HOME", ".local/share")
    match shell:
        case "fish":
            file, start, line = _folder("XDG_CONFIG_HOME", ".config") / "fish/completions/rib.fish", None, ""
        case "zsh":
            file, start = shared / "rib/_rib", Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
            line = f"(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit; }}; source {file}"
        case _:
            file, start = shared / "bash-completion/completions/rib", home / ".bashrc"
            line = f"source {file}"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text_whole(file, text)
    return [file, *([start] if start and _added(start, f"{line}  # completion of rib") else [])]


def _folder(variable: str, usual: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / usual)


def _added(start: Path, line: str) -> bool:
    """Add a line to a start file unless it is there."""
    before = start.read_text(encoding="utf-8") if start.is_file() else ""
    if line in before.splitlines():
        return False
    with start.open("a", encoding="utf-8") as file:
        file.write(f"{'' if before.endswith(chr(10)) or not before else chr(10)}{line}\n")
    return True
