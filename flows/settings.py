"""Settings of the command, from the environment (``KPI_...``)."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """``KPI_HOME``: the folder of the installation. ``KPI_RETENTION_DAYS``: how long archived and held rows are kept."""

    model_config = SettingsConfigDict(env_prefix="KPI_")

    home: Path = Path("data")
    retention_days: int = 3650
