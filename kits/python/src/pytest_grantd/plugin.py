"""The fixtures `grantd`, `grantd_server`, `grantd_reset` and `grantd_case`."""

import os
from collections.abc import Iterator

import pytest

from .battery import Case
from .grantd import Grantd

_SERVER = pytest.StashKey[Grantd]()
MARK = "grantd_battery"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("grantd_args", "further arguments of `grantd dev`, such as --catalog FILE", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}(audience, **query): runs the test with each token as grantd_case")


def pytest_unconfigure(config: pytest.Config) -> None:
    if _SERVER in config.stash:
        config.stash[_SERVER].stop()


def _server(config: pytest.Config) -> Grantd:
    """The one of this run, from the first test that needs it."""
    if _SERVER not in config.stash:
        arguments = [] if os.environ.get("GRANTD_CONTROL") else config.getini("grantd_args")
        config.stash[_SERVER] = Grantd(*arguments)
    return config.stash[_SERVER]


@pytest.fixture(scope="session")
def grantd_server(pytestconfig: pytest.Config) -> Grantd:
    """The grantd of this run, for fixtures of the session."""
    return _server(pytestconfig)


@pytest.fixture
def grantd(grantd_server: Grantd) -> Iterator[Grantd]:
    """The grantd of this run. After the test its clock is right again, unless others use it too (GRANTD_CONTROL)."""
    yield grantd_server
    if grantd_server.is_own:
        grantd_server.clock.reset()


@pytest.fixture
def grantd_reset(grantd_server: Grantd) -> Iterator[None]:
    """After the test everything is as at the start, unless others use this grantd too (GRANTD_CONTROL)."""
    yield
    if grantd_server.is_own:
        grantd_server.reset()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker(MARK)
    if mark and "grantd_case" in metafunc.fixturenames:
        cases = _server(metafunc.config).battery(*mark.args, **mark.kwargs)
        metafunc.parametrize("grantd_case", [case.name for case in cases], indirect=True)


@pytest.fixture
def grantd_case(request: pytest.FixtureRequest, grantd: Grantd) -> Case:
    """One token of the battery that the test's mark names, made for this test."""
    mark = request.node.get_closest_marker(MARK)
    return next(case for case in grantd.battery(*mark.args, **mark.kwargs) if case.name == request.param)
