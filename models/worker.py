"""The worker process: `python -m models.worker JOB`, started by the runner for one job."""

import os

from core.settings import load_settings
from core.store.engine import open_store
from core.worker import attempt_of_process, run_attempt

POLITENESS = 10  # strokes are saved by the app on the same cores, and a person waits for those


def main() -> None:
    """Run one attempt at one job."""
    attempt = attempt_of_process()
    os.nice(POLITENESS)
    # Threads that wait without spinning: on busy cores a step then takes a third of the time.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # GDAL would keep blocks in 5 % of the machine's memory; work passes by each block once.
    os.environ.setdefault("GDAL_CACHEMAX", "128")
    from models.tasks import TASKS  # torch takes seconds to import; bad arguments need not wait

    settings = load_settings()
    run_attempt(open_store(settings), settings, attempt, TASKS)


if __name__ == "__main__":
    main()
