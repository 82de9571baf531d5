"""A JSON Lines delivery: values keep the letters they were delivered in; what is no flat object is refused with the line."""

import json

import pyarrow.parquet as pq
import pytest

from tests import delivery_desk
from warehouse.landing import jsonl_file, text_file
from warehouse.landing.delivery import Landed

desk = delivery_desk.desk
JSON_VALUES = [
    ('"x"', "x"),
    ('""', ""),
    ('" x "', " x "),
    ('"a\\"b\\n\\u00e9"', 'a"b\né'),
    ("198003012005011001", "198003012005011001"),
    ("12345678901234567890123456", "12345678901234567890123456"),
    ("1.98003E+17", "1.98003E+17"),
    ("93.360", "93.360"),
    ("-0.5", "-0.5"),
    ("0", "0"),
    ("true", "true"),
    ("false", "false"),
    ("null", None),
    ('"null"', "null"),
    ('"1.98003E+17"', "1.98003E+17"),
]


def test_json_values_keep_the_letters_they_were_delivered_in(desk):
    columns = [f"v{i}" for i in range(len(JSON_VALUES))]
    pairs = ", ".join(f'"{column}": {value}' for column, (value, _) in zip(columns, JSON_VALUES, strict=True))
    assert desk.jsonl(f"{{{pairs}}}\n", columns) == [tuple(text for _, text in JSON_VALUES)]


def test_json_lines_in_any_order_with_missing_keys_blank_lines_and_windows_ends(desk):
    data = '\ufeff{"c":"3","a":"1"}\r\n\r\n {"b":"5"} \r\n{}\n{"a":null,"b":true,"c":6}'
    assert desk.jsonl(data) == [("1", None, "3"), (None, "5", None), (None, None, None), (None, "true", "6")]
    assert desk.land(desk.root / "f.jsonl") == Landed(4, "jsonl", False, True)


def test_json_keys_unknown_anywhere_and_columns_that_no_line_has(desk):
    refused = desk.refused_jsonl('{"a":1,"b":2}\n{"a":1,"x":2}\n{"y":3}\n')
    assert refused.code == "missing_column"
    assert "columns missing: c; unknown columns: x, y." in refused.message
    refused = desk.refused_jsonl('{"a":1,"b":2,"c":3}\n{"a":1,"x":2}\n')
    assert refused.code == "unknown_column"
    assert desk.refused_jsonl('{"a":1}\n{"b":2}\n').code == "missing_column"


def test_ever_new_json_keys_do_not_fill_the_memory(desk):
    data = '{"a":1,"b":2,"c":3}\n' + "".join(f'{{"k{i}":1}}\n' for i in range(200))
    refused = desk.refused_jsonl(data)
    assert refused.code == "unknown_column"
    assert "k29, ... (+21)." in refused.message


@pytest.mark.parametrize("value", ['{"k": 1}', "[1, 2]", "[]", "{}"])
def test_a_nested_json_value_is_refused_with_line_and_column(desk, value):
    refused = desk.refused_jsonl(f'{{"a":1,"b":2,"c":3}}\n\n{{"a":1,"b":{value},"c":3}}\n')
    assert refused.code == "nested_value"
    assert "line 3, column b:" in refused.message
    assert "baris 3, kolom b:" in refused.message_id


@pytest.mark.parametrize(
    "line",
    [
        '{"a":1,',
        '{"a":1}{"b":2}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        "{'a':1}",
        '{"a":1,}',
        '{"a":"x\ty"}',
        '{"a":01}',
        "a,b,c",
        "[" * 100_000,
    ],
)
def test_invalid_json_is_refused_with_the_line(desk, line):
    refused = desk.refused_jsonl(f'{{"a":1,"b":2,"c":3}}\n{line}\n')
    assert refused.code == "invalid_json"
    assert "line 2 is not valid JSON" in refused.message


@pytest.mark.parametrize("line", ['[{"a":1}]', "5", '"a"', "null", "[]"])
def test_a_line_that_is_no_object_is_refused(desk, line):
    refused = desk.refused_jsonl(f'{{"a":1,"b":2,"c":3}}\n{line}\n')
    assert refused.code == "invalid_json"
    assert "line 2 holds no JSON object" in refused.message


def test_a_key_twice_in_one_object_is_refused(desk):
    refused = desk.refused_jsonl('{"a":1,"b":2,"c":3}\n{"a":1,"b":2,"a":3}\n')
    assert refused.code == "duplicate_column"
    assert "line 2: column a stands more than once" in refused.message


def test_json_encoding_faults(desk):
    refused = desk.refused_jsonl(b'{"a":1,"b":2,"c":3}\n{"a":"\xe9"}\n')
    assert refused.code == "encoding"
    assert "line 2 " in refused.message
    refused = desk.refused_jsonl('{"a":1,"b":2,"c":3}\n{"b":"\\ud800"}\n')
    assert refused.code == "encoding"
    assert "line 2, column b" in refused.message


def test_json_over_many_blocks_keeps_order_and_lines(desk, monkeypatch):
    monkeypatch.setattr(text_file, "BLOCK_BYTES", 4096)
    monkeypatch.setattr(jsonl_file, "_BATCH_BYTES", 1_000_000)
    lines = [json.dumps({"a": i, "b": f"x{i}", "c": i % 2 == 0}) for i in range(50_000)]
    rows = desk.jsonl("\n".join(lines) + "\n")
    assert rows == [(str(i), f"x{i}", "true" if i % 2 == 0 else "false") for i in range(50_000)]
    assert pq.read_metadata(desk.target).num_row_groups == 2
    assert "line 50001 " in desk.refused_jsonl("\n".join(lines) + "\n{\n").message


def test_a_json_refusal_does_not_carry_the_line(desk):
    refused = desk.refused_jsonl('{"a":"RAHASIA"\n')
    assert "RAHASIA" not in refused.message
    assert refused.__cause__ is None
    assert refused.__context__ is None
