"""docs/evidence/speed.md, numerics.md and tuner_speed.md, read off benchmarks/results: build_tables.py writes them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results"

TEXT = """
# How fast the losses are

`CrossEntropy`, `BinaryCrossEntropy` and the drop-ins compute loss and gradient in one pass, in C++ on the CPU: labels, weights,
offsets, scales, margins, smoothing, curves and call weights of any recipe, in float32, bfloat16 and float16, of rows and
planes. Numbers inside are float32; the answer does not depend on the number of threads. `steelyard doctor` says whether the kernels are
there. Under `torch.compile` they are one op in the graph.

Plain torch does the same, slower, where they are not: without a compiler at install time, on devices without Triton, in float64, for
numbers that are learned, under `torch.func` and in forward mode, for soft targets that need a gradient, and for a target or weight of its
own for every pair of classes.

`consume_logits=True` lets the gradient take the memory of the logits. Use it where logits are large and nothing reads them after
the loss. `LinearCrossEntropy` goes further and never makes them.

GPU

## How it was measured

`python3 run.py bench ce`, `bench binary` and `bench linear` time variants in turn in one process: forward and backward, medians.
One thread, in CPU time.

* *eager* is torch as it comes, *compile* the same under `torch.compile`, *consumed* ours with `consume_logits=True`.
* *times* says how many times as fast as eager.
* *extra* is memory beyond logits and target, the gradient included, in multiples of the logits.

