"""What is held to be exact in which framework, and the test that holds it. docs/howto/frameworks.md shows it as a table.

python -m tests.integrations.exactness writes the table into the page.
"""

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "frameworks.md"
TITLE = "## What adds up"
COLUMNS = ("micro-batches 4 or 1", "uneven batches", "ranks 2 or 1", "stopped and resumed")


@dataclass(frozen=True)
class Held:
    """A claim of a few words, and the tests behind it, as file::function below tests/; none where there is nothing to hold."""

    claim: str
    tests: tuple[str, ...] = ()


def here(claim: str, file: str, *names: str) -> Held:
    return Held(claim, tuple(f"integrations/test_{file}.py::test_{name}" for name in names))


SLICED = "micro_batches_add_up_under_a_number_and_not_under_the_boxes_of_each"
SUMMED = "micro_batches_add_up_to_one_batch_in_every_layout"
RANKED = "two_ranks_are_one_where_asked_and_torchvisions_otherwise"
NONE = Held("it has none")

EXACT: dict[str, tuple[Held, Held, Held, Held]] = {
    "Hugging Face Trainer": (
        here("2e-6", "transformers", "four_micro_batches_are_one_batch"),
        here("2e-6", "transformers", "four_micro_batches_are_one_batch"),
        here("2e-6", "transformers", "two_ranks_are_one"),
        here("float32's digits", "transformers", "learned_numbers_are_optimised_checkpointed_and_resumed"),
    ),
    "Lightning": (
        here("1e-9", "lightning", "micro_batches_are_one_batch"),
        here("1e-9", "lightning", "micro_batches_are_one_batch"),
        here("1e-9", "lightning", "two_ranks_with_micro_batches_are_one"),
        here("1e-9", "lightning", "a_checkpoint_resumes_learned_tables_and_the_clocks_of_rules", "a_counted_loss_resumes"),
    ),
    "torchvision, detectors": (
        here("1e-5 by a number, and RetinaNet; else its own", "detection", SLICED, "retinanets_mean_over_images_is_that_of_micro_batches"),
        here("as micro-batches", "detection", SLICED),
        here("1e-5", "detection", RANKED),
        here("same numbers", "detection", "a_rule_learns_from_the_boxes_and_is_part_of_the_checkpoint"),
    ),
    "Ultralytics": (
        here("its own, 18 % off", "ultralytics", "micro_batches_are_divided_each_by_its_own_as_theirs_are"),
        here("as micro-batches", "ultralytics", "micro_batches_are_divided_each_by_its_own_as_theirs_are"),
        here("2e-5", "ultralytics", "two_ranks_are_one_process_where_asked_and_as_theirs_otherwise"),
        here("same numbers", "ultralytics", "a_resumed_run_has_the_recipe_and_what_its_rules_had_learned"),
    ),
    "MONAI, smp, a loop of your own": (
        here("1e-12 in `sy.accumulate`", "monai_losses", SUMMED),
        here("1e-12 in `sy.accumulate`", "monai_losses", SUMMED),
        Held("float64's digits", ("framework/test_ranks.py::test_losses_and_gradients_are_those_of_a_single_process",)),
        Held("to the bit", ("adaptive/test_family.py::test_training_resumed_in_the_middle_is_the_same_to_the_bit",)),
    ),
    "nnU-Net": (
        NONE,
        here("1e-12", "across", "two_ranks_with_one_patch_and_three_are_one_with_four"),
        here("1e-12", "across", "two_ranks_with_one_patch_and_three_are_one_with_four"),
        here("same recipe", "nnunet", "the_recipe_is_counted_from_the_data_set_and_stands_in_the_plans"),
    ),
    "Keras": (
        here(
            "1e-4 of equal ones, or by a number; else 45 % off by count, 67 % by mass",
            "keras",
            "keras_averages_micro_batches_which_is_one_batch_where_all_hold_alike_or_a_number_divides",
        ),
        here("as micro-batches", "keras", "keras_averages_micro_batches_which_is_one_batch_where_all_hold_alike_or_a_number_divides"),
        here("1e-6 (JAX backend)", "jax", "two_devices_are_one"),
        here("same numbers", "keras", "a_model_is_trained_saved_and_loaded"),
    ),
    "JAX": (
        here("1e-5, sums over `sy.global_mass`", "jax", "sums_of_micro_batches_over_their_common_mass_are_one_batch"),
        here("1e-5, alike", "jax", "sums_of_micro_batches_over_their_common_mass_are_one_batch"),
        here("1e-6", "jax", "two_devices_are_one"),
        Held("nothing to keep"),
    ),
    "skorch": (
        NONE,
        here("float32's digits", "skorch", "every_batch_divides_by_what_it_holds"),
        NONE,
        here("float32's digits", "skorch", "a_rule_is_told_the_epoch_and_resumed_from_skorchs_files"),
    ),
}  # fmt: skip


def table() -> str:
    lines = [f"| | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for framework, row in EXACT.items():
        cells = [each.claim for each in row]
        lines.append(f"| {framework} | {' | '.join(cells)} |")
    return "\n".join(lines)


def files() -> str:
    """The test files of each row, for the page."""
    lines = []
    for framework, row in EXACT.items():
        names = dict.fromkeys(test.partition("::")[0] for each in row for test in each.tests)
        lines.append(f"* {framework}: {', '.join(f'`tests/{name}`' for name in names)}")
    return "\n".join(lines)


def section() -> str:
    return f"""{TITLE}

One optimiser step should be that of one batch on one device, whatever it was cut into. How far that holds, relative to the step or the loss, is tested with
each framework; "its own" is what the framework does with its losses too, and is named by the test.

{table()}

{files()}

scikit-learn and the boosters fit on all rows at once: there a row of weight two is two rows.
"""


def written(page: str) -> str:
    """The page with the section as it should be."""
    before, found, after = page.partition(f"{TITLE}\n")
    if not found:
        raise ValueError(f"{PAGE.name} has no section {TITLE!r}")
    rest = after.partition("\n## ")[2]
    return f"{before}{section()}\n## {rest}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), encoding="utf-8")
