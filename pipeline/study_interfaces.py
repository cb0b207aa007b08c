"""The `interfaces` section: charge transfer, and contacts for lithium and for electrons.

A key names a pair of phases ("nmc|cbd", "nmc|separator"), or one active phase: all its interfaces
with ion conductors.
"""

from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_serializer, model_validator
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from voxtrode.data.errors import InputError
from voxtrode.data.reactions import RATES, by_formula
from voxtrode.pipeline.quantities import (
    ActivationEnergy,
    AreaResistance,
    RateConstant,
    to_si,
)
from voxtrode.pipeline.study_base import Section, nearest

SEPARATOR = "separator"
"""The separator's name in a pair."""


OF_CURRENT = ("theta", "c_e")
OF_RESISTANCE = ("theta",)
"""What an exchange current and a charge-transfer resistance may depend on."""


def _formula_or(
    unit: str, what: str, example: str, symbols: tuple[str, ...]
) -> Callable[[object], float | str]:
    def parse(given: object) -> float | str:
        if isinstance(given, str) and any(name in given for name in OF_CURRENT):
            try:
                by_formula(given, symbols=symbols)
            except InputError as error:
                raise ValueError(
                    f"{error}; expected a formula of {' and '.join(symbols)} in {unit}"
                ) from None
            return given
        value = to_si(given, unit, what, example)
        if value <= 0.0:
            raise ValueError(f'{given!r} is not positive; expected a {what} such as "{example}"')
        return value

    return parse


_NUMBER_OR_TEXT = WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]})
type ExchangeCurrent = Annotated[
    float | str,
    BeforeValidator(_formula_or("A/m^2", "current density", "5 A/m^2", OF_CURRENT)),
    _NUMBER_OR_TEXT,
]
type TransferResistance = Annotated[
    float | str,
    BeforeValidator(
        _formula_or("ohm*m^2", "area-specific resistance", "50 ohm*cm^2", OF_RESISTANCE)
    ),
    _NUMBER_OR_TEXT,
]


OPEN, CLOSED = "open", "closed"


def _contact(given: object) -> float | str:
    if given in (OPEN, CLOSED):
        return str(given)
    value = to_si(given, "ohm*m^2", "area-specific resistance", "10 ohm*cm^2")
    if value <= 0.0:
        raise ValueError(f'{given!r} is not positive; expected a resistance, "open" or "closed"')
    return value


type Contact = Annotated[float | str, BeforeValidator(_contact), _NUMBER_OR_TEXT]


def _rate(given: object) -> str:
    if given not in RATES:
        raise ValueError(f"{given!r} is no rate law; {nearest(str(given), RATES, 'rate laws')}")
    return str(given)


type RateName = Annotated[str, BeforeValidator(_rate), WithJsonSchema({"enum": list(RATES)})]


class Interface(Section):
    """What differs, at some interfaces, from the charge transfer that the material's set gives.

    Attributes:
        rate: The law J/i₀ = h(Fη/RT).
        exchange_current: i₀ [A/m²]: a number, or a formula of theta and c_e [mol/m³].
        rate_constant: k [mol m⁻² s⁻¹] of i₀ = F k (c_e/c_e0)^α_a (1 − θ)^α_a θ^α_c.
        charge_transfer_resistance: R_ct S [Ω m²] of i₀ = RT/(F S R_ct): a number, or a formula of
            theta.
        activation_energy: Activation energy of i₀ as given here at 298.15 K [J/mol].
        alpha_a, alpha_c: Transfer coefficients.
        film_resistance: Area-specific resistance of the surface film [Ω m²]; 0 for none.
        wetted: Share of the interface that takes part.
        lithium: Of a contact between two active phases: open, closed, or the resistance to lithium
            that passes [Ω m²].
        electrons: Of a contact between two electron conductors: the same for electrons; open.
    """

    rate: RateName | None = None
    exchange_current: ExchangeCurrent | None = None
    rate_constant: RateConstant | None = None
    charge_transfer_resistance: TransferResistance | None = None
    activation_energy: ActivationEnergy | None = None
    alpha_a: Annotated[float, Field(gt=0.0, le=2.0)] | None = None
    alpha_c: Annotated[float, Field(gt=0.0, le=2.0)] | None = None
    film_resistance: AreaResistance | None = None
    wetted: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    lithium: Contact | None = None
    electrons: Contact | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ways = ("exchange_current", "rate_constant", "charge_transfer_resistance")
        given = [way for way in ways if getattr(self, way) is not None]
        if len(given) > 1:
            raise ValueError(f"expected one of {', '.join(ways)}, got {' and '.join(given)}")
        if self.activation_energy is not None and not given:
            raise ValueError(f"an activation_energy needs one of {', '.join(ways)} beside it")
        if self.lithium is not None and self.of_transfer:
            raise ValueError(
                "says both how charge is transferred to an ion conductor and how lithium passes a"
                " contact of active phases; expected one of them"
            )
        if not self.model_dump():
            raise ValueError("says nothing; expected e.g. {rate_constant: 1e-6} or {wetted: 0.8}")
        return self

    @property
    def of_transfer(self) -> bool:
        """Whether the entry speaks of charge transfer to ion conductors."""
        return bool(set(self.model_dump()) - {"lithium", "electrons"})

    @model_serializer(mode="wrap")
    def _only_what_is_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}


def pair(key: str) -> tuple[str, ...]:
    """The names in a key: one, or two."""
    return tuple(name.strip() for name in key.split("|"))


def check_pairs(given: dict[str, Interface], known: tuple[str, ...]) -> dict[str, Interface]:
    """Refuse keys that name no phases, and two that name the same pair.

    Args:
        given: By key.
        known: Names of the phases, the separator's among them where there is one.

    Raises:
        ValueError: With the key.
    """
    seen: dict[tuple[str, ...], str] = {}
    for key in given:
        parts = pair(key)
        if len(parts) > 2:
            raise ValueError(f'"{key}" names {len(parts)} phases; expected "a" or "a|b"')
        for name in parts:
            if name not in known:
                raise ValueError(f'"{key}": no phase "{name}"; {nearest(name, known, "phases")}')
        other = seen.setdefault(tuple(sorted(parts)), key)
        if other != key:
            raise ValueError(f'"{key}" and "{other}" are the same interface; expected it once')
    return given