A gradient of 4 MB or more takes memory that the library keeps: freed, it stays mapped for the next step, at most two blocks of at most
1 GiB, and the system may take its pages whenever memory is short (Linux, `MADV_FREE`; they count as the process's until then). Without that,
mapping and clearing the pages of a fresh gradient took longer than computing it: 5 of 12 ms on 8 × 19 × 256 × 256.

Cross-entropy was measured one thread at a time on a machine at rest, but for 4,096 × 32,000 in bfloat16, which is from before the kernels last
changed. A consumed step of 16,384 × 1,000 in float32 takes no longer than a copy of the logits. By the same kernels before
and after, in turn in one process and without torch, class weights and smoothing are 1.1 times as fast on 8 × 19 × 256 × 256 in bfloat16, 1.25 times on
16,384 × 1,000 in bfloat16 and on 2 × 3 × 96 × 96 × 96 in float32, and the full recipe 1.2 to 1.35 times on these.

What stands in the way of more there: long rows in float32 are bound by memory, a copy of the logits being the floor. The rest is bound by arithmetic.
An exponential on AVX-512 is twelve operations, five of which multiply; all a class of a plane costs is some thirty, and twenty more under a
curve of every class, which is why the full recipe takes nearly twice as long as class weights alone even where exponentials are shared; 1.5 was wanted.
Tried, and left: an exponential without its clamp is a tenth faster, but a clamp in whole numbers, which would cost less, takes a NaN with a
minus for a small number; shifting the power of
two into place gains nothing over the instruction for it; two to four classes in registers made AVX2, with half as many, a fifth slower. `uint8` labels, an
eighth of the bytes, are no faster. `LinearCrossEntropy` in bfloat16 adds up its weight's gradient in float32,
which the products alone do not: with less beside it, it took 1.21 times as long as these, on the very busy machine of its table 1.3 times.

Yes-or-no losses were measured on a very busy machine, one thread only: eager torch takes fresh memory in every step, which costs more the
busier the machine is. By the same program, with less beside it, 65,536 × 80 was 8.3 (pos_weight) and 13 (focal) times as fast in float32, 4.8 and 9.8
in bfloat16. Float targets that hold nothing but zeros and ones are computed as labels, 512 logits at a time, and a call that is like the last one
in all but its values is not checked again.
What stands in the way of more in these: a vector of 16 logits takes some 55 instructions and 12 ns (focal 65 and 15), most of them multiplications, of
which this processor starts one in a cycle, half of them for the exponential and the logarithm;
writing past the caches made it twice as slow. The tables' small calls were disturbed most: timed in turn 3,000 times each, the fastest tenth of
the drop-in's in bfloat16 takes 70 µs where eager torch's takes 87, and 43 of the 70 are `backward()` and an autograd function that does nothing.

[How exact the losses are](numerics.md) and [how long the tuner takes](tuner_speed.md) have pages of their own.
"""


ON_A_GPU = """There, Triton kernels of the same terms take over, and check themselves at their first use ([backends](../reference/backends.md)). Tests hold them to the
reference in Triton's interpreter, and build them for an H100 with Triton's compiler. No call waits for the device, so a label that
is no class makes the loss NaN there."""

NOT_YET = """**Not measured on a GPU yet.** {there} `python3 run.py bench gpu` measures all of it on one card, within eight minutes."""

MEASURED = """**On a GPU** ({device}, torch {torch}, Triton {triton}): {broken} of {laws} recipes break a law of backends. {there}

| logits | dtype | copy, GB/s | {names} |
|---|---|---|{dashes}|
"""


def page(note: str) -> str:
    path = RESULTS / "gpu.json"
    text = (
        note
        + "\n"
        + TEXT.replace("GPU\n", on_a_gpu(json.loads(path.read_text("utf-8")) if path.exists() else None) + "\n", 1)
    )
    for name, title in (("ce", "Cross-entropy"), ("binary", "Yes or no"), ("linear", "Linear layer and cross-entropy")):
        path = RESULTS / f"{name}.json"
        if path.exists():
            text += section(title, json.loads(path.read_text("utf-8")))
    return text


def numerics_page(note: str) -> str:
    return note + "\n" + exact(json.loads((RESULTS / "numerics.json").read_text("utf-8")))


def tuner_page(note: str) -> str:
    return note + "\n" + tuner(json.loads((RESULTS / "tune.json").read_text("utf-8")))


def on_a_gpu(found: dict[str, Any] | None) -> str:
    """What `bench gpu` found: shares of the copy's speed, logits read and gradient written."""
    if found is None or found["small"]:
        return NOT_YET.format(there=ON_A_GPU)
    laws = found["parts"].get("laws", {"rows": []})["rows"]
    rows = [r for r in found["parts"].get("bandwidth", {"rows": []})["rows"] if "variants" in r]
    names = list(dict.fromkeys(n for r in rows for n in r["variants"] if n != "copy"))
    text = MEASURED.format(
        device=found["machine"]["device"],
        torch=found["versions"]["torch"],
        triton=found["versions"]["triton"],
        broken=sum(bool(r.get("broken", r.get("failed"))) for r in laws),
        laws=len(laws),
        there=ON_A_GPU,
        names=" | ".join(names),
        dashes="---|" * len(names),
    )
    for row in rows:
        shares = (row["variants"].get(n) for n in names)
        cells = " | ".join("" if v is None else f"{v['of_copy']:.0%}" for v in shares)
        copied = row["variants"]["copy"]["gb_per_s"]
        text += f"| {' x '.join(map(str, row['shape']))} | {row['dtype']} | {copied:.0f} | {cells} |\n"
    return text


EXACT = """
# How exact the losses are

A focal loss that overflows stops a training, and one that says 0 where there is a loss stops it in silence. `python3 run.py bench numerics`
compares losses and gradients with mpmath at 60 digits: focal curves with gamma 0 (cross-entropy) to 5, logits up to
10,000 (float32) or 1,000 (bfloat16, float16) of both signs, and both labels.

*Not finite* and *zero* count answers that should be neither (zero: where the exact number is a normal float). The errors are the largest
relative ones of the rest, over all gammas. Gradients have the type of the logits, so theirs cannot be below its rounding: 4e-3 in
bfloat16, 5e-4 in float16.

"""


def exact(record: dict[str, Any]) -> str:
    """One line for each type and implementation, over all gammas; half precision is behind a fold."""
    text, rows = EXACT, record["rows"]
    for dtype in dict.fromkeys(row["dtype"] for row in rows):
        table = "| implementation | answers | not finite | zero | error of the loss | of the gradient |\n|---|---|---|---|---|---|\n"
        for who in dict.fromkeys(row["who"] for row in rows):
            mine = [row for row in rows if (row["dtype"], row["who"]) == (dtype, who)]
            name = f"{who} {record['peers'][who]}" if who in record["peers"] else who
            counts = " | ".join(str(sum(row[k] for row in mine)) for k in ("cells", "not_finite", "zero"))
            worst = " | ".join(f"{max(row[k] for row in mine):.1g}" for k in ("worst_loss", "worst_gradient"))
            table += f"| {name} | {counts} | {worst} |\n"
        text += f"## {dtype}\n\n{table}\n" if dtype == "float32" else folded(f"The same in {dtype}", table)
    return text


def folded(title: str, text: str) -> str:
    """Behind a fold, on code hosts and on the site."""
    return f"<details>\n<summary>{title}</summary>\n\n{text}\n</details>\n\n"


def section(title: str, record: dict[str, Any]) -> str:
    machine, versions = record["machine"], record["versions"]
    sets = f", {record['sets'][-1]}" if record.get("sets") else ""
    told = [machine["cpu"] + sets, f"Python {versions['python']}", f"torch {versions['torch']}"]
    told += [f"{name} {number}" for name, number in record.get("peers", {}).items()]
    text = f"\n## {title}\n\n{', '.join(told)}.\n"
    if others := list(dict.fromkeys(row["cpu"] for row in record["rows"] if "cpu" in row)):
        text += f"Lines with a star were measured before, on {' and '.join(others)}.\n"
    for group in dict.fromkeys(row["group"] for row in record["rows"]):
        rows = [row for row in record["rows"] if row["group"] == group]
        head = "| logits | type | threads | variant | ms | times | extra |\n|---|---|---|---|---|---|---|\n"
        whole = head + "".join(line for row in rows for line in lines(row))
        text += f"\n### {group[:1].upper()}{group[1:]}\n\n{short(rows)}\n"
        text += folded(f"All {sum(len(row['variants']) for row in rows)} lines: other types, threads, memory", whole)
    return text.rstrip() + "\n"


def short(rows: list[dict[str, Any]]) -> str:
    """What a reader asks first: one thread, float32, times as fast, and the memory of the first and of ours."""
    rows = [row for row in rows if (row["dtype"], row["threads"]) == ("float32", 1)]
    first, *others = [name for name in rows[0]["variants"] if name != "copy"]
    ours = next((name for name in others if name.startswith("steelyard")), None)
    text = f"| logits | {first}, ms | {' | '.join(others)} |" + (" extra |" if ours else "") + "\n"
    text += "|---|" + "---|" * (len(others) + 1 + bool(ours)) + "\n"
    for row in rows:
        found = row["variants"]
        times = " | ".join(f"{found[name]['ratio']:.1f}×" if name in found else "" for name in others)
        text += f"| {shape_of(row)} | {milliseconds(found[first]['median_ms'])} | {times} |"
        extra = [memory(row, name) for name in (first, ours)] if ours else []
        text += (f" {' → '.join(extra)} |" if all(extra) else " |") * bool(ours) + "\n"
    return text


def shape_of(row: dict[str, Any]) -> str:
    return " × ".join(f"{n:,}" for n in row["shape"]) + (" *" if "cpu" in row else "")


def milliseconds(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def memory(row: dict[str, Any], name: str | None) -> str:
    """Memory beyond logits and target in multiples of the logits; nothing where these are small."""
    size = {"float32": 4, "bfloat16": 2}[row["dtype"]]
    for n in row["shape"]:
        size *= n
    extra = row["variants"].get(name, {}).get("extra_mib")
    return "" if extra is None or size < 2**22 else f"{extra * 2**20 / size:.2f}"


def lines(row: dict[str, Any]) -> Iterator[str]:
    first = f"{shape_of(row)} | {row['dtype']} | {row['threads']}"
    for name, found in row["variants"].items():
        yield f"| {first} | {name} | {milliseconds(found['median_ms'])} | {found['ratio']:.2f} | {memory(row, name)} |\n"
        first = " | | "


TUNER = """
# How long the tuner takes

`python3 run.py bench tune` measures all of this in CPU time, beside scikit-learn in the same run. `--only` and `--row` run parts of it,
`--table NAME=FILE=LABEL` adds a table. CPU time grows where other programs share a core and its caches, as they did in the runs of single fits (up to
twelve on two hardware threads of one core): the same GridSearchCV on *ratios* took 3.6 to 7.0 s, and the first line below came out as 7.1 and as 9.0 times. So even within a line the last factor is not sure.
Whole studies were measured on a machine at rest, and varied all the same: LightGBM's from 44 to 57 s, dry_bean from 65 to 91, within three hours.

## One linear fit

*ratios* (7,000 x 64 heavy-tailed ratios, near-collinear, with gaps) and *categories* (15,000 x 32, most of it categories of up to 60
levels) are made to be hard for a solver (`benchmarks/hard.py`). A fit is one of those of a default study: seven weightings at seven strengths, all rows
first, then each training part. *times* is how many times as fast as scikit-learn's solver as it comes; *above the best* is by what share of it
the largest objective lies above the lowest that any of them found.

| table | columns | ms | times lbfgs | times newton-cholesky | above the best | lbfgs' |
|---|---|---|---|---|---|---|
"""

STUDIES = """
Passes over the rows, Hessians of fewer than 48 columns and steps are in C++ (`native/linear.cpp`, `native/hessian.cpp`; without the first plain torch does the same, on *ratios* in 1.6 times as long, and focal
loss on the four classes in 1.6 times). What stands in the way of more: of a training part of *ratios* passes take a third, Hessians a quarter, and the rest are small calls around them; the seven
focal fits, which are not convex and may start from nothing that other rows told, take nearly as long as the forty-two others. The first digits of the objective come
fast. The others, on near-collinear columns, take as many steps again; scikit-learn's default stops before them (the last column), which is most of its speed on
the first two tables and on text.

On text the whole solver is in C++ (`native/sparse.cpp`): eight or sixteen models go side by side, so that a number of the matrix is read once for all
of them, and a model that is done makes room for the next. Plain torch and scipy take four to five times as long. Of a training part nearly half are products with the
matrix and its transpose in conjugate gradients, of which a fit takes 20, a fifth objectives and gradients in float64, a seventh preconditioners; a quarter of
all is the focal weighting, which has no other weighting's lanes beside it. What is gathered, 1.3 MB for sixteen models, is more than the nearest caches hold.

## A whole study

`steelyard tune FILE --label COLUMN` as it comes, from the start of Python to the written page; GridSearchCV makes its 60 fits (12 class
weights x 5 folds) in one process on one thread, and its imports are not counted. Five times five folds, seven weightings, three ways to
resample, 1,000 draws. *report* is `steelyard report` on its folder, and with `--compare`.

| table | rows | fits | CPU s | GridSearchCV's | times as long | report, CPU s |
|---|---|---|---|---|---|---|
"""

STAGES = """
`python3 run.py bench tune --profile --row NAME` says where a study's time goes, by a sample of the stack for every 4 ms of CPU time
(`benchmarks/spent.py`); `python -m benchmarks.spent tune FILE ...` does it for any command. Of the demo's 17 s fits are 34 %, imports 24 %, the database
14 %, choosing settings and cuts 11 %, metrics of the draws 8 %, page and pictures 3 %. Scores are ranked in the core (`native/ranked.cpp`): a sort
is six times as fast as NumPy's, a draw's ROC AUC five times as fast as by sparse products, both to the same last bit; before, sorting scores and counting ranks anew for every metric
took 5 s of 19. What is left of 8 times GridSearchCV's time is small: half of what fits take is calls of torch on a few numbers between passes,
spread over sixty lines none of which has 1 %; and of 2.6 CPU seconds of imports two are torch, a fifth of a second is pandas, which pyarrow imports to know
whether it was given one of its columns. With scikit-learn, imbalanced-learn and torch._dynamo, which a study of a linear model imported before, imports took 5.7.
Python looked 860 times through what imports had made, in search of cycles, 0.8 s; now eleven times. The
script of the page, 1.5 s, is made once and kept ([files](../reference/files.md)). Of a training part of *categories*, 49
weighted fits take as long as the three ways to resample, which share nothing with them but the point where they start. GridSearchCV itself
varies by a factor of two between runs on a machine that does other work (demo: 1.5 to 3.0 s), and the study with it: the ratio hardly does. The demo, the network,
LightGBM and dry_bean were measured on one core each, as GridSearchCV is; the others on two, where threads of one process wait for each other and count it as work. On two cores the demo took
18.9 CPU s and 16.4 s by the clock for 13.4 and 13.7 on one, *ratios* 39.8 and 27.4 for 33.3 and 33.5, the network twice the CPU time. So fits of a table are made side by side only where
it is large enough (`PER_THREAD` in `tuning/study.py`).
LightGBM's study trains 250 boosters to a hundred trees, at 0.11 to 0.13 s, of which 0.08 to 0.09 are LightGBM's own; those that still gain there
go on to 200 from the trees that they have, where they began anew before: half of what 200 trees took. Its objective, asked 32,000 times, looks at its rows once: 0.11 ms a call
where it was 0.22. Of 49 s by the second command 28 are LightGBM's training, 3 its predictions, 7 the objective, of which the core's slopes 4.

For seven classes (dry_bean) 60 s were wanted, and it took 129 before Hessians moved into the core. With `--label Class --repeats 1` the second command says 20 s: fits 59 %, imports 18 %,
choosing settings and steps of the classes 9 %, the database 4 %, rows drawn for resampling 2 %. A Hessian costs 6 gradients in place of 30 and is
made anew more often. Decisions for 31 steps at a time, and for every move of a class, are counted in the core (`native/classes.cpp`), and SMOTE's neighbours are searched once for the
four times that a growing grid asks for them: each a twentieth of the whole before.
What stands in the way of less: five in twelve strengths lie below the grid, where every weighting still gains and columns like area and convex area
are nearly the same, so that a fit takes forty steps; of its fits passes take a third, Hessians a quarter, and most of the rest calls of torch on a few numbers; the focal fits take as
long as the six other weightings. Tried, and left: a new Hessian at every step, the first one of all rows, float64 Hessians (a third fewer steps
at the smallest strength, none elsewhere, at twice the cost), torch's inference mode (5 %). Steps of seven classes are chosen among near-ties: scores that chance moves by a
hundred-thousandth of themselves leave every log loss where it was, to 2e-5, and move the MCC of two ways in twelve by 1e-4 and 2e-4, so that what changes the last digits of fits may show there.

What keeps it down: a strength beyond the grid is fitted only for who still gains there, and for plain training; trees and epochs begin with short axes that
grow by the same rule; a row that oversampling drew nine times is one row that counts nine times; every fit starts from one of all rows.
"""


def tuner(record: dict[str, Any]) -> str:
    """Fits of hard tables, and whole commands."""
    text = TUNER
    for name, row in record.get("hard", {}).items():
        faster, excess = row["faster"], row["excess"]
        told = [f"{faster[solver]:.1f}" if solver in faster else "" for solver in ("lbfgs", "newton-cholesky")]
        above = [f"{excess[who]:.0e}" if excess[who] else "0" for who in ("steelyard", "lbfgs")]
        text += (
            f"| {name} | {row['shape'][1]:,} | {row['steelyard_ms']:.1f} | {' | '.join(told)} | {' | '.join(above)} |\n"
        )
    for row in record["rows"]:
        faster = [f"{row['faster'][f'scikit-learn {solver}']:.1f}" for solver in ("lbfgs", "newton-cholesky")]
        excess = [f"{row['accuracy'][f'objective, {who}']:.0e}" for who in ("steelyard", "scikit-learn lbfgs")]
        name = f"{row['shape'][0]:,} easy rows, {row['classes']} classes, {row['fits']} fits"
        each = row["steelyard_ms"] / row["fits"]
        text += f"| {name} | {row['shape'][1]} | {each:.1f} | {' | '.join(faster)} | {' | '.join(excess)} |\n"
    text += STUDIES
    for name, row in record.get("studies", {}).items():
        beside = f"{row['grid_search_s']:.1f} | {row['times']:.1f}" if "times" in row else " | "
        again = f"{row['report_s']:.1f}, {row['compare_s']:.1f}" if "report_s" in row else ""
        text += f"| {name} | {row['rows']:,} | {row['fits']:,} | {row['cpu_s']:.0f} | {beside} | {again} |\n"
    return text + STAGES
