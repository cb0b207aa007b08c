"""Study files on disk: found by path or name, read as YAML, changed by `--set`, written back."""

import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import voxtrode.data
from voxtrode.data.errors import InputError
from voxtrode.pipeline.study_base import nearest

SHIPPED = Path(voxtrode.data.__path__[0]) / "studies"


def shipped_studies() -> dict[str, Path]:
    """Files of the shipped studies by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def find_study(path_or_name: str) -> Path:
    """The study file that a path or the name of a shipped study stands for.

    Raises:
        InputError: Neither exists.
    """
    path = Path(path_or_name).expanduser()
    if path.is_file():
        return path.absolute()
    shipped = shipped_studies()
    if path_or_name in shipped:
        return shipped[path_or_name]
    if path.is_dir() and (path / "study.yaml").is_file():
        raise InputError(f"{path} is a folder; give its study file, {path / 'study.yaml'}")
    raise InputError(
        f"no study file {path_or_name}, nor a shipped study of that name;"
        f" {nearest(path.stem, shipped, 'shipped studies')}"
    )


SHORT_FORMS = (("surroundings", "stirred"),)
"""Keys whose value may be a name, short for a mapping from that name to defaults."""


class _Loader(yaml.SafeLoader):
    """YAML in which a key stands once, and `1e-3` is a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                line = node.value[index][0].start_mark.line + 1
                raise InputError(f'the key "{key}" stands twice, again in line {line}')
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: list(resolvers) for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+0123456789."),
)


def _parse_yaml(text: str, source: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" in line {mark.line + 1}" if mark else ""
        raise InputError(f"{source} is no YAML{where}: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{source} is no YAML: {' '.join(str(error).split())}") from None
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Raises:
        InputError: Unreadable, no YAML, or no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text: {error}") from None
    tree = _parse_yaml(text, path.name)
    if not isinstance(tree, dict):
        raise InputError(f"{path.name} holds no study; expected a mapping of keys")
    return tree


def write_yaml(tree: Mapping[str, Any], path: Path) -> None:
    """Writes a mapping as YAML, at once or not at all."""
    text = yaml.safe_dump(dict(tree), sort_keys=False, allow_unicode=True, width=100)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def apply_overrides(tree: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A copy of `tree` with each `key=value` of the command line set.

    Values are YAML. Keys are dotted, integers index lists; a list grows by naming its next index;
    a name that is short for a mapping becomes one where a key leads into it.

    Raises:
        InputError: No `=`, or a key that leads through a value or outside a list.
    """
    changed: dict[str, Any] = _copied(tree)
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals or not key.strip():
            raise InputError(f'--set {override}: expected key=value, such as "mesh.size=1 um"')
        _set(changed, key.strip().split("."), _parse_yaml(value, f"--set {override}"), override)
    return changed


def _copied(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _copied(value) for key, value in node.items()}
    return [_copied(value) for value in node] if isinstance(node, list) else node


def _set(node: Any, keys: list[str], value: Any, override: str) -> None:
    key, rest = keys[0], keys[1:]
    if isinstance(node, list):
        if not key.isdigit() or int(key) > len(node):
            raise InputError(
                f'--set {override}: "{key}" is no index of a list of {len(node)} entries'
            )
        if int(key) == len(node):
            node.append({})
        _descend(node, int(key), rest, value, override)
    elif isinstance(node, dict):
        _descend(node, key, rest, value, override)
    else:
        raise InputError(f'--set {override}: there is no key "{key}" in the value {node!r}')


def _descend(node: Any, key: Any, rest: list[str], value: Any, override: str) -> None:
    if not rest:
        node[key] = value
        return
    if isinstance(node, dict) and node.get(key) is None:
        node[key] = {}
    elif isinstance(node, dict) and (key, node[key]) in SHORT_FORMS:
        node[key] = {node[key]: {}}
    _set(node[key], rest, value, override)
