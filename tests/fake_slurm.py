"""sbatch, srun, sacct and scontrol as far as submitit needs them, on this machine, without a cluster."""

from __future__ import annotations

import sys
from pathlib import Path

SCRIPT = r'''#!{python}
import os, re, signal, subprocess, sys, time
from pathlib import Path

HOME = Path("{home}")
name, arguments = Path(sys.argv[0]).name, sys.argv[1:]


def start(script, job, tasks, restarts):
    """One job, or one of an array's (number_index), in a session of its own."""
    array, _, index = job.partition("_")
    ids = {{"SLURM_ARRAY_JOB_ID": array, "SLURM_ARRAY_TASK_ID": index}} if index else {{}}
    environ = os.environ | ids | {{
        "SLURM_JOB_ID": job,
        "SLURM_NTASKS": str(tasks), "SLURM_TASKS_PER_NODE": str(tasks), "SLURM_NODELIST": "127.0.0.1",
        "SLURM_JOB_NODELIST": "127.0.0.1", "SLURM_JOB_NUM_NODES": "1", "SLURM_JOB_NAME": "rib",
        "SLURM_RESTART_COUNT": str(restarts),
    }}
    with open(HOME / f"{{job}}.log", "a") as log:
        child = subprocess.Popen(
            ["bash", script], env=environ, stdout=log, stderr=log, start_new_session=True
        )
    told = "\n".join(map(str, (script, tasks, restarts, child.pid)))
    (HOME / f"{{job}}.job").write_text(told)


if name == "sbatch":
    script = str(Path(arguments[-1]).resolve())
    text = Path(script).read_text()
    tasks = int(re.search(r"--ntasks-per-node=(\d+)", text).group(1))
    job = str(os.getpid() + 1000000)
    copy = HOME / f"{{job}}.sh"  # as Slurm does: submitit moves its own away
    copy.write_text(text)
    array = re.search(r"--array=0-(\d+)", text)
    jobs = [f"{{job}}_{{index}}" for index in range(int(array.group(1)) + 1)] if array else [job]
    for one in jobs:
        start(copy, one, tasks, 0)  # it waits for the pickle, which submitit names by the job's number
    print(f"Submitted batch job {{job}}")
elif name == "srun":
    output = arguments[arguments.index("--output") + 1]
    error = arguments[arguments.index("--error") + 1]
    command = arguments[arguments.index("--error") + 2:]
    tasks = []
    for rank in range(int(os.environ["SLURM_NTASKS"])):
        array, _, index = os.environ["SLURM_JOB_ID"].partition("_")
        marks = {{"%j": os.environ["SLURM_JOB_ID"], "%t": str(rank), "%A": array, "%a": index}}
        here = [re.sub("%[jtAa]", lambda found: marks[found.group()], text) for text in (output, error)]
        environ = os.environ | {{"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank), "SLURM_NODEID": "0"}}
        files = {{"stdout": open(here[0], "a"), "stderr": open(here[1], "a")}}
        tasks.append(subprocess.Popen(command, env=environ, **files))
    codes = [task.wait() for task in tasks]
    sys.exit(max(map(abs, codes)))
elif name == "scontrol":
    script, tasks, restarts, _ = (HOME / f"{{arguments[1]}}.job").read_text().split("\n")
    (HOME / "requeued").open("a").write(arguments[1] + "\n")
    if not os.fork():  # as Slurm does: the job ends first
        time.sleep(1)
        start(script, arguments[1], int(tasks), int(restarts) + 1)
elif name == "sacct":
    print("JobID|State|NodeList")
    for path in HOME.glob("*.job"):
        print(f"{{path.stem}}|RUNNING|127.0.0.1")
'''


def install(folder: Path) -> Path:
    """Write the commands into a folder for PATH; `requeued` in it lists the jobs that were queued again."""
    folder.mkdir()
    for name in ("sbatch", "srun", "sacct", "scontrol"):
        path = folder / name
        path.write_text(SCRIPT.format(python=sys.executable, home=folder))
        path.chmod(0o755)
    return folder
