"""A driver's methods, the requests of the model, and what a module's table says that it can do are one list."""

from __future__ import annotations

from typing import get_args

import pytest

from gateway.dialect import registry
from gateway.dialect.driver import method_of
from gateway.dialect.quirks import driver_of
from gateway.model.requests import PassThrough, Request

MODULES = [name for name in registry.ids() if "module" in registry.load(name).tables.roles]
REQUESTS = {one.__name__ for one in get_args(Request)} - {PassThrough.__name__}


@pytest.mark.parametrize("name", MODULES)
def test_every_ability_has_its_method(name: str) -> None:
    dialect = registry.load(name)
    abilities = {ability.partition(".")[0] for ability in dialect.tables.module.abilities}
    driver = driver_of(dialect)
    assert abilities <= REQUESTS
    missing = [ability for ability in abilities if not hasattr(driver, method_of(ability))]
    assert not missing


@pytest.mark.parametrize("name", MODULES)
def test_every_method_is_a_requests(name: str) -> None:
    named = {method_of(request) for request in REQUESTS}
    methods = {method for method in dir(driver_of(registry.load(name))) if method.startswith("do_")}
    assert methods <= named
