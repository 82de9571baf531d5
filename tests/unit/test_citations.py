"""What the definitions and the statements say that the report says is looked up in the report, at the cited lines (ruling 38)."""

import csv
import re
from importlib.resources import files
from pathlib import Path

import pytest

from transforms.definitions import NOT_STATED, Grounded, Indicator, load_indicators
from transforms.printed import PrintedItem, load_statements
from transforms.scoring.definition import load_scoring
from transforms.services import load_services

EXCERPT = Path(__file__).parents[1] / "report_2024_lines.txt"
INFERRED = {
    ("IKU-01", "2020"), ("IKU-06", "2020"), ("IKU-08", "2020"), ("IKU-09", "2020"), ("IKU-09", "2024"), ("IKU-14", "2020"),
}  # fmt: skip


def report_lines(excerpt: Path = EXCERPT) -> dict[int, str]:
    return {
        int(number): text
        for line in excerpt.read_text(encoding="utf-8").splitlines()[1:]
        for number, text in [line.split("\t")]
    }


def definitions() -> list[tuple[str, Grounded]]:
    found: list[tuple[str, Grounded]] = [("scoring", load_scoring())]
    found += [(service.service, service) for service in load_services().services]
    months = csv.DictReader(files("transforms.reference").joinpath("promotion_months.csv").read_text().splitlines())
    found += [
        (
            f"{row['month']} from {row['valid_from']}",
            Grounded(legal_basis=row["legal_basis"], cited_at=row["cited_at"] or None),
        )
        for row in months
    ]
    for indicator in load_indicators():
        found += [(indicator.id, indicator), *((f"{indicator.id} {v.version}", v) for v in indicator.versions)]
    return found


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text.replace("Badan Kepegawaian Negara", "BKN")).casefold()


def says(lines: str, document: str) -> bool:
    """Whether the lines have the document's number, or where it has none its name."""
    number = re.search(r"(?:Nomor|No\.) ([^\s()]+)(?: Tahun (\d{4}))?", document)
    if number is None:
        return squeezed(document) in squeezed(lines)
    year = f"tahun{number[2]}" if number[2] else ""
    return re.search(rf"no(mor)?[.:]?{re.escape(number[1].casefold())}{year}", squeezed(lines)) is not None


@pytest.mark.parametrize(
    ("name", "definition"), definitions(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_cited_lines_name_the_document(name: str, definition: Grounded) -> None:
    lines = report_lines()
    documents = [] if definition.legal_basis == NOT_STATED else definition.legal_basis.split("; ")
    for document, (first, last) in zip(documents, definition.places, strict=True):
        cited = " ".join(lines[number] for number in range(first, last + 1))
        assert says(cited, document), f"{name}: {document}: {cited}"


def test_a_citation_of_other_lines_is_seen() -> None:
    lines = report_lines()
    assert not says(lines[1221], "Permenpan RB Nomor 38 Tahun 2018")
    assert not says(lines[784], "Surat Deputi Bidang Sistem Informasi Kepegawaian BKN 2024")


@pytest.mark.parametrize("statement", load_statements(2024), ids=lambda item: item.item)
def test_a_statement_stands_where_it_is_said_to(statement: PrintedItem) -> None:
    """Each word of it, in the lines of its source; of a year's grade the name alone."""
    lines = report_lines()
    cited = [(int(first), int(last or first)) for first, last in re.findall(r"\[L(\d+)(?:-(\d+))?\]", statement.source)]
    text = squeezed(" ".join(lines[number] for first, last in cited for number in range(first, last + 1)))
    assert cited and statement.value is not None
    assert [name for name in statement.value.split("; ") if squeezed(name) not in text] == []


def test_the_excerpt_is_the_report() -> None:
    """Wherever the report's text stands beside the project, the lines are compared with it."""
    root = Path(__file__).parents[2]
    for text in (file for near in (root.parent, root.parent.parent) for file in near.glob("shared/seed/*.txt")):
        whole = [" ".join(line.split()) for line in text.read_text(encoding="utf-8").split("\n") if line.strip()]
        assert {number: whole[number - 1] for number in report_lines()} == report_lines()


def test_what_is_inferred_says_so() -> None:
    found = {(i.id, v.version) for i in load_indicators() for v in i.versions if v.inferred}
    assert found == INFERRED
    assert not any(isinstance(definition, Indicator) and definition.inferred for _, definition in definitions())


def test_a_document_without_its_place_is_refused() -> None:
    with pytest.raises(ValueError, match="cited_at names the lines"):
        Grounded(legal_basis="Permenpan RB Nomor 38 Tahun 2018")
    with pytest.raises(ValueError, match="cited_at names the lines"):
        Grounded(legal_basis=NOT_STATED, cited_at="LKj 2024 [L12]")
