"""Column names of a delivery: missing, unknown, duplicate or strange ones, and what a refusal says of them."""

from tests import delivery_desk

desk = delivery_desk.desk


def test_missing_and_unknown_columns_are_named_in_one_message(desk):
    refused = desk.refused_csv("a,x,b,y z\n1,2,3,4\n", ("a", "b", "c", "d"))
    assert refused.code == "missing_column"
    assert "columns missing: c, d; unknown columns: x, y z." in refused.message
    assert "kolom yang tidak ada: c, d; kolom yang tidak dikenal: x, y z." in refused.message_id


def test_missing_columns_alone(desk):
    refused = desk.refused_csv("b\n1\n")
    assert refused.code == "missing_column"
    assert "columns missing: a, c." in refused.message


def test_unknown_columns_alone(desk):
    refused = desk.refused_csv("a,b,c,d,\n1,2,3,4,5\n")
    assert refused.code == "unknown_column"
    assert "unknown columns: d, #5 (no name)." in refused.message
    assert "d, #5 (tanpa nama)." in refused.message_id


def test_names_are_trimmed_and_their_case_counts(desk):
    assert desk.csv(' a ,"b ",\tc\n1,2,3\n') == [("1", "2", "3")]
    refused = desk.refused_csv("A,b,c\n1,2,3\n")
    assert "letter case or spelling: A = a." in refused.message
    assert "ejaan lain: A = a." in refused.message_id
    assert "columns missing: a, c; unknown columns: A (= a?), x." in desk.refused_csv("A,b,x\n1,2,3\n").message


def test_duplicate_columns(desk):
    refused = desk.refused_csv("a,b,c, b\n1,2,3,4\n")
    assert refused.code == "duplicate_column"
    assert "more than once: b." in refused.message


def test_a_missing_header_row_does_not_print_the_first_person(desk):
    refused = desk.refused_csv("1,198003012005011001,BUDI SANTOSO\n2,3,4\n")
    assert refused.code == "missing_column"
    assert "none of the 3 columns found" in refused.message
    for text in (refused.message, refused.message_id):
        assert "BUDI" not in text
        assert "1980" not in text


def test_a_name_that_may_be_data_is_shown_as_its_position(desk):
    refused = desk.refused_csv(f"a,198003012005011001,{'x' * 41},b,c\n1,2,3,4,5\n")
    assert "unknown columns: #2, #3." in refused.message


def test_another_separator_is_refused_with_a_word_about_it(desk):
    refused = desk.refused_csv("a\tb\tc\n1\t2\t3\n")
    assert refused.code == "missing_column"
    assert "separator must be a comma or a semicolon" in refused.message


def test_a_header_of_endless_names_has_a_short_message(desk):
    refused = desk.refused_csv("a,b,c," + ",".join(f"x{i}" for i in range(50_000)) + "\n")
    assert refused.code == "unknown_column"
    assert refused.message.endswith(
        "x29, ... (+49970). Remove them, or use the column names of the contract, and deliver the file again."
    )
    assert len(desk.refused_csv("x" * 3_000_000 + "\n1\n").message) < 500


def test_column_names_that_sql_would_stumble_over(desk):
    columns = ('o"x', "it's", "select", "a b", "x;y")
    assert desk.csv('"o""x",it\'s,select,a b,"x;y"\n1,2,3,4,5\n', columns) == [("1", "2", "3", "4", "5")]


def test_a_single_column(desk):
    assert desk.csv("a\n1\n2\n", ("a",)) == [("1",), ("2",)]
    assert desk.jsonl('{"a": "1"}\n{}\n', ("a",)) == [("1",), (None,)]
