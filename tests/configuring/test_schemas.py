import json
from pathlib import Path

import pytest
import yaml
from gilscope.configuring.schemas import FOLDER, MODELS, schema_text

ROOT = Path(__file__).parents[2]
YAML_FILES = sorted([*ROOT.glob("config/*.yaml"), *ROOT.glob("config/presets/*.yaml")])


@pytest.mark.parametrize("name", MODELS)
def test_the_schema_files_are_what_the_models_say(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == schema_text(name), (
        "run python -m gilscope.configuring.schemas"
    )


@pytest.mark.parametrize("file", YAML_FILES, ids=lambda file: file.name)
def test_every_yaml_file_names_its_schema(file: Path) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    schema = file.parent / first.removeprefix("# yaml-language-server: $schema=")
    keys = json.loads(schema.read_text(encoding="utf-8"))["properties"]
    assert set(yaml.safe_load(file.read_text(encoding="utf-8"))) <= set(keys)
