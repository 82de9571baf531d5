"""The password of our Prefect server: one a home, at random, for the owner's eyes only."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flows.prefect_secret import api_secret, secret_file


def test_it_is_made_once_and_only_the_owner_can_read_it(tmp_path: Path) -> None:
    first = api_secret(tmp_path / "a")
    user, _, password = first.partition(":")
    assert (user, len(password)) == ("kpi", 43)
    assert api_secret(tmp_path / "a") == first != api_secret(tmp_path / "b")
    file = secret_file(tmp_path / "a")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_commands_that_start_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as several:
        assert len(set(several.map(lambda _: api_secret(tmp_path), range(40)))) == 1


@pytest.mark.parametrize("content", ["", "kpi:short", "\x00\xff", "somebody:" + "x" * 43])
def test_one_that_is_damaged_is_replaced(tmp_path: Path, content: str) -> None:
    api_secret(tmp_path)
    secret_file(tmp_path).write_text(content, encoding="utf-8")
    assert api_secret(tmp_path).startswith("kpi:")
    assert len(api_secret(tmp_path)) == 47


def test_one_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    first = api_secret(tmp_path)
    secret_file(tmp_path).chmod(0o644)
    assert api_secret(tmp_path) != first
    assert secret_file(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    chosen = tmp_path / "chosen"
    chosen.write_text("kpi:" + "x" * 43)
    chosen.chmod(0o600)
    secret_file(tmp_path).parent.mkdir(mode=0o700)
    secret_file(tmp_path).symlink_to(chosen)
    assert api_secret(tmp_path) != "kpi:" + "x" * 43
    assert chosen.read_text() == "kpi:" + "x" * 43
