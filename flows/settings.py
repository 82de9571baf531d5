"""Settings of the command, from the environment (``KPI_...``). ``KPI_HOME`` is read in ``options.home_of``: at every start, so without a library."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """``KPI_RETENTION_DAYS``: how long archived and quarantined rows are kept.

    ``KPI_HISTORY_DAYS``: how long Prefect's history keeps a run. ``KPI_UI_PORT``: where ``kpi serve`` shows Prefect's pages.
    """

    model_config = SettingsConfigDict(env_prefix="KPI_")

    retention_days: int = 3650
    history_days: int = Field(default=90, ge=1)
    ui_port: int = Field(default=4200, ge=0, le=65535)
