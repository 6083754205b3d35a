"""JSON schemas for editors, made from the models of what people write: ``python -m gilscope.configuring.schemas``."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from gilscope.configuring.claims import ClaimsFile
from gilscope.configuring.models import Config

FOLDER = Path(__file__).parents[3] / "schemas"
MODELS: dict[str, type[BaseModel]] = {"config.schema.json": Config, "claims.schema.json": ClaimsFile}


def schema_text(file: str) -> str:
    """What a schema file has to hold."""
    return json.dumps(MODELS[file].model_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in MODELS:
        (FOLDER / name).write_text(schema_text(name), encoding="utf-8")
