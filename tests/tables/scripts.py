"""Scripts that start processes, run in one of their own so that a hang is a failure."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 120


def run_script(code: str, folder: Path, *arguments: object, seconds: int = SECONDS) -> list[str]:
    """Run a script, and return the lines that it prints on the standard output.

    Args:
        code: The script.
        folder: The folder that it is written to and runs in.
        arguments: Its arguments.
        seconds: After so many, it and all that it has started are killed.
    """
    path = folder / "script.py"
    path.write_text(code, encoding="utf8")
    process = subprocess.Popen(
        [sys.executable, str(path), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=folder,
        env={**os.environ, "HF_HOME": str(folder / "huggingface")},
    )
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its hanging children, too
        output, errors = process.communicate()
        pytest.fail(f"It hung. It had printed {output!r}, and\n{errors}")
    assert process.returncode == 0, errors
    return output.splitlines()
