"""Every worked example of every indicator, through its real evidence query and the product's own derivation."""

import pytest
from in_memory import derive, give_states, shown

from transforms.definitions import Example, Indicator, load_indicators
from transforms.exact import decimal_text

EXAMPLES = [(indicator, example) for indicator in load_indicators() for example in indicator.examples]


@pytest.mark.parametrize(
    ("indicator", "example"), EXAMPLES, ids=[f"{indicator.id}: {example.title}" for indicator, example in EXAMPLES]
)
def test_a_worked_example_comes_out(memory, indicator: Indicator, example: Example):
    for source, csv in example.given.items():
        give_states(memory, source, csv)
    found = derive(memory, indicator, example.period, example.as_of)
    outcome = found.outcome
    assert (shown(found), outcome.status) == (example.value, example.status)
    assert (decimal_text(outcome.numerator), decimal_text(outcome.denominator)) == (
        example.numerator,
        example.denominator,
    )
    if example.excluded is not None:
        assert found.evidence.excluded == example.excluded
    if example.flags is not None:
        assert found.evidence.flags == example.flags


def test_every_indicator_has_two_examples_or_more():
    assert {indicator.id for indicator in load_indicators()} >= {f"IKU-{number:02}" for number in range(1, 15)}
    assert [indicator.id for indicator in load_indicators() if len(indicator.examples) < 2] == []
