"""Requests that schemathesis makes from the published description of the API."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.abuse.watch import Watch
from tests.conftest import ROOT

FILE = ROOT / "bot" / "channels" / "web" / "static" / "openapi.json"


def fuzz(base: str, count: int, number: int, watch: Watch) -> None:
    """So many requests in all, most of them to operations with a body: the others are soon exhausted. Blocks."""
    operations = [found.ok() for found in schemathesis.openapi.from_path(FILE).get_all_operations()]
    bodies = sum(bool(operation.body) for operation in operations)
    assert len(operations) > bodies > 1
    for operation in operations:

        @seed(number)
        @settings(
            max_examples=max(1, count // bodies),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def one(case: schemathesis.Case) -> None:
            response = case.call(base_url=base, timeout=30)
            what = f"{case.method} {case.path}"
            watch.note("published API", what, response.status_code, response.text + str(response.headers))
            case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])

        try:
            one()
        except Exception as error:
            watch.wrong.append(f"published API: {operation.label}: {str(error)[:300]}")
