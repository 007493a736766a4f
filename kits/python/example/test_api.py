import pytest
from api import prices_api
from fastapi.testclient import TestClient


@pytest.fixture(scope="session")
def api(grantd_server):
    return TestClient(prices_api(grantd_server.issuer, grantd_server.endpoints["jwks_uri"], "pricing-api"))


@pytest.mark.grantd_battery("pricing-api", scope="pricing:read")
def test_it_takes_good_tokens_and_no_others(api, grantd_case):
    answer = api.get("/prices", headers=grantd_case.headers)
    grantd_case.check(answer.status_code)


def test_it_knows_who_calls(api, grantd):
    token = grantd.token("orders-service", "pricing-api", "pricing:read")
    answer = api.get("/prices", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["caller"] == "orders-service"


def test_the_caller_is_whom_the_token_names(api, grantd):
    token = grantd.mint(audience="pricing-api", scope="pricing:read", claims={"client_id": "stranger"})["access_token"]
    answer = api.get("/prices", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["caller"] == "stranger"
