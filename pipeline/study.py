"""The study file as a frozen object in SI units, every default included.

`load_study` reads and validates the shape of a study; whether its materials exist, its image is
readable and its cut-offs can be reached is `voxtrode.pipeline.validation`'s business.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from voxtrode.data.errors import InputError, NotAvailableError
from voxtrode.pipeline.quantities import ArealCapacity, Temperature, Time, Voltage
from voxtrode.pipeline.study_base import Section, first_line, nearest
from voxtrode.pipeline.study_counter import CounterGiven, CounterMaterial
from voxtrode.pipeline.study_electrodes import ElectrodeEntry, NegativeEntry, check_electrodes
from voxtrode.pipeline.study_file import apply_overrides, find_study, read_yaml, write_yaml
from voxtrode.pipeline.study_initial import Initial
from voxtrode.pipeline.study_interfaces import SEPARATOR, Interface, check_pairs
from voxtrode.pipeline.study_material import ElectrolyteGiven, Source
from voxtrode.pipeline.study_mesh import Mesh
from voxtrode.pipeline.study_phases import FULL_PORE, NO_SEPARATOR, PhaseEntry, Separator
from voxtrode.pipeline.study_protocol import (
    OneStep,
    Placed,
    Protocol,
    Repeat,
    check_count,
    flat,
    written,
)
from voxtrode.pipeline.study_stops import StopKind
from voxtrode.pipeline.study_surroundings import Surroundings
from voxtrode.pipeline.study_transport import Transport
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


def _separator(data: dict[str, Any]) -> Any:
    """None where it must be given, which validation says."""
    return NO_SEPARATOR if data.get("negative") or data.get("surroundings") else None


class Study(Section):
    """One study: what is simulated, on which volume, how. SI units throughout.

    Attributes:
        name: Name; the default run folder is `runs/<name>`.
        electrolyte: Electrolyte of every liquid phase that names none, and of the separator.
        temperature: Temperature [K].
        volume: Where the voxels come from.
        phases: Every phase of the volume by name.
        negative, positive: The electrodes of a full cell that stand in one volume, or None.
        surroundings: What is around particles that stand in no cell; None in a cell.
        separator: The separator; none in a volume that holds both electrodes, and around particles.
        interfaces: Charge transfer at pairs of phases, where it is not what the materials say.
        counter: The counter electrode; None where the volume holds both electrodes. Potentials
            of particles in a stirred electrolyte are against lithium.
        voltage_window: Lower and upper cut-off [V]; they define SoL 1 and SoL 0. Default: the
            lowest voltage that ends a discharge, else 3.0 V; and the highest one that ends a
            charge, else 4.2 V.
        nominal_capacity: Nominal areal capacity [A s m⁻²], or None: that of the active material.
        initial: State at the start; default: fully charged.
        protocol: The steps.
        mesh: The mesh.
        transport: Effective transport.
        store: Instants that are kept.
        solver: Tolerances.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    electrolyte: ElectrolyteGiven = "lipf6-ec-emc-nyman2008"
    temperature: Temperature = 298.15
    volume: VolumeSource
    phases: dict[str, PhaseEntry]
    negative: NegativeEntry | None = None
    positive: ElectrodeEntry | None = None
    surroundings: Surroundings | None = None
    separator: Annotated[Separator, Field(validate_default=True)] = Field(
        default_factory=_separator
    )
    interfaces: dict[str, Interface] = Field(default_factory=dict)
    counter: CounterGiven | None = Field(
        default_factory=lambda data: None if data.get("negative") else "lithium"
    )
    nominal_capacity: ArealCapacity | None = None
    initial: Initial = Initial(sol=0.0)
    protocol: Annotated[Protocol, AfterValidator(check_count)]
    voltage_window: tuple[Voltage, Voltage] = Field(
        default_factory=lambda data: _cutoffs(data.get("protocol", ()))
    )
    mesh: Mesh
    transport: Transport = Transport()
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

    @field_validator("separator", mode="before")
    @classmethod
    def _there(cls, given: Any) -> Any:
        if given is None:
            raise PydanticCustomError("missing", "is missing")
        return given

    @field_validator("separator", mode="after")
    @classmethod
    def _between(cls, given: Separator, info: ValidationInfo) -> Separator:
        if info.data.get("surroundings") is not None:
            if given.thickness > 0.0:
                raise ValueError("has no place in a stirred electrolyte; remove it or surroundings")
            return given
        if info.data.get("negative") is None and given.thickness == 0.0:
            raise ValueError("its thickness is 0, which is not positive")
        if info.data.get("negative") is not None and given.thickness > 0.0:
            raise ValueError(
                "a volume that holds both electrodes holds what is between them, too; remove the"
                " section"
            )
        return given

    @field_validator("counter", mode="after")
    @classmethod
    def _one_counter(cls, given: Any, info: ValidationInfo) -> Any:
        if given is None and info.data.get("negative") is None:
            raise ValueError("there is none; expected e.g. lithium, lithium-indium or a material")
        if given is not None and info.data.get("negative") is not None:
            raise ValueError(
                "the negative electrode stands in the volume (negative); expected no counter"
            )
        if given != "lithium" and info.data.get("surroundings") is not None:
            raise ValueError(
                "particles in a stirred electrolyte have none, and potentials against lithium;"
                " remove it"
            )
        if given == "blocking":
            raise ValueError(
                "a blocking face passes no current, so that nothing can be driven through it; the"
                " ends of a volume with both electrodes are such faces (negative, positive)"
            )
        return given

    @model_validator(mode="after")
    def _two_electrodes(self) -> Self:
        check_electrodes(self.negative, self.positive, tuple(self.phases))
        if self.surroundings is not None and self.negative is not None:
            raise ValueError(
                "surroundings take the place of a cell: remove negative and positive, or remove"
                " surroundings"
            )
        return self

    @field_validator("interfaces", mode="after")
    @classmethod
    def _known_pairs(
        cls, given: dict[str, Interface], info: ValidationInfo
    ) -> dict[str, Interface]:
        names = tuple(info.data.get("phases", ()))
        separator = info.data.get("separator")
        if separator is None or separator.thickness > 0.0:  # None: faulty, which is said
            names += (SEPARATOR,)
        return check_pairs(given, names)

    @field_validator("voltage_window", mode="after")
    @classmethod
    def _rising(cls, window: tuple[float, float]) -> tuple[float, float]:
        if window[0] >= window[1]:
            raise ValueError(
                f"the lower cut-off ({window[0]:g} V) is not below the upper ({window[1]:g} V)"
            )
        return window

    @property
    def sources(self) -> dict[tuple[str, ...], Source]:
        """Materials and electrolytes from elsewhere than the library, by their keys."""
        given: dict[tuple[str, ...], Any] = {
            ("electrolyte",): self.electrolyte,
            ("separator", "electrolyte"): self.separator.electrolyte,
        }
        if isinstance(self.counter, CounterMaterial):
            given["counter", "material"] = self.counter.material
        for name, entry in self.phases.items():
            given["phases", name, "material"] = entry.material
            given["phases", name, "electrolyte"] = entry.electrolyte
        return {keys: source for keys, source in given.items() if isinstance(source, Source)}

    @property
    def far(self) -> tuple[str, ...]:
        """Phases of the electrode whose collector is z = L, where the volume holds two."""
        both = [one for one in (self.negative, self.positive) if one is not None]
        return tuple(name for one in both if one.collector == "last" for name in one.phases)

    @property
    def collectors(self) -> tuple[str, str]:
        """What the collectors at z = 0 and at z = L are called; empty where there is none."""
        if self.surroundings is not None and self.surroundings.stirred.everywhere:
            return "", ""
        if self.negative is None:
            return "collector", ""
        both = ("negative collector", "positive collector")
        return both if self.negative.collector == "first" else (both[1], both[0])

    @property
    def separator_thickness(self) -> float:
        """Thickness of the separator [m]; 0 without one."""
        return self.separator.thickness

    @property
    def steps(self) -> tuple[Placed, ...]:
        """The steps of the protocol one after another, repetitions carried out."""
        return tuple(flat(self.protocol))

    def resolved(self) -> dict[str, Any]:
        """The study as plain numbers, texts, lists and mappings, every default written out."""
        return self.model_dump(mode="json")


def _cutoffs(protocol: Sequence[OneStep | Repeat]) -> tuple[float, float]:
    ends = [
        (placed.step.direction, stop.value)
        for placed in written(protocol)
        for stop in placed.step.stops
        if stop.kind is StopKind.VOLTAGE
    ]
    low = min((value for direction, value in ends if direction > 0), default=LOWER_CUTOFF)
    high = max((value for direction, value in ends if direction < 0), default=UPPER_CUTOFF)
    return low, high


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
