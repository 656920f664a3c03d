import pytest

from tests.datasets.corpora import refusal
from voicelstm.datasets import load_csv
from voicelstm.datasets._problems import Problems, shortened


def test_a_long_list_of_problems_is_cut_at_twenty(tree):
    root = tree(t="path,label\n" + "".join(f"{i}.wav,{i % 2}\n" for i in range(25)))
    message = refusal(load_csv, root / "t.csv")
    assert "Missing files (25)" in message
    assert "line 21: 19.wav\n    and 5 more" in message
    assert "20.wav" not in message


def test_kinds_come_in_the_order_in_which_they_were_met_each_with_its_first_remedy():
    problems = Problems("labels.csv")
    problems.add("Rows without a path", "line 3", "Fill the column.")
    problems.add("Missing files", "line 2: a.wav", "Look elsewhere.")
    problems.add("Rows without a path", "line 9", "Another remedy.")
    assert refusal(problems.raise_any) == (
        "labels.csv cannot be used as it is:\n"
        "- Rows without a path (2). Fill the column.\n"
        "    line 3\n"
        "    line 9\n"
        "- Missing files (1). Look elsewhere.\n"
        "    line 2: a.wav"
    )


def test_where_nothing_was_noted_nothing_is_raised():
    Problems("labels.csv").raise_any()


@pytest.mark.parametrize(("n_values", "rest"), [(20, ""), (21, " and 1 more"), (400, " and 380 more")])
def test_a_line_of_values_is_cut_at_twenty(n_values, rest):
    assert shortened(range(n_values)) == ", ".join(map(str, range(20))) + rest


def test_problems_of_parts_are_noted_together_with_their_names():
    whole = Problems("corpus")
    assert not whole
    for name, columns in (("a.csv", "'x'"), ("b.csv", "'y'")):
        part = Problems(name)
        part.add("Columns that the header lacks", "'path'", f"The header has {columns}.")
        part.add("Rows without a label", "line 3", "Fill the column.")
        whole.add_part(name, part)
    assert whole
    assert refusal(whole.raise_any) == (
        "corpus cannot be used as it is:\n"
        "- Columns that the header lacks (2). The header has 'x'.\n"
        "    a.csv 'path'\n"
        "    b.csv 'path'. The header has 'y'.\n"
        "- Rows without a label (2). Fill the column.\n"
        "    a.csv line 3\n"
        "    b.csv line 3"
    )
