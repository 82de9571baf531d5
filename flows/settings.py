"""Settings of the command, from the environment (``KPI_...``). ``KPI_HOME`` is read in ``options.home_of``: at every start, so without a library."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """``KPI_RETENTION_DAYS``: how long archived and held rows are kept."""

    model_config = SettingsConfigDict(env_prefix="KPI_")

    retention_days: int = 3650
