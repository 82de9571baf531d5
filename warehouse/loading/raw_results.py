"""What Great Expectations said of a run's deliveries, kept as it said it."""

import json
from typing import Any

from warehouse.store.home import PUBLIC, Home, own_folder, write_public
from warehouse.store.runs import Run


def write_raw(home: Home, run: Run, source: str, result: dict[str, Any]) -> None:
    """Keeps what the validator said of one group of deliveries: counts, and no failing value."""
    folder = home.validation_reports / "raw"
    own_folder(folder, PUBLIC)
    number = len(list(folder.glob(f"{run.name}_{source}_*.json"))) + 1
    write_public(
        folder / f"{run.name}_{source}_{number}.json", json.dumps(result, indent=1, sort_keys=True, default=str)
    )
