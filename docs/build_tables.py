"""Write the pages that are read off the code and the results: in reference/, ingredients.md from the menu, cli.md from the commands' own help,
evidence/speed.md and claims.md from benchmarks/results; rules.md from the list in steelyard.adaptive.

python docs/build_tables.py           write them
python docs/build_tables.py --check   exit 1 and name the pages that are out of date
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))  # a test loads this file by its path
import api_page  # noqa: E402
import claims_page  # noqa: E402
import flow  # noqa: E402
import loss_pictures  # noqa: E402
import menu_pages  # noqa: E402
import rates_page  # noqa: E402
import reading_page  # noqa: E402
import rooms  # noqa: E402
import speed_page  # noqa: E402
import worth_page  # noqa: E402

NOTE = "<!-- Written by docs/build_tables.py; edit the docstrings, then run: python3 run.py docs -->"

CLI_PAGE = f"""{NOTE}

# The command line

`steelyard COMMAND --help` prints what is listed here. Bad input ends in one paragraph on stderr and exit code 2. Files
that are not steelyard's are [never replaced](files.md) without `--overwrite`.
The strategies and their options are those of [the ingredients](ingredients.md).
"""


def build() -> dict[str, str]:
    """{page: text}"""
    return {
        "reference/ingredients.md": menu_pages.ingredients_page(NOTE),
        "reference/rules.md": menu_pages.rules_page(NOTE),
        **api_page.pages(NOTE),
        **loss_pictures.pictures(),
        "reference/cli.md": cli_page(),
        "reference/reading.md": reading_page.page(NOTE),
        "evidence/speed.md": speed_page.page(NOTE),
        "evidence/claims.md": claims_page.page(NOTE),
        "evidence/numerics.md": speed_page.numerics_page(NOTE),
        "evidence/rules.md": worth_page.page(NOTE),
        "evidence/tuner_rates.md": rates_page.page(NOTE),
        "evidence/tuner_speed.md": speed_page.tuner_page(NOTE),
        "images/rooms.svg": rooms.draw(),
        "images/tuning.svg": rooms.draw("tuning"),
        **flow.pictures(),
    }


def cli_page() -> str:
    import typer.main

    from steelyard.cli.app import app

    group: Any = typer.main.get_command(app)
    text = CLI_PAGE + "\n## steelyard\n\n" + command_text(group)
    for name in group.commands:
        text += f"\n## steelyard {name}\n\n" + command_text(group.commands[name], name)
    return text


def command_text(command: Any, name: str = "") -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not getattr(p, "hidden", False)]
    words = [name, *(p.name.upper() for p in arguments), "[OPTIONS]"] if name else ["[OPTIONS]", "COMMAND"]
    usage = " ".join(["steelyard", *words])
    text = f"{' '.join(inspect.cleandoc(command.help or '').split())}\n\n    {usage}\n"
    if arguments or options:
        text += "\n| argument or option | default | meaning |\n|---|---|---|\n"
    for p in (*arguments, *options):
        flags = p.name.upper() if p in arguments else ", ".join((*p.opts, *p.secondary_opts))
        text += f"| `{flags}` | {default(p)} | {cell(getattr(p, 'help', None) or '')} |\n"
    return text


def default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    plain = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    return f"`{value}`" if plain else ""


def cell(text: str) -> str:
    """`text` inside a Markdown table: a star there is multiplication, not emphasis."""
    for mark in ("|", "*"):
        text = "".join(escaped(text, mark))
    return text


def escaped(text: str, mark: str) -> Iterator[str]:
    """`text` with `mark` escaped outside `code`."""
    for i, part in enumerate(text.split("`")):
        code = i % 2 == 1
        yield ("`" if i else "") + (part if code and mark != "|" else part.replace(mark, "\\" + mark))


def main(arguments: list[str]) -> int:
    pages = build()
    stale = [n for n, text in pages.items() if not (FOLDER / n).exists() or (FOLDER / n).read_text("utf-8") != text]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/{name} is out of date; run: python3 run.py docs")
        return 1 if stale else 0
    for name in stale:
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(pages[name], "utf-8")
        print(f"wrote docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
