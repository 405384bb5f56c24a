"""The `stepmill` commands for releases: verify one, compare two, copy one into a folder, show rows,
view it in a browser, export it to a trainer.

Each command imports its modules only when it runs. Exit codes: 0 everything is fine, 1 there are findings or
differences, 2 the command failed.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from releases.exports.names import TrainerName

app = typer.Typer(
    help="Verify, compare, copy, read and export released datasets.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
_WHAT = (
    "A version's folder or URL; or a dataset, as <registry>/<dataset>, as <organisation>/<dataset> on the Hub or as "
    "hf://datasets/<organisation>/<dataset>, with @<version> or --version."
)
_RELEASE = Annotated[str, typer.Argument(help=_WHAT)]
_VERSION = Annotated[str | None, typer.Option("--version", help="The version, such as v0.1.0.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.command()
def verify(release: _RELEASE, version: _VERSION = None, as_json: _JSON = False) -> None:
    """Verify a release without the ledger: files, columns, rules, labels, answers, splits, figures and card."""
    from releases.comparison.data import report_data
    from releases.comparison.text import summary
    from releases.registry.locate import locate
    from releases.registry.version_files import as_folder
    from releases.verification.verify import verify as check

    with _explained(), as_folder(locate(release, version)) as folder:
        report = check(folder)
    if as_json:
        print_json(report_data(report))
    else:
        for finding in report.findings:
            say(" ".join(str(finding).split()))
        say(f"\n{summary(report)}")
    if report.findings:
        raise typer.Exit(1)


@app.command()
def diff(
    first: _RELEASE,
    second: Annotated[str, typer.Argument(help="The other version, named in the same ways.")],
    version: Annotated[str | None, typer.Option("--version", help="The version of both, such as v0.1.0.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows listed per kind of change.")] = 10,
    as_json: _JSON = False,
) -> None:
    """Compare two versions: rows added, removed and changed, with labels and lengths side by side."""
    from releases.comparison.data import diff_data
    from releases.comparison.text import comparison
    from releases.comparison.versions import diff as compare
    from releases.registry.locate import locate
    from releases.registry.version_files import as_folder

    with (
        _explained(),
        as_folder(locate(first, version)) as first_folder,
        as_folder(locate(second, version)) as second_folder,
    ):
        difference = compare(first_folder, second_folder, shown=limit)
    if as_json:
        print_json(diff_data(difference, limit=limit))
    else:
        say(comparison(difference, limit=limit))
    if not difference.is_equal:
        raise typer.Exit(1)


@app.command()
def pull(
    release: _RELEASE,
    into: Annotated[str, typer.Option(help="The folder to create <dataset>/<version> in.")],
    version: _VERSION = None,
    source: Annotated[
        str | None, typer.Option("--from", help="The registry, if RELEASE is only the dataset's name.")
    ] = None,
) -> None:
    """Copy a version into a folder, completely or not at all, and check every file on the way."""
    from upath import UPath

    from releases.registry.locate import locate
    from releases.registry.pull import pull as copy

    with _explained():
        files = locate(f"{source.rstrip('/')}/{release}" if source else release, version)
        pulled = copy(files, into=UPath(into))
    name = f"{files.manifest.dataset} {files.manifest.version}"
    say(f"{name} is {'now' if pulled.is_new else 'already'} at {pulled.path}")


@app.command()
def show(
    release: _RELEASE,
    version: _VERSION = None,
    config: Annotated[str, typer.Option(help="The config to show rows of.")] = "default",
    rows: Annotated[int, typer.Option(min=1, help="The number of rows to draw.")] = 3,
    seed: Annotated[int, typer.Option(help="The same seed draws the same rows.")] = 0,
    columns: Annotated[
        str, typer.Option(help="Comma-separated columns; by default all but token ids, scores and weights of tokens.")
    ] = "",
    all_columns: Annotated[bool, typer.Option("--all-columns", help="Show the columns of tokens, too.")] = False,
) -> None:
    """Print random rows of a release as Markdown, drawn by seed from all splits."""
    from releases.registry.locate import locate
    from releases.registry.version_files import as_folder
    from releases.showing import drawn, shown
    from releases.verification.opened import open_release

    with _explained():
        with as_folder(locate(release, version)) as folder:
            opened = open_release(folder)
            drawn_rows = drawn(opened.existing_rows(config), n=rows, seed=seed)
        names = [name.strip() for name in columns.split(",") if name.strip()]
        omitted = [] if all_columns or names else opened.schema(config).tokenwise
        text = shown(drawn_rows, names, omitted=omitted)
    say(text)
    if omitted:
        say(f"stepmill: left out {', '.join(omitted)}; --all-columns shows them", err=True)


@app.command()
def export(
    release: _RELEASE,
    to: Annotated[TrainerName, typer.Option(help="The trainer that is to read the rows.")],
    version: _VERSION = None,
    config: Annotated[
        str | None, typer.Option(help="The config to export; by default the one that the trainer reads best.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder to create; by default exports/<dataset>-<version>-<trainer>.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export.")] = False,
    as_json: _JSON = False,
) -> None:
    """Write rows, settings and the command for a trainer; refuse one that would learn what it must not."""
    from releases.exports.choice import choose
    from releases.exports.export import default_folder
    from releases.exports.export import export as write
    from releases.exports.trainers import TRAINERS
    from releases.registry.locate import locate
    from releases.registry.version_files import as_folder
    from releases.verification.opened import known_dataset, open_release

    trainer = TRAINERS[to]
    with _explained():
        files = locate(release, version)
        manifest = files.manifest
        choice = choose(known_dataset(manifest.dataset), trainer, available=manifest.rows, wanted=config)
        target = out or default_folder(manifest, trainer)
        with as_folder(files) as folder:
            record = write(open_release(folder), trainer, choice, out=target, force=force)
    if as_json:
        print_json({"folder": str(target), **asdict(record)})
    else:
        rows = ", ".join(f"{count} {split}" for split, count in record.rows.items())
        say(f"{target}: {rows} rows of {record.config} for {trainer.title} ({record.method})")
        say(f"\ncd {target}\n{record.command}")


@app.command()
def view(
    release: _RELEASE,
    version: _VERSION = None,
    config: Annotated[
        str | None, typer.Option(help="The only config in the file; by default all, the measured one first.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; by default <dataset>-<version>.html.")] = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows of each config, fewer where the file gets too large.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same seed draws the same rows.")] = 0,
    tokenizer: Annotated[
        str | None, typer.Option(help="Folder or Hub id of the tokenizer, if the policy's own is not on this machine.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that this command did not write.")] = False,
) -> None:
    """Write a release as one HTML file for a browser: row by row, with values, weights, masks and search trees."""
    from releases.registry.locate import locate
    from releases.registry.version_files import as_folder
    from releases.verification.opened import open_release
    from releases.viewing.file import check_writable, write_page
    from releases.viewing.page import page
    from releases.viewing.tokens import tokenizers

    with _explained():
        files = locate(release, version)
        path = out or Path(f"{files.manifest.dataset}-{files.manifest.version}.html")
        check_writable(path, force=force)
        with as_folder(files) as folder:
            opened = open_release(folder)
            configs = [config] if config else [one.name for one in opened.dataset.configs if one.name in opened.parts]
            content, told = page(opened, configs, n=rows, seed=seed, tokenizers=tokenizers(tokenizer))
        write_page(path, content)
    size = f"{len(content) / 1e6:.1f} MB" if len(content) >= 1e6 else f"{len(content) // 1000} kB"
    say(f"{path} ({size}) shows of {files.manifest.dataset} {files.manifest.version}:")
    for line in told:
        say(f"  {line}")


def print_json(data: Any) -> None:
    """Print data as one JSON object on standard output."""
    say(json.dumps(data, indent=2, ensure_ascii=False))


def say(text: object, *, err: bool = False) -> None:
    """Print text in which others may have a part: what would not print is escaped."""
    from releases.door.text import visible

    typer.echo(visible(str(text)), err=err)


@contextmanager
def _explained() -> Iterator[None]:
    """Print errors that the user can fix as one sentence on standard error, and exit with 2."""
    from generators.sampling.storage import StorageError
    from releases.door.text import one_line
    from releases.errors import ReleaseError

    try:
        yield
    except (ReleaseError, StorageError, OSError) as error:
        say(f"stepmill: {one_line(str(error))}", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    app()
