"""Rows of delimited text: each is read as it was written, or refused with its line."""

import bz2
import csv
import gzip
import lzma
import re

import pandas as pd
import pytest

from spacy_attn.data import DatasetError
from spacy_attn.data.reader import HFDataset_v1

STREAMING = pytest.mark.parametrize("streaming", [False, True])
ROWS = [("great fun", "pos"), ("a bore", "neg"), ("so good", "pos")]
CATS = {"pos": {"neg": 0.0, "pos": 1.0}, "neg": {"neg": 1.0, "pos": 0.0}}


@pytest.fixture
def write_text(tmp_path):
    """Write a file, and return its path."""

    def write(content, name="rows.csv", encoding="utf8"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        data = content.encode(encoding)
        compress = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
        path.write_bytes(compress.get(path.suffix, bytes)(data))
        return str(path)

    return write


def pairs(rows):
    return [(text, next(name for name, value in cats.items() if value)) for text, cats in rows]


def refuses(read, path, expected, **settings):
    with pytest.raises(DatasetError, match=re.escape(expected)):
        read(path, **settings)


# A row that has not the fields of the header


@STREAMING
@pytest.mark.parametrize(
    ("content", "line", "found"),
    [
        ("label,text\npos,Great, funny and moving.\n", 2, 3),
        ("text,label\nGreat, funny,pos\nBad, dull,neg\n", 2, 3),
        ("text,label\na,pos\n\n   \nb\n", 5, 1),
        ('text,label\n"a\nb",pos\nc,pos,\n', 4, 3),
        ("label,text\n1,Great, funny\n0,Bad, dull\n1,So, so\n", 2, 3),
    ],
)
def test_row_with_another_number_of_fields_is_refused(
    read, write_text, content, line, found, streaming
):
    expected = f"file 'rows.csv', line {line}: there are {found} fields where the header has 2"
    refuses(read, write_text(content), expected, streaming=streaming)


def test_row_with_another_number_of_fields_is_refused_far_into_a_file(read, write_text):
    content = "text,label\r\n" + '"a\r\nb",pos\r\n' * 12_000 + "c\r\n"
    refuses(read, write_text(content), "line 24002: there are 1 fields")


@STREAMING
@pytest.mark.parametrize("extension", [".csv.gz", ".csv.bz2", ".csv.xz"])
def test_compressed_files_are_checked(read, write_text, extension, streaming):
    good = write_text("text,label\na,pos\n", f"good{extension}")
    assert read(good, streaming=streaming) == [("a", {"pos": 1.0})]
    bad = write_text("text,label\na,pos\nb\n", f"bad{extension}")
    refuses(read, bad, f"file 'bad{extension}', line 3: there are 1 fields", streaming=streaming)


@STREAMING
@pytest.mark.parametrize("path", ["data", "data/*.csv", "csv"])
def test_every_file_of_a_data_set_is_checked(read, write_text, path, streaming):
    write_text("text,label\na,pos\n", "data/train-1.csv")
    write_text("label,text\npos,b\npos,c,d\n", "data/train-2.csv")
    data_files = ["data/train-1.csv", "data/train-2.csv"] if path == "csv" else None
    expected = "file 'data/train-2.csv', line 3: there are 3 fields"
    path = "./data" if path == "data" else path
    refuses(read, path, expected, data_files=data_files, streaming=streaming)


@STREAMING
def test_files_of_a_data_set_may_order_their_columns_differently(read, write_text, streaming):
    write_text("text,label\na,pos\n", "data/train-1.csv")
    write_text("label,other,text\npos,1,b\n", "data/train-2.csv")
    assert read("data/*.csv", streaming=streaming) == [("a", {"pos": 1.0}), ("b", {"pos": 1.0})]


@STREAMING
def test_missing_column_is_refused_with_the_file_that_lacks_it(read, write_text, streaming):
    write_text("text,label\na,pos\n", "data/train-1.csv")
    write_text("text,stars\na,pos\n", "data/train-2.csv")
    expected = "file 'data/train-2.csv', line 1: there is no column 'label'; change the setting"
    refuses(read, "data/*.csv", expected, streaming=streaming)


def test_two_columns_of_the_name_asked_for_are_refused(read, write_text):
    path = write_text("text,label,text\na,pos,b\n")
    refuses(read, path, "several columns are named 'text'")


def test_columns_that_nobody_asks_for_may_have_any_name_or_none(read, write_text):
    path = write_text(",text,label,x,x\n0,a,pos,1,2\n")
    assert read(path) == [("a", {"pos": 1.0})]


# Row names


@STREAMING
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_row_names_as_r_writes_them_are_recognized(read, write_text, delimiter, streaming):
    lines = [["text", "label"], *([str(i), *row] for i, row in enumerate(ROWS, 1))]
    content = "\n".join(delimiter.join(f'"{value}"' for value in line) for line in lines)
    rows = read(write_text(content), streaming=streaming, labels=["neg", "pos"])
    assert pairs(rows) == ROWS


@STREAMING
@pytest.mark.parametrize("label", [None, ""])
def test_index_as_pandas_writes_it_is_recognized(read, tmp_path, label, streaming):
    frame = pd.DataFrame(ROWS, columns=["text", "label"], index=[7, 3, 5])
    frame.to_csv(tmp_path / "rows.csv", index_label=label)
    assert pairs(read("rows.csv", streaming=streaming, labels=["neg", "pos"])) == ROWS


@pytest.mark.parametrize("row", ["great,pos", "7,great,fun,pos", "x,great,pos"])
def test_row_without_a_name_among_rows_with_names_is_refused(read, write_text, row):
    names = "".join(f"{i},a,pos\n" for i in range(10_000))
    path = write_text(f'"text","label"\n{names}{row}\n')
    refuses(read, path, "line 10002: ")


# Quotes

SWALLOWED = 'text,label\n"I love it,pos\nmeh,neg\nok,neg\nfive of 5",pos\nbye,neg\n'


@STREAMING
def test_field_that_swallows_rows_is_refused_with_its_line(read, write_text, streaming):
    path = write_text(SWALLOWED)
    expected = "line 2: a field that begins with a quote takes in 3 lines that look like rows"
    refuses(read, path, expected, streaming=streaming)
    path = write_text('label,text\npos,"I love it\nneg,meh\npos,five of 5"\nneg,bye\n', "b.csv")
    refuses(read, path, "line 2: a field that begins with a quote takes in 2 lines")


def test_field_that_looks_like_rows_is_read_as_asked_for(read, write_text):
    path = write_text(SWALLOWED)
    assert len(read(path, quoting="none")) == 5
    assert len(read(path, quoting="minimal")) == 2


def test_text_of_several_lines_is_read(read, write_text):
    texts = ["Hello, friend\nbye", "a,b\r\nc,d\n\nneg, pos", 'so "so",\n', "neg\npos"]
    frame = pd.DataFrame({"text": texts, "label": ["pos", "neg", "pos", "neg"]})
    rows = read(write_text(frame.to_csv(index=False)))
    assert [text for text, _ in rows] == texts


@STREAMING
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('text,label\na,pos\n"b,pos\nc,neg\n', "line 3: the quote that begins a field is never"),
        ('text;label\n"b" c;pos\n', "line 2: text follows the quote that closes a field; set quo"),
        ('text,label\n"b" c,pos\n', "line 2: text follows the quote that closes a field; set quo"),
        ('text,label\n"say \\"b\\"",pos\n', "line 2: text follows the quote that closes a field"),
        ('text,"label\na,pos\n', "line 1: the quotes in the header do not match"),
    ],
)
def test_quotes_that_do_not_match_are_refused(read, write_text, content, expected, streaming):
    refuses(read, write_text(content), expected, streaming=streaming)


