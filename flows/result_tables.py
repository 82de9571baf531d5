"""What the commands of the tables of results print. Each table is declared here once."""

from flows.result_shapes import AgencyResult, BacklogLine, BudgetRevision, IntegrationChannel, SurveyElement, SurveyUnit
from flows.tables import Column, Row, Table


def _provisional(row: Row) -> str:
    return "provisional" if row["provisional"] else ""


def _of_quarter(row: Row) -> str:
    return ", ".join(filter(None, ["gives the year" if row["gives_the_year"] else "", _provisional(row)]))


_SURVEY = (Column("survey", "survey"), Column("period", "period"), Column("unit", "unit"))
_REMARKS = Column("remarks", _provisional, priority=4)
SURVEY_UNITS = Table(
    "Satisfaction by unit",
    (
        *_SURVEY,
        Column("name", lambda row: row["name"] or "", is_prose=True, priority=3),
        Column("IKM", "ikm", is_number=True),
        Column("grade", "grade"),
        Column("respondents", "respondents", is_number=True, priority=2),
        _REMARKS,
    ),
    list[SurveyUnit],
)
SURVEY_ELEMENTS = Table(
    "Satisfaction by element",
    (
        *_SURVEY,
        Column("element", "element"),
        Column("name", "name", is_prose=True, priority=2),
        Column("mean", "mean", is_number=True),
        Column("rank from the lowest", "rank", is_number=True, priority=2),
        Column("respondents", "respondents", is_number=True, priority=3),
        _REMARKS,
    ),
    list[SurveyElement],
)
INTEGRATION = Table(
    "Integration with SIASN",
    (
        Column("period", "period"),
        Column("channel", "channel"),
        Column("history", "history", priority=2),
        Column("agencies", "agencies", is_number=True),
        Column("integrated", "integrated", is_number=True),
        Column("share %", "share", is_number=True),
        Column("letter", "letter", priority=3),
        Column("of", "letter_date", priority=4),
        Column("remarks", _of_quarter, priority=2),
    ),
    list[IntegrationChannel],
)
AGENCIES = Table(
    "Agencies",
    (
        Column("indicator", "indicator", priority=4),
        Column("period", "period", priority=2),
        Column("agency", "agency"),
        Column("name", "name", is_prose=True),
        Column("counts", lambda row: "yes" if row["counts"] else "no"),
        Column("why not", "reason"),
        Column("score", "score", is_number=True, priority=2),
        Column("grade", "grade", priority=2),
        Column("channel", "channel", priority=3),
        Column("numerator", "numerator", is_number=True, priority=3),
        Column("records", "records", is_number=True, priority=3),
        Column("province", "province", priority=4),
    ),
    list[AgencyResult],
)
BUDGET = Table(
    "Budget by revision",
    (
        Column("code", "code"),
        Column("revision", "revision", is_number=True),
        Column("decided", "decided", priority=2),
        Column("data of", "data_of", priority=3),
        Column("allocated", "allocated", is_number=True),
        Column("spent", "spent", is_number=True),
        Column("in force from", "in_force_from", priority=2),
        Column("in force to", "in_force_to", priority=3),
        Column("remarks", lambda row: "in force" if row["in_force"] else ""),
    ),
    list[BudgetRevision],
)
BACKLOG = Table(
    "Backlog",
    (
        Column("service", "service", priority=3),
        Column("from", "begins"),
        Column("to", "ends", priority=2),
        Column("received", "received", is_number=True),
        Column("decided", "decided", is_number=True),
        Column("open at the end", "open", is_number=True),
        Column("late", "late", is_number=True),
        Column("oldest of", "oldest", priority=2),
        Column("waits (working days)", "age_days", is_number=True, priority=2),
        _REMARKS,
    ),
    list[BacklogLine],
)
