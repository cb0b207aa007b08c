"""The command line. `run`, `check`, `new`, `list`, `schema` import neither MPI nor DOLFINx."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from voxtrode.data.errors import NotAvailableError
from voxtrode.pipeline.cli_output import shown
from voxtrode.pipeline.failure import leave

StudyArgument = Annotated[
    str, typer.Argument(metavar="STUDY", help="A study file, or the name of a shipped study.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="The run folder; default runs/<name>.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change the study, e.g. protocol.0.discharge=2C."
    ),
]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]

app = typer.Typer(
    help="From a 3D image of an electrode to per-particle state of lithiation.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


def _version(wanted: bool) -> None:
    if not wanted:
        return
    from voxtrode import __version__
    from voxtrode.pipeline.provenance import probed_versions

    for name, version in {"voxtrode": __version__, **probed_versions()}.items():
        typer.echo(f"{name} {version}")
    raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print versions.")
    ] = False,
) -> None:
    del version


@app.command()
def run(
    study: StudyArgument,
    out: OutOption = None,
    ranks: Annotated[int, typer.Option("--ranks", min=1, help="MPI ranks.")] = 1,
    changes: SetOption = None,
    until: Annotated[str, typer.Option("--until", metavar="STAGE", help="Last stage.")] = "report",
) -> None:
    """Run every stage that is not up to date, up to the report."""
    from voxtrode.pipeline.study import load_study

    loaded = load_study(study, changes or [])  # before what is slow to import
    from voxtrode.pipeline.commands import run_study

    with shown() as sink:
        run_study(loaded, out, ranks, until, sink)


def _stage_command(stage: str) -> None:
    def command(study: StudyArgument, out: OutOption = None, changes: SetOption = None) -> None:
        from voxtrode.pipeline.commands import stage_here

        stage_here(stage, study, changes or [], out)

    what = f"Bring the {stage} stage up to date, and those before it; under mpiexec -n N, too."
    app.command(name=stage, help=what)(command)


for _stage in ("image", "mesh", "transport", "simulate", "report"):
    _stage_command(_stage)


@app.command()
def check(study: StudyArgument, changes: SetOption = None) -> None:
    """Validate a study and estimate its size, memory and time; run nothing."""
    from voxtrode.pipeline.check import check as checked
    from voxtrode.pipeline.study import load_study

    found = checked(load_study(study, changes or []))
    for name, text in found.items():
        typer.echo(f"{name:<10}{text}")


@app.command(name="list")
def list_() -> None:
    """List shipped studies and materials with their sources."""
    from voxtrode.pipeline.catalogue import listing

    for heading, entries in listing().items():
        width = max(len(name) for name, _ in entries) + 2
        typer.echo(f"{heading}\n" + "".join(f"  {name:<{width}}{text}\n" for name, text in entries))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a study file."""
    import json

    from voxtrode.pipeline.catalogue import study_schema

    typer.echo(json.dumps(study_schema(), indent=2, ensure_ascii=False))


@app.command()
def status(run: RunArgument) -> None:
    """Say where a run stands."""
    from voxtrode.pipeline.commands import run_status

    for name, text in run_status(run.absolute()).items():
        typer.echo(f"{name:<10}{text}")


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the table and the page go.")
    ] = Path("comparison"),
) -> None:
    """Put runs side by side: comparison.csv and comparison.html."""
    from voxtrode.pipeline.compare import compare as compared

    for path in compared(runs, out.expanduser().absolute()):
        typer.echo(f"written: {path}")


@app.command()
def view(
    run: RunArgument,
    screenshot: Annotated[
        Path | None, typer.Option("--screenshot", metavar="FILE", help="A PNG, no window.")
    ] = None,
    dod: Annotated[
        float | None, typer.Option("--dod", help="Depth of discharge; default: the last instant.")
    ] = None,
) -> None:
    """Show the stored fields of a run in PyVista."""
    from voxtrode.pipeline.view import view as viewed

    viewed(run, None if screenshot is None else screenshot.expanduser().absolute(), dod)
    if screenshot is not None:
        typer.echo(f"written: {screenshot}")


def _later(name: str, what: str) -> None:
    def command(context: typer.Context) -> None:
        del context
        raise NotAvailableError(f"voxtrode {name} is not available yet")

    settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(name=name, help=f"{what} (not available yet)", context_settings=settings)(command)


@app.command()
def new(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="An image, labelled or grey.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The study; default <image>.yaml.")
    ] = None,
    voxel_size: Annotated[
        str | None,
        typer.Option("--voxel-size", help='One or three lengths, e.g. "398 nm".'),
    ] = None,
    raw_shape: Annotated[
        str | None,
        typer.Option("--raw-shape", help="Voxels of a raw file, slowest axis first: 100,200,200."),
    ] = None,
    raw_dtype: Annotated[
        str, typer.Option("--raw-dtype", help="Type of its voxels: uint8, uint16, float32...")
    ] = "uint8",
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="The dataset of an HDF5 file.")
    ] = None,
) -> None:
    """Look at an image and write a commented study for it."""
    from voxtrode.data.reading.arrays import RawLayout
    from voxtrode.pipeline.image_look import Wanted, look_at
    from voxtrode.pipeline.new_study import (
        parse_lengths,
        parse_shape,
        refuse_existing,
        study_text,
        write_new,
    )

    path = out or Path(f"{image.stem}.yaml")
    refuse_existing(path)
    raw = RawLayout(parse_shape(raw_shape), raw_dtype) if raw_shape is not None else None
    voxel = parse_lengths(voxel_size) if voxel_size is not None else ()
    look = look_at(Wanted(image, voxel, raw, dataset), path)
    write_new(study_text(look), path)
    for name, text in look.lines().items():
        typer.echo(f"{name:<10}{text}")
    typer.echo(f"{'written':<10}{path}: look through it, then voxtrode check {path}")


_later("sweep", "Many runs over values of a key")

_CommandLineError: Any = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)  # typer moved it


def main() -> None:
    """Runs the command line; errors end in one line and the exit status they stand for."""
    try:
        status = app(standalone_mode=False)
    except _CommandLineError as error:
        sys.stderr.write(f"voxtrode: error: {error.format_message()} See voxtrode --help.\n")
        sys.exit(error.exit_code)
    except (Exception, KeyboardInterrupt) as error:
        leave(error, None, lambda failure: failure.print())
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
