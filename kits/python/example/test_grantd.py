"""What else a test has."""

import pytest
from pytest_grantd import Grantd, GrantdError


@pytest.fixture
def afterwards(grantd_server):
    """Looks after `grantd_reset`."""
    yield
    assert grantd_server.faults.list() == [] or not grantd_server.is_own


@pytest.mark.usefixtures("afterwards", "grantd_reset")
def test_a_fault_strikes_as_often_as_it_should(grantd):
    client = grantd.client()
    fault = grantd.faults.add(endpoint="token", client_id=client.client_id, status=503, times=1)
    with pytest.raises(GrantdError, match="503"):
        client.token()
    assert client.token()["token_type"] == "Bearer"
    assert [it["struck"] for it in grantd.faults.list() if it["id"] == fault] == [1]
    seen = grantd.await_requests(count=2, client_id=client.client_id)
    assert [it["outcome"] for it in seen] == ["fault", "issued"]


def test_who_waits_in_vain_sees_what_came(grantd):
    client = grantd.client()
    with pytest.raises(GrantdError) as too_late:
        grantd.await_requests(within="1ms", client_id=client.client_id)
    assert (too_late.value.status, too_late.value.body["requests"]) == (408, [])


def test_a_disabled_client_gets_nothing(grantd):
    client = grantd.client(auth="private_key_jwt")
    assert client.token()["token_type"] == "Bearer"
    client.set_status("disabled")
    with pytest.raises(GrantdError, match="invalid_client"):
        client.token()
    client.delete()


def test_a_reset_puts_everything_back():
    with Grantd(own=True) as own:
        client = own.client()
        own.clock.advance("61m")
        own.faults.add(status=503)
        own.reset()
        assert own.faults.list() == own.requests() == []
        with pytest.raises(GrantdError, match="invalid_client"):
            client.token()
        own.token("orders-service")
