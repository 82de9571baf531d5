"""Times the steps of a run, so that it can be seen where a night goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

# Importing libraries is no work of ours on the data; it is shown, but not counted in.
START_UP = "start-up"


@dataclass
class Stopwatch:
    """Seconds a step, summed over a run."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
