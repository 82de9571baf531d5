"""Settings of the command, from the environment (``KPI_...``)."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """``KPI_HOME``: the folder of the installation."""

    model_config = SettingsConfigDict(env_prefix="KPI_")

    home: Path = Path("data")
