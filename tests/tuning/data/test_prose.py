"""Which columns of texts are read for what they are made of."""

import string

import numpy as np
import pyarrow as pa
import pytest

from steelyard.data.tables import read_table
from steelyard.tuning.data.columns import Text
from steelyard.tuning.data.features import read
from steelyard.tuning.data.prose import is_prose

RNG = np.random.default_rng(0)
WORDS = ["".join(RNG.choice(list(string.ascii_lowercase), 6)) for _ in range(60)]


def mixed(parts, least: int, most: int, *, sep: str = " ", n: int = 200) -> list[str]:
    return [sep.join(RNG.choice(parts, RNG.integers(least, most))) for _ in range(n)]


PROSE = {
    "English": mixed(WORDS, 3, 9),
    "few rows": mixed(WORDS, 5, 9, n=40),
    "names with a title": [f"Braund, Mr. {word}" for word in mixed(WORDS, 3, 4)],
    "short": mixed(WORDS, 1, 3),
    "few words": mixed(["good", "bad", "is", "so"], 2, 7),
    "Chinese": mixed(["这个", "产品", "手机", "昨天到货", "包装", "价格"], 2, 6, sep=""),
    "Japanese": mixed(["この商品は", "とても", "コーヒー", "届きました"], 2, 6, sep=""),
    "Thai": mixed(["สินค้า", "นี้", "ราคา", "ร้าน", "ของ", "สี"], 2, 6, sep=""),
    "Khmer": mixed(["ផលិតផល", "នេះ", "តម្លៃ", "ហាង"], 2, 6, sep=""),
    "Hindi": mixed(["उत्पाद", "यह", "कीमत", "दुकान", "कल", "रंग"], 2, 6),
    "pictures": mixed(list("😀😂🎉🔥🙏💯👀🚗"), 2, 6, sep=""),
    "hashtags": mixed([f"#{word}" for word in WORDS], 1, 4),
    "letters": mixed(list("abcdefgh"), 3, 7),
    "codes of items": mixed([str(i) for i in range(30, 60)], 2, 5),
    "signs": mixed(["!!!", "???", ":)", "...", "--"], 2, 6),
    "joined by underscores": mixed(WORDS, 3, 6, sep="_"),
    "surnames": ["".join(RNG.choice(list(string.ascii_lowercase), 7)) + "ov" for _ in range(200)],
    "pages": [f"http://{RNG.choice(WORDS[:5])}.com/{i}" for i in range(200)],
    "mail": [f"u{i}@{RNG.choice(WORDS[:5])}.org" for i in range(200)],
}
OTHER = {
    "ids": [f"id-{i}" for i in range(200)],
    "Chinese ids": [f"订单{i}" for i in range(200)],
    "UUIDs": [f"550e8400-e29b-41d4-a716-4466554{i:05}" for i in range(200)],
    "dates": [f"{i % 12 + 1:02}/03/2014 {i % 24:02}:{i % 60:02}:00 +0100" for i in range(200)],
    "numbers": [f"0.{i} 1.{i} 2.{i}" for i in range(200)],
    "long names of a few": ["never been married", "married and separated now", "has been widowed"] * 60,
    "numbered": [f"engine {i}" for i in range(200)],
    "files": [f"img_{i:04}.png" for i in range(200)],
    "addresses of machines": [f"10.0.{i % 7}.{i}" for i in range(200)],
    "many levels": [WORDS[i % 60] for i in range(2000)],
    "few pictures": ["😀", "😡"] * 100,
    "cabins": [f"C{i}" for i in range(200)],
}


@pytest.mark.parametrize("kind", PROSE)
def test_what_is_put_together_from_parts_that_come_again_is_prose(kind):
    assert is_prose(pa.chunked_array([PROSE[kind]]))


@pytest.mark.parametrize("kind", OTHER)
def test_names_of_categories_and_identifiers_are_no_prose(kind):
    assert not is_prose(pa.chunked_array([OTHER[kind]]))


def test_no_column_of_the_real_tables_is_taken_for_prose_but_the_messages(shared_data):
    for path in [*sorted((shared_data / "tabular").glob("*.csv")), *(shared_data / "timeseries" / "nab").glob("*.csv")]:
        table = read_table(path)
        assert not any(is_prose(table.arrow(n)) for n in table.names if table.kind(n) == "category"), path
    sms = read_table(shared_data / "text" / "sms_spam.tsv")
    found = read(sms, sms.names[0])
    assert [type(c) for c in found.columns] == [Text]
    assert "read as words and pairs of words (TF-IDF)" in found.notes[0]
