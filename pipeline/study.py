"""The study file as a frozen object in SI units, every default included.

`load_study` reads and validates the shape of a study; whether its materials exist, its image is
readable and its cut-offs can be reached is `voxtrode.pipeline.validation`'s business.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from voxtrode.data.errors import InputError, NotAvailableError
from voxtrode.pipeline.quantities import ArealCapacity, Temperature, Time, Voltage
from voxtrode.pipeline.study_base import Section, first_line, nearest
from voxtrode.pipeline.study_file import apply_overrides, find_study, read_yaml, write_yaml
from voxtrode.pipeline.study_material import ElectrolyteGiven, Source
from voxtrode.pipeline.study_mesh import Mesh
from voxtrode.pipeline.study_phases import FULL_PORE, PhaseEntry, Separator
from voxtrode.pipeline.study_protocol import Protocol, Step, StopKind
from voxtrode.pipeline.study_surroundings import Surroundings
from voxtrode.pipeline.study_volume import VolumeSource

LOWER_CUTOFF = 3.0
UPPER_CUTOFF = 4.2

type Count = Annotated[int, Field(ge=1)]
type Tolerance = Annotated[float, Field(gt=0.0, lt=1.0)]


class Store(Section):
    """Instants at which fields and particles are kept.

    Attributes:
        start: Keep the state at the start.
        dod: Depths of discharge at which the state is kept.
        every_dod: Keep the state at every multiple of this DoD; the default (0.1) holds where no
            `dod` is given.
        step_ends: Keep the state at the end of each step.
    """

    start: bool = True
    dod: tuple[Annotated[float, Field(ge=0.0)], ...] = ()
    every_dod: Annotated[float, Field(gt=0.0)] | None = Field(
        default_factory=lambda data: None if data.get("dod") else 0.1
    )
    step_ends: bool = True

    def instants(self, largest: float) -> tuple[float, ...]:
        """Depths of discharge above 0 and up to `largest` to keep, rising."""
        found = {dod for dod in self.dod if 0.0 < dod <= largest}
        if self.every_dod is not None:
            count = int(largest / self.every_dod * (1.0 + 1e-12))
            found |= {float(f"{n * self.every_dod:.12g}") for n in range(1, count + 1)}
        return tuple(sorted(found))


class Solver(Section):
    """Tolerances and limits of the time stepping and of its solvers.

    Attributes:
        rtol: Relative tolerance of the local error of a time step.
        newton_tolerance: Tolerance of Newton's method on the sum of each field's residual,
            relative to the current at 1C: what a step may add to the errors of the balances.
        max_newton: Newton iterations before a step is rejected.
        krylov_rtol: Relative tolerance of a linear solve.
        max_krylov: Krylov iterations of a linear solve before a step is rejected.
        first_dt: First time step after a jump of the current [s].
        min_dt: Smallest time step before the run is given up [s].
        max_dt: Largest time step [s].
    """

    rtol: Tolerance = 1e-3
    newton_tolerance: Tolerance = 1e-11
    max_newton: Count = 12
    krylov_rtol: Tolerance = 1e-4
    max_krylov: Count = 200
    first_dt: Time = 0.1
    min_dt: Time = 1e-4
    max_dt: Time = 600.0


class Study(Section):
    """One study: what is simulated, on which volume, how. SI units throughout.

    Attributes:
        name: Name; the default run folder is `runs/<name>`.
        electrolyte: Electrolyte of every liquid phase that names none, and of the separator.
        temperature: Temperature [K].
        volume: Where the voxels come from.
        phases: Every phase of the volume by name.
        separator: The separator, or None for particles in a stirred electrolyte.
        counter: The counter electrode.
        surroundings: What is around particles without a separator; None in a cell.
        voltage_window: Lower and upper cut-off [V]; they define SoL 1 and SoL 0. Default: the
            discharge's end voltage where it has one, else 3.0 V; and 4.2 V.
        nominal_capacity: Nominal areal capacity [A s m⁻²], or None: that of the active material.
        protocol: The steps.
        mesh: The mesh.
        store: Instants that are kept.
        solver: Tolerances.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    electrolyte: ElectrolyteGiven = "lipf6-ec-emc-nyman2008"
    temperature: Temperature = 298.15
    volume: VolumeSource
    phases: dict[str, PhaseEntry]
    separator: Separator | None = None
    counter: str = "lithium"
    surroundings: Surroundings | None = None
    nominal_capacity: ArealCapacity | None = None
    protocol: Protocol
    voltage_window: tuple[Voltage, Voltage] = Field(
        default_factory=lambda data: (_lower_cutoff(data.get("protocol", ())), UPPER_CUTOFF)
    )
    mesh: Mesh
    store: Store = Store()
    solver: Solver = Solver()

    @field_validator("phases", mode="before")
    @classmethod
    def _fill_pores(cls, given: Any, info: ValidationInfo) -> Any:
        volume = info.data.get("volume")
        if not isinstance(given, dict) or volume is None or "pore" not in volume.phase_names:
            return given
        return given if given.get("pore") else {**given, "pore": FULL_PORE}

    @field_validator("phases", mode="after")
    @classmethod
    def _one_entry_per_phase(
        cls, phases: dict[str, PhaseEntry], info: ValidationInfo
    ) -> dict[str, PhaseEntry]:
        names = info.data["volume"].phase_names if "volume" in info.data else tuple(phases)
        for name in phases:
            if name not in names:
                hint = nearest(name, names, "its phases")
                raise ValueError(f'the volume has no phase "{name}"; {hint}')
        for name in names:
            if name not in phases:
                raise ValueError(
                    f'no entry for the phase "{name}" of the volume; say what it is, e.g.'
                    " {material: nmc622}, {porosity: 0.5, tortuosity: bruggeman} or {inert: true}"
                )
        return {name: phases[name] for name in names}

    @field_validator("counter", mode="before")
    @classmethod
    def _lithium_only(cls, given: Any) -> Any:
        if isinstance(given, dict) or given == "lithium-indium":
            came = "a second electrode" if isinstance(given, dict) else given
            raise NotAvailableError(f"counter: {came} is not available yet; use lithium")
        return given

    @model_validator(mode="after")
    def _in_a_cell_or_stirred(self) -> Self:
        if self.surroundings is None and self.separator is None:
            raise ValueError(
                "separator: is missing; give one, or surroundings: stirred for particles alone in a"
                " stirred electrolyte"
            )
        if self.surroundings is not None and self.separator is not None:
            raise ValueError(
                "separator: has no place in a stirred electrolyte; remove separator or surroundings"
            )
        return self

    @field_validator("voltage_window", mode="after")
    @classmethod
    def _rising(cls, window: tuple[float, float]) -> tuple[float, float]:
        if window[0] >= window[1]:
            raise ValueError(
                f"the lower cut-off ({window[0]:g} V) is not below the upper ({window[1]:g} V)"
            )
        return window

    @property
    def separator_thickness(self) -> float:
        """Thickness of the separator [m]; 0 without one."""
        return 0.0 if self.separator is None else self.separator.thickness

    @property
    def sources(self) -> dict[tuple[str, ...], Source]:
        """Materials and electrolytes from elsewhere than the library, by their keys."""
        given: dict[tuple[str, ...], Any] = {
            ("electrolyte",): self.electrolyte,
        }
        if self.separator is not None:
            given["separator", "electrolyte"] = self.separator.electrolyte
        for name, entry in self.phases.items():
            given["phases", name, "material"] = entry.material
            given["phases", name, "electrolyte"] = entry.electrolyte
        return {keys: source for keys, source in given.items() if isinstance(source, Source)}

    def resolved(self) -> dict[str, Any]:
        """The study as plain numbers, texts, lists and mappings, every default written out."""
        return self.model_dump(mode="json")


