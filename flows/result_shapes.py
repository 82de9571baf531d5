"""What the commands of the tables of results print with ``--json``: declared as in ``json_shapes``, which has the others."""

from typing_extensions import TypedDict

Amount = int | str | None


class SurveyUnit(TypedDict):
    """One survey, semester and unit (``total``: all of them). ``ikm``: null where an element has no answer."""

    survey: str
    period: str
    unit: str
    name: str | None
    ikm: str | None
    grade: str | None
    respondents: int
    provisional: bool
    known_from: str


class SurveyElement(TypedDict):
    """One element of a survey, semester and unit. ``rank``: 1 for the lowest mean."""

    survey: str
    period: str
    unit: str
    element: str
    name: str | None
    mean: str
    respondents: int
    rank: int
    provisional: bool
    known_from: str


class IntegrationChannel(TypedDict):
    """One quarter, channel and history type. ``gives_the_year``: whether it is the newest quarter of its year."""

    period: str
    channel: str
    history: str
    agencies: int
    integrated: int
    share: str
    letter: str | None
    letter_date: str | None
    gives_the_year: bool
    provisional: bool
    known_from: str


class AgencyResult(TypedDict):
    """One agency in an indicator. ``counts``: whether it is in the numerator; ``reason``: why not."""

    indicator: str
    period: str
    agency: str
    name: str | None
    province: str | None
    counts: bool
    reason: str | None
    score: str | None
    grade: str | None
    channel: str | None
    numerator: int
    records: int
    provisional: bool
    known_from: str


class BudgetRevision(TypedDict):
    """One revision of the budget of an indicator or program, in rupiah."""

    code: str
    revision: int
    decided: str
    data_of: str
    allocated: Amount
    spent: Amount
    in_force_from: str | None
    in_force_to: str | None
    in_force: bool
    provisional: bool
    known_from: str


class BacklogLine(TypedDict):
    """The queue of a service in a day, week or month: what came and was decided in it; open, late and the oldest at its end."""

    service: str
    begins: str
    ends: str
    received: int
    decided: int
    open: int
    late: int
    oldest: str | None
    age_days: int | None
    provisional: bool
    known_from: str