def test_escaped_quotes_are_read_with_the_escape(read, write_text):
    path = write_text('text,label\n"say \\"b\\", c",pos\nd\\,e,neg\n')
    assert pairs(read(path, escape="\\")) == [('say "b", c', "pos"), ("d,e", "neg")]


@STREAMING
def test_quotes_between_tabs_are_text(read, write_text, streaming):
    rows = [('"a', "pos"), ('"b" c', "neg"), ('d"', "pos"), ('"e"', "neg"), ('""', "pos")]
    content = "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)
    path = write_text(content, "rows.tsv")
    assert pairs(read(path, streaming=streaming, labels=["neg", "pos"])) == rows


@STREAMING
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('say "a"', 'line 2: column \'text\' holds \'"say ""a"""\', as programs write a text with'),
        ("a\tb", 'line 2: there are 3 fields where the header has 2; set quoting = "minimal" if'),
        ("a\nb", 'line 2: there are 1 fields where the header has 2; set quoting = "minimal" if'),
    ],
)
def test_tabs_and_quotes_written_by_a_program_are_refused_and_read_as_asked_for(
    read, tmp_path, text, expected, streaming
):
    frame = pd.DataFrame({"text": [text], "label": ["pos"]})
    frame.to_csv(tmp_path / "rows.tsv", sep="\t", index=False)
    refuses(read, "rows.tsv", expected, streaming=streaming)
    assert read("rows.tsv", quoting="minimal", streaming=streaming) == [(text, {"pos": 1.0})]


def test_header_in_quotes_shows_that_quotes_enclose_fields(read, tmp_path):
    frame = pd.DataFrame({"text": ['a\t"b"\nc'], "label": ["pos"]})
    frame.to_csv(tmp_path / "rows.tsv", sep="\t", index=False, quoting=csv.QUOTE_ALL)
    assert read("rows.tsv") == [('a\t"b"\nc', {"pos": 1.0})]


# Delimiters, encodings, sizes


