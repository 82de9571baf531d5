"""What ``kpi validate`` says to a clerk: whether the file is good, and of each fault where it is, what is wrong and what to do."""

from collections.abc import Mapping
from typing import Any

from warehouse.store.places import Place

_WORDS: dict[str, Mapping[str, str]] = {
    "id": {
        "good": "{file}: berkas baik. {rows} baris, semuanya sesuai dengan kontrak {source}; siap dikirim.",
        "noted": "{file}: berkas baik, dengan catatan. {rows} baris, semuanya dapat diterima menurut kontrak {source}.",
        "faulty": "{file}: belum baik. {faulty} dari {rows} baris akan dikarantina.",
        "whole": "{file}: belum baik. Berkas ini akan ditolak seluruhnya.",
        "refused": "Berkas ini akan ditolak seluruhnya, tidak satu baris pun diterima:",
        "quarantine": "kolom {column}: {count} baris dikarantina (aturan {rule})",
        "warn": "kolom {column}: {count} baris, catatan saja (aturan {rule})",
        "refuse": "kolom {column}: {count} baris, berkas ditolak (aturan {rule})",
        "where": "Letak: {places}",
        "more": "dan {count} baris lain",
        "remedy": "Perbaikan: {remedy}",
        "copy": "Salinan bertanda (sel yang salah diwarnai, alasannya di kolom terakhir): {copy}",
        "no_copy": "Salinan bertanda tidak dapat dibuat: {problem}",
    },
    "en": {
        "good": "{file}: a good file. {rows} rows, all as the contract {source} asks; ready to be delivered.",
        "noted": "{file}: a good file, with notes. {rows} rows, all acceptable by the contract {source}.",
        "faulty": "{file}: not good yet. {faulty} of {rows} rows would be quarantined.",
        "whole": "{file}: not good yet. The file would be refused whole.",
        "refused": "This file would be refused whole, no row of it would be accepted:",
        "quarantine": "column {column}, rows quarantined: {count} (rule {rule})",
        "warn": "column {column}, a note only, rows: {count} (rule {rule})",
        "refuse": "column {column}, the file is refused, rows: {count} (rule {rule})",
        "where": "Where: {places}",
        "more": "and {count} more",
        "remedy": "Remedy: {remedy}",
        "copy": "Marked copy (failing cells are coloured, the last column has the reasons): {copy}",
        "no_copy": "The marked copy could not be written: {problem}",
    },
}


def validation_lines(result: Mapping[str, Any], language: str) -> list[str]:
    """The lines that a clerk reads, in ``language`` (``id`` or ``en``)."""
    words = _WORDS[language]
    if result["refused"]:
        return [words["refused"], result["refused"]]
    lines = [
        words[_verdict(result)].format(
            file=result["file"],
            source=result["source"],
            rows=_number(result["rows"], language),
            faulty=_number(result["faulty_rows"], language),
        )
    ]
    lines += result["notes"]
    for number, failure in enumerate(result["failures"], start=1):
        lines += ["", *_failure_lines(number, failure, language)]
    if result["marked_copy"]:
        lines += ["", words["copy"].format(copy=result["marked_copy"])]
    if result["marked_copy_problem"]:
        lines += ["", words["no_copy"].format(problem=result["marked_copy_problem"])]
    return lines


def _verdict(result: Mapping[str, Any]) -> str:
    if result["ok"]:
        return "noted" if result["failures"] or result["notes"] else "good"
    return "whole" if any(failure["severity"] == "refuse" for failure in result["failures"]) else "faulty"


def _failure_lines(number: int, failure: Mapping[str, Any], language: str) -> list[str]:
    words = _WORDS[language]
    head = words[failure["severity"]].format(
        column=failure["column"], count=_number(failure["rows"], language), rule=failure["rule"]
    )
    places = [Place(**place).text(language) for place in failure["first_places"]]
    if (rest := failure["rows"] - len(places)) > 0:
        places.append(words["more"].format(count=_number(rest, language)))
    lines = [f"{number}. {head}", f"   {failure['message']}"]
    if failure["remedy"]:
        lines.append("   " + words["remedy"].format(remedy=failure["remedy"]))
    return [*lines, "   " + words["where"].format(places=", ".join(places))]


def _number(count: int, language: str) -> str:
    """With the thousands separator of the language."""
    return f"{count:,}".replace(",", ".") if language == "id" else f"{count:,}"
