from __future__ import annotations

import os
from pathlib import Path

from jtel_chat.engine import lock


def test_the_holder_of_the_lock_is_the_process_not_what_a_run_calls_itself(state: Path) -> None:
    with lock.held("apply x by deploy from this host (process 1, since never)"):
        assert lock.holding_process() == os.getpid()
