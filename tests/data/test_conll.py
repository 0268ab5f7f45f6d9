"""CoNLL's files: each token is one label, the sentences are known, and what is no token does not count."""

import gzip

import pytest

from steelyard import count
from steelyard.data import count_path
from steelyard.tuning.data.problem import problem

NER = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
" " O O
# NN B-NP O
it's PRP B-NP O

Peter NNP B-NP B-PER
\xa0 SP O O
"""
U = """# sent_id = 1
# text = Dogs don't buy
1\tDogs\tdog\tNOUN\tNNS\tNumber=Plur\t4\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\tVB\t_\t4\taux\t_\t_
3\tn't\tnot\tPART\tRB\t_\t4\tadvmod\t_\t_
4\tbuy\tbuy\tVERB\tVB\t_\t0\troot\t_\t_
4.1\tit\tit\tPRON\t_\t_\t_\t_\t_\t_

# sent_id = 2
1\tCats\tcat\tNOUN\tNNS\tNumber=Plur\t0\troot\t_\t_

"""
TAGS = "EU\tB-ORG\nin\tO\n\nPeter\tB-PER\nis\tO\n\nhere\tO\n"
PLAIN = "EU\tnoun\nin\tprep\n\nPeter\tnoun\nis\tverb\n"
CASES = {
    "ner.conll": (NER, -1, None, {"B-ORG": 1, "B-PER": 1, "O": 4}, 2),
    "u.conllu": (U, "UPOS", None, {"AUX": 1, "NOUN": 2, "PART": 1, "VERB": 1}, 2),
    "tags.tsv": (TAGS, -1, None, {"B-ORG": 1, "B-PER": 1, "O": 3}, 3),
    "tags.txt": (TAGS.replace("\t", " ").replace("\n", "\r\n"), 2, None, {"B-ORG": 1, "B-PER": 1, "O": 3}, 3),
    "head.tsv": ("word\tpos\n" + PLAIN, "pos", "exclusive", {"noun": 2, "prep": 1, "verb": 1}, 2),
    "head.iob": ("token tag\n" + TAGS.replace("\t", " "), -1, None, {"B-ORG": 1, "B-PER": 1, "O": 3}, 3),
    "plain.tsv": (PLAIN, -1, "exclusive", {"noun": 2, "prep": 1, "verb": 1}, 2),
    "quoted.tsv": ('"word"\t"pos"\n' + PLAIN.replace("in", '"in"').replace("prep", '"prep"'), -1, "exclusive", {"noun": 2, "prep": 1, "verb": 1}, 2),
    "quotes.conll": ("`` ``\n'' ''\n\n\" ''\n", -1, None, {"''": 2, "``": 1}, 2),
    "one.bio": ("a\tO\nb\tB-X\n", -1, None, {"B-X": 1, "O": 1}, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_token_is_one_label_and_blank_lines_part_the_sentences(tmp_path, name):
    text, label, kind, expected, sentences = CASES[name]
    (tmp_path / name).write_bytes(text.encode())
    counts, notes = count_path(tmp_path / name, label, kind=kind)
    assert dict(zip(counts.classes, counts.per_class.tolist(), strict=True)) == expected
    assert (counts.unit, counts.kind, counts.items) == ("tokens", "exclusive", sentences)
    assert any(f"{sentences} sentence" in note for note in notes)
    assert counts.also["sequences"].max() <= sentences
    many = count(tmp_path / name, label=label, kind="multilabel")
    assert (many.items, many.per_class.tolist()) == (sentences, counts.also["sequences"].tolist())


def test_lines_that_are_no_tokens_are_left_out_and_said(tmp_path):
    (tmp_path / "u.conllu").write_text(U)
    (tmp_path / "n.conll").write_text(NER)
    assert any("(2-3, 2.1)" in n and n.startswith("2 ") for n in count_path(tmp_path / "u.conllu", "UPOS")[1])
    assert any("-DOCSTART-" in n for n in count_path(tmp_path / "n.conll", -1)[1])


def test_a_table_with_blank_lines_stays_a_table_and_is_told_of_sentences(tmp_path):
    (tmp_path / "t.tsv").write_text("word\tpos\n" + PLAIN)
    counts, notes = count_path(tmp_path / "t.tsv", "pos")
    assert (counts.unit, counts.per_class.sum(), counts.also) == ("rows", 4, {})
    assert any("--kind exclusive" in note and "blank lines" in note for note in notes)
    (tmp_path / "t.csv").write_text("a,y\n1,u\n\n2,v\n\n3,u\n")
    counts, notes = count_path(tmp_path / "t.csv", "y")
    assert counts.per_class.tolist() == [2, 1]
    assert not any("blank lines" in note for note in notes)


def test_a_line_of_another_width_and_a_missing_label_say_where(tmp_path):
    (tmp_path / "t.conll").write_text("a O\nb B-X\nc d O\n")
    with pytest.raises(ValueError, match=r"line 3 has 3 cells and the others have 2"):
        count(tmp_path / "t.conll", label=-1)
    (tmp_path / "e.conll").write_text("\n")
    with pytest.raises(ValueError, match="no tagged text"):
        count(tmp_path / "e.conll", label=-1)
    (tmp_path / "u.conllu").write_text(U)
    with pytest.raises(ValueError, match="'UPOS'"):
        count(tmp_path / "u.conllu")
    with pytest.raises(ValueError, match="tagged text"):
        problem(tmp_path / "u.conllu", "UPOS")


def test_tagged_text_may_be_packed(tmp_path):
    with gzip.open(tmp_path / "n.conll.gz", "wt") as packed:
        packed.write(NER)
    assert count(tmp_path / "n.conll.gz", label=-1).items == 2
    content = (tmp_path / "n.conll.gz").read_bytes()
    for name in ("cut.conll.gz", "cut.tsv.gz"):
        (tmp_path / name).write_bytes(content[:-20])
        with pytest.raises(ValueError, match="damaged"):
            count(tmp_path / name, label=-1)


def test_a_folder_of_tagged_texts_adds_up(tmp_path):
    for name in ("a.conll", "b.conll"):
        (tmp_path / name).write_text(NER)
    counts = count(tmp_path, label=-1)
    assert (counts.items, counts.per_class.sum()) == (4, 12)