@STREAMING
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_delimiter_is_recognised_by_the_header(read, write_text, delimiter, streaming):
    content = "".join(f"{a}{delimiter}{b}\n" for a, b in [("text", "label"), *ROWS])
    assert pairs(read(write_text(content), streaming=streaming, labels=["neg", "pos"])) == ROWS


def test_other_delimiters_are_named(read, write_text):
    path = write_text("text:label\na,b:pos\n")
    assert read(path, delimiter=":") == [("a,b", {"pos": 1.0})]
    refuses(read, path, "there is no column 'text'; change the setting that names it to one of")


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_encoding_is_asked_for_with_the_line_and_then_used(read, write_text, name):
    path = write_text("text,label\na,pos\ncafé,neg\n", name, "latin-1")
    refuses(read, path, f"file '{name}', line 3: it is not UTF-8 (byte 0xe9); set 'encoding'")
    assert pairs(read(path, encoding="latin-1")) == [("a", "pos"), ("café", "neg")]


def test_utf16_is_recognised_and_read_when_asked_for(read, write_text):
    path = write_text("text,label\ncafé,neg\n", encoding="utf-16")
    refuses(read, path, 'line 1: it is not UTF-8; set encoding = "utf-16"')
    assert read(path, encoding="utf-16") == [("café", {"neg": 1.0})]
    path = write_text("text,label\na,neg\n", encoding="utf-16-le")
    refuses(read, path, "line 1: it holds a null character; set 'encoding'")


def test_wrong_encoding_is_refused(read, write_text):
    path = write_text("text,label\ncafé,neg\n")
    refuses(read, path, "it is not text in the encoding 'ascii'", encoding="ascii")


@pytest.mark.parametrize("encoding", [None, "utf-8", "UTF8"])
def test_byte_order_mark_is_no_part_of_the_first_column(read, write_text, encoding):
    path = write_text("\ufefftext,label\na,pos\n")
    assert read(path, encoding=encoding) == [("a", {"pos": 1.0})]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings_of_every_system_are_read(read, write_text, ending):
    path = write_text(ending.join(["text,label", "a\x85b\u2028c,pos", "", "d,neg"]))
    assert [text for text, _ in read(path)] == ["a\x85b\u2028c", "d"]


def test_long_texts_are_read_and_the_limit_of_the_csv_module_restored(read, write_text):
    limit = csv.field_size_limit()
    assert read(write_text(f"text,label\n{'a' * 500_000},pos\n"))[0][0] == "a" * 500_000
    assert csv.field_size_limit() == limit


def test_empty_file_is_refused(read, write_text):
    refuses(read, write_text("\n"), "file 'rows.csv': it is empty; its first line must name the")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"delimiter": ""}, "'delimiter' must be one character"),
        ({"delimiter": "::"}, "'delimiter' must be one character"),
        ({"escape": '"'}, "'escape' must be one character and no quote"),
        ({"quoting": "all"}, "'quoting' must be \"minimal\", \"none\" or null, but is 'all'"),
        ({"encoding": "utf-9"}, "'encoding' is 'utf-9', which Python does not know"),
    ],
)
def test_impossible_settings_are_refused_when_the_reader_is_built(settings, expected):
    with pytest.raises(DatasetError, match=re.escape(expected)):
        HFDataset_v1(path="rows.csv", **settings)


@pytest.mark.parametrize("setting", ["delimiter", "quoting", "escape"])
def test_settings_of_delimited_text_are_refused_for_other_files(read, write, setting):
    path = write([{"text": "a", "label": "pos"}])
    value = "none" if setting == "quoting" else "|"
    refuses(
        read, path, f"'{setting}' has no meaning for files of the kind 'json'", **{setting: value}
    )


@STREAMING
def test_an_unquoted_comma_in_every_row_is_no_row_name(read, write_text, streaming):
    path = write_text("id,text,label\n1,Smith, John,en\n2,Rossi, Mario,it\n")
    refuses(read, path, "line 2: there are 4 fields where the header has 3", streaming=streaming)


def test_swallowed_rows_with_probabilities_are_refused(read, write_text):
    path = write_text(
        'text,neg,pos\n"I love it,0.11,0.89\nmeh,0.61,0.39\nfive of 5",0.05,0.95\nbye,0.7,0.3\n'
    )
    refuses(read, path, "line 2: ", label_column=["neg", "pos"])


def test_a_single_column_keeps_line_breaks_and_empty_texts(read, write_text):
    path = write_text('text\n"two\nlines"\n""\nhi\n')
    assert [text for text, _ in read(path, label_column=[])] == ["two\nlines", "", "hi"]


def test_a_label_between_quotes_in_a_tab_separated_file_is_refused(read, write_text):
    content = 'text\tlabel\n"Great, funny"\t"drama, tv"\nno\tcomedy\n'
    path = write_text(content, "rows.tsv")
    refuses(read, path, """line 2: column 'label' holds '"drama, tv"'""")
    rows = read(path, quoting="minimal", label_column=[])
    assert [text for text, _ in rows] == ["Great, funny", "no"]