def _lower_cutoff(protocol: Sequence[Step]) -> float:
    ends = [stop.value for step in protocol for stop in step.stops if stop.kind is StopKind.VOLTAGE]
    return min(ends, default=LOWER_CUTOFF)


def parse_study(tree: Mapping[str, Any], folder: Path, source: str = "study") -> Study:
    """A study from what a YAML file holds.

    Args:
        tree: Keys and values.
        folder: Folder that relative paths of the study start from.
        source: What to call the study in messages.

    Raises:
        InputError: A fault in the study, as one line with the dotted path of the key.
    """
    try:
        return Study.model_validate(tree, context={"folder": folder})
    except ValidationError as error:
        raise InputError(f"{source}: {first_line(error)}") from None
    except NotAvailableError as error:
        raise NotAvailableError(f"{source}: {error}") from None


def load_study(path_or_name: str | Path, overrides: Sequence[str] = ()) -> Study:
    """A study from a YAML file, or from the name of a shipped one.

    Args:
        path_or_name: The file, or a name as `voxtrode list` shows it.
        overrides: `key=value` texts; keys are dotted, integers index lists.

    Raises:
        InputError: No such study, or a fault in it.
    """
    path = find_study(str(path_or_name))
    tree = apply_overrides(read_yaml(path), overrides)
    return parse_study(tree, path.parent, path.name)


def write_study(study: Study, path: Path) -> None:
    """Writes a study such that loading the file gives the same study, wherever the file lies."""
    write_yaml(study.resolved(), path)
