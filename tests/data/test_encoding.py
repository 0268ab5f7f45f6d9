"""Letters come out as they were written, or the text is refused with the command that converts it."""

import pytest

from steelyard.data.dispatch import count_path
from steelyard.data.tables import read_table

WESTERN = ["café", "größe", "niño", "AÑO", "naïve", "„so“", "it’s", "1ª", "það", "§ 12", "5 µg", "São", "ÄRGER"]
READ = {
    "utf-8": WESTERN,
    "utf-8-sig": WESTERN,
    "utf-16": WESTERN,
    "cp1252": WESTERN,
    "latin-1": ["café", "größe", "niño"],
}
REFUSED = {
    "cp1250": (["łódź", "dwór", "żółty"], "CP1250"),
    "cp1251": (["кошка", "дом", "нет"], "CP1251"),
    "koi8-r": (["кошка", "дом", "нет"], "KOI8-R"),
    "cp1253": (["γάτα", "σκύλος", "ναι"], "CP1253"),
    "gb18030": (["猫", "狗", "好评"], "GB18030"),
    "big5": (["貓", "狗", "好評"], "BIG5"),
    "shift_jis": (["ねこ", "いぬ", "良い"], "SHIFT_JIS"),
    "euc_kr": (["고양이", "개", "좋다"], "EUC-KR"),
    "mac-roman": (["café", "größe", "niño"], "MACINTOSH"),
    "cp850": (["café", "größe", "niño"], "CP850"),
    "utf-16-le": (["café", "thé", "no"], "UTF-16LE"),
    "utf-16-be": (["café", "thé", "no"], "UTF-16BE"),
    "utf-32": (["café", "thé", "no"], "UTF-32"),
}


def text(words) -> str:
    return "x,y\n" + "".join(f"{i},{words[i % len(words)]}\n" for i in range(60))


@pytest.mark.parametrize("encoding", READ)
def test_western_text_is_read_and_said(tmp_path, encoding):
    path = tmp_path / "t.csv"
    path.write_bytes(text(READ[encoding]).encode(encoding))
    counts, notes = count_path(path, "y")
    assert set(counts.classes) == set(READ[encoding])
    assert bool(notes) == (encoding != "utf-8")


@pytest.mark.parametrize("encoding", REFUSED)
def test_other_text_is_refused_with_what_to_run(tmp_path, encoding):
    words, name = REFUSED[encoding]
    path = tmp_path / "t.csv"
    path.write_bytes(text(words).encode(encoding))
    for read in (read_table, lambda file: count_path(file, "y")):
        with pytest.raises(ValueError, match=f"iconv -f .*{name}"):
            read(path)


def test_letters_far_from_the_start_are_looked_at_too(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"x,y\n" + b"1,a\n2,b\n" * 150_000 + "3,кошка\n".encode("cp1251"))
    with pytest.raises(ValueError, match=r"iconv -f .*CP1251"):
        count_path(path, "y")


def test_a_few_damaged_letters_are_told_from_another_encoding(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(text(["café", "thé"]).encode() + b"3,caf\xe9\n")
    with pytest.raises(ValueError, match=r"UTF-8 but for 1 damaged letter, the first in line 62 .*iconv -c"):
        count_path(path, "y")


def test_text_that_was_encoded_twice_is_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(text(["café", "thé"]).encode().decode("cp1252").encode())
    assert any("encoded twice" in note for note in count_path(path, "y")[1])
