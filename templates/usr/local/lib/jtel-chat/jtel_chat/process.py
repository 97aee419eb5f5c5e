"""Other programs, run with a bounded time, the C locale and no terminal."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from types import MappingProxyType

from .errors import Failed

# needrestart would restart services – ClientMessenger among them – behind our back.
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l"}

#: Exit code of a program that did not end in time, as timeout(1) gives it.
HANGS = 124


def attempt(
    *argv: str, timeout: float = 60, text: str | None = None, environment: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Run to the end, whatever its exit code; a program that is not there gives 127, one that hangs HANGS. environment: beside ours."""
    try:
        return subprocess.run(
            argv,
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            env={**ENVIRONMENT, **environment},
            cwd="/",  # as systemd starts them; a login's own directory may be closed to them
            check=False,
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(argv, 127, "", f"{argv[0]}: not found")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, HANGS, "", f"no end after {timeout:.0f} s")


def run(*argv: str, timeout: float = 60) -> str:
    """Standard output. Raises Failed with what the program said."""
    done = attempt(*argv, timeout=timeout)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise Failed(f"'{' '.join(argv)}' failed with exit code {done.returncode}: {said}")
    return done.stdout
