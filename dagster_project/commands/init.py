"""The command `stepmill init`: a settings file for somebody's own problems."""

from pathlib import Path
from typing import Annotated

import typer

from releases.cli import print_json


def init(
    source: Annotated[
        str, typer.Argument(help="A problem file, a folder or glob of them, or a Hub dataset as org/name.")
    ],
    model: Annotated[str, typer.Option(help="The policy: `embedded`, a model folder or a Hub id.")] = "embedded",
    out: Annotated[Path | None, typer.Option(help="The file to write; by default named for the source.")] = None,
    prompt: Annotated[str | None, typer.Option(help="The column of the problems, where it is not seen.")] = None,
    answer: Annotated[str | None, typer.Option(help="The column of the answers, where it is not seen.")] = None,
    reward: Annotated[str | None, typer.Option(help="A reward model, for problems without answers.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Write a small settings file for your own problems, and say what it was seen by.

    Columns, answer format, language, licence and context are detected. What cannot be seen stays a commented line.
    """
    from upath import UPath

    from dagster_project.commands.errors import explained
    from dagster_project.proposal.proposal import propose
    from dagster_project.proposal.samples import name_of
    from dagster_project.settings.file import load_settings
    from generators.sampling.storage import write_bytes

    file = out or Path(f"{name_of(source)}.toml")
    if file.exists() and not force:
        typer.echo(f"stepmill: {file} exists: name another file with --out, or overwrite it with --force", err=True)
        raise typer.Exit(2)
    with explained():
        proposal = propose(source, model=model, beside=file.parent, prompt=prompt, answer=answer, reward=reward)
        tried = file.with_name(f".{file.name}.tried")  # beside the file, since its paths are relative to it
        try:
            write_bytes(UPath(tried), proposal.toml().encode())
            load_settings(tried)
            tried.replace(file)
        finally:
            tried.unlink(missing_ok=True)
    detected = list(proposal.detected())
    if as_json:
        found = [{"what": seen.what, "value": seen.value, "evidence": seen.evidence} for seen in detected]
        print_json({"settings": str(file), "detected": found})
        return
    width = max(len(seen.what) for seen in detected)
    for seen in detected:
        typer.echo(f"{seen.what.ljust(width)}  {seen.value}: {seen.evidence}")
    typer.echo(f"\nWrote {file}. Next: stepmill check --settings {file}")
