"""Other orders of sample deliveries: another seed and scale, earlier years, and orders that cannot be met."""

from datetime import datetime
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from sample_data import integration, write_deliveries
from sample_data.order import Order
from tests.sample_logs import counted, delivered, in_scope, newest_letters, typed


def test_another_seed_and_scale_give_the_figures_times_the_scale(tmp_path):
    write_deliveries(tmp_path, [2021], scale=2, seed=7, faults=False)
    promotion = in_scope(typed(delivered(tmp_path, "promotion"), "promotion"), 2021)
    nip = in_scope(typed(delivered(tmp_path, "nip"), "nip"), 2021)

    assert promotion.height == 27_000
    assert counted(promotion, "period") == {
        datetime(2021, 4, 1).date(): 14_200,
        datetime(2021, 10, 1).date(): 12_800,
    }
    assert counted(promotion, "region")["Sumatera Selatan"] == 10_240
    assert counted(nip, "at_cut") == {"MS": 5_922, "TMS": 70}
    assert delivered(tmp_path, "integration").filter(pl.col("nomor_surat") == "SAMPLE-1/2021").height >= 49 * 8


@pytest.mark.parametrize(
    ("year", "integrated", "webservice"), [(2020, 15, 10), (2021, 38, 12), (2022, 27, 14), (2023, 49, 16)]
)
def test_integration_until_2023_counts_any_history_type(tmp_path, year, integrated, webservice):
    integration.write(Order(tmp_path, [year]))
    newest = newest_letters(tmp_path).filter(pl.col("tw") == "4")
    agencies = newest.group_by("instansi_kode", "kanal").agg((pl.col("terintegrasi") == "true").any())

    assert agencies.height == 49
    assert agencies["terintegrasi"].sum() == integrated
    assert counted(agencies, "kanal") == {"webservice": webservice, "simpegnas": 49 - webservice}


@pytest.mark.parametrize(("years", "scale", "named"), [([2019], 1, "2019"), ([2024], 0, "scale"), ([], 1, "year")])
def test_an_order_that_cannot_be_met_is_refused(tmp_path, years, scale, named):
    with pytest.raises(ValueError, match=named):
        write_deliveries(tmp_path, years, scale, seed=1, faults=False)

    assert not list(tmp_path.iterdir())


def test_no_file_of_the_package_is_long():
    modules = Path(str(files("sample_data"))).rglob("*.py")

    assert max(len(module.read_text().splitlines()) for module in modules) <= 400
