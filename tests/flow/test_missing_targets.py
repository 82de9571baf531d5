"""A year whose targets were never printed has no NPSS, says which are missing, and has one as soon as they are delivered."""

from pathlib import Path

from tests.time_home import TimeHome
from warehouse.reading.published_values import read_scores
from warehouse.trace.explain import explain

REALIZED = {
    "IKU-01": "38.8", "IKU-02": "100", "IKU-03": "88.86", "IKU-04": "88.81", "IKU-05": "100", "IKU-06": "55.10", "IKU-07": "75.00",
    "IKU-08": "100", "IKU-09": "80.00", "IKU-10": "90.00", "IKU-11": "80.00", "IKU-12": "70.00", "IKU-13": "95.00", "IKU-14": "100",
}  # fmt: skip
# As Grafik 3.2, 3.5, 3.6, 3.8, 3.13 and 3.15 of the report of 2024 print them; those of IKU-07 to IKU-14 it does not print.
PRINTED = {"IKU-01": "40", "IKU-02": "100", "IKU-03": "87", "IKU-04": "87", "IKU-05": "100", "IKU-06": "95"}
UNPRINTED = [indicator for indicator in REALIZED if indicator not in PRINTED]


def agreed(targets: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"indikator": indicator, "tahun": "2022", "target": target, "sasaran": "", "perspektif": ""}
        for indicator, target in targets.items()
    ]


def test_targets_that_come_later_give_the_year_its_score(tmp_path: Path) -> None:
    place = TimeHome(tmp_path)
    place.deliver(
        "published_value/lkj.csv",
        *(
            {"kantor": "07", "indikator": indicator, "tahun": "2022", "ukuran": "realisasi", "nilai": value,
             "desimal": str(len(value.partition(".")[2])), "sumber": "LKj 2022"}
            for indicator, value in REALIZED.items()
        ),
    )  # fmt: skip
    place.deliver("performance_agreement/printed.csv", *agreed(PRINTED))
    place.run("2025-01-10")
    before = read_scores(place.home, 2022).shape
    steps = {step["id"]: step for step in explain(place.root, "NPSS", "2022")["steps"]}
    place.deliver("performance_agreement/found.csv", *agreed(dict.fromkeys(UNPRINTED, "100")))
    place.run("2025-01-11")
    after = read_scores(place.home, 2022).shape

    assert (before["npss"], before["missing_targets"]) == (None, UNPRINTED)
    assert before["reason"] == (
        "no NPSS: no score for learning_growth; no target of 2022 for IKU-07, IKU-08, IKU-09, IKU-10, IKU-11, IKU-12, IKU-13, IKU-14: "
        "performance_agreement brings them"
    )
    assert [steps[name]["status"] for name in ("IKU-06", "IKU-07", "SS7", "learning_growth")] == [
        "reported", "no_target", "no_capaian", "no_perspective_score",
    ]  # fmt: skip
    assert (after["missing_targets"], after["reason"]) == ([], None)
    # (98.50 + 102.11 + 83.25 + 85.83) / 4, from unrounded capaian: SS6 and SS7 have their indicators now
    assert after["npss"] == "92.42"
    assert read_scores(place.home, 2022).shape["objectives"][6] == {"id": "SS7", "nss": "85.83"}
