"""Write the OpenAPI document from which the web app's types are made: `make web-types`."""

import json
from pathlib import Path

from choir.api.app import openapi_document

# The version of the API, not of the package: a release alone changes no type.
document = openapi_document("v1")
Path(__file__).parents[1].joinpath("node_modules", "openapi.json").write_text(json.dumps(document, sort_keys=True))
