"""The proposal logs' services: which records count, in which role, and their summary."""

from functools import cache

from pydantic import BaseModel, ConfigDict

from transforms.definitions import Bilingual, Grounded
from transforms.sql import load_sql
from transforms.yaml_text import read_yaml


class Service(Grounded):
    service: str
    title: Bilingual
    source: str
    states: str
    has_periods: bool

    @property
    def records_sql(self) -> str:
        """Query of the service's records in a year, see records.sql."""
        return load_sql(__name__, "records.sql").replace("{service_states}", load_sql(__name__, self.states))


class Services(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    definition_version: str
    highest_grade_code: int
    services: list[Service]


@cache
def load_services() -> Services:
    return Services.model_validate(read_yaml(load_sql(__name__, "services.yml")))
