"""The Python SDK of MCP: both of its providers for clients without users find grantd by the MCP server."""

import asyncio
import logging
import os
from pathlib import Path

import httpx2
from mcp import ClientSession
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.streamable_http import streamable_http_client

URL, ISSUER, CLIENT = os.environ["MCP_URL"], os.environ["ISSUER"], os.environ["MCP_ID"]
KNOWN = {"client_id": CLIENT, "issuer": ISSUER}


class Storage:
    """Tokens and client of one session."""

    def __init__(self):
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


async def whoami(provider):
    async with (
        httpx2.AsyncClient(auth=provider) as http,
        streamable_http_client(URL, http_client=http) as (read, write),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        return (await session.call_tool("whoami", {})).content[0].text


def by_secret(secret):
    return ClientCredentialsOAuthProvider(URL, Storage(), client_secret=secret, **KNOWN)


def by_key(algorithm):
    key = (Path(os.environ["KEYS"]) / f"{algorithm.lower()}.pem").read_text()
    sign = SignedJWTParameters(issuer=CLIENT, subject=CLIENT, signing_key=key, signing_algorithm=algorithm)
    return PrivateKeyJWTOAuthProvider(URL, Storage(), assertion_provider=sign.create_assertion_provider(), **KNOWN)


async def main():
    assert await whoami(by_secret(os.environ["MCP_SECRET"])) == f"{CLIENT} tools:call"
    print("MCP in Python: ClientCredentialsOAuthProvider, the tool saw", CLIENT)
    for algorithm in ["ES256", "RS256", "PS256", "EdDSA"]:
        assert await whoami(by_key(algorithm)) == f"{CLIENT} tools:call"
        print(f"MCP in Python: PrivateKeyJWTOAuthProvider, {algorithm}, the tool saw", CLIENT)
    # Else the SDK prints the refusal.
    logging.disable()
    try:
        await whoami(by_secret("a-wrong-secret-0123"))
    except BaseException as refusal:
        assert "invalid_client" in "".join(texts(refusal)), refusal
        print("MCP in Python: a wrong secret, refused")
        return
    raise AssertionError("a wrong secret was taken")


def texts(error):
    """What an error says, and those that it groups."""
    yield str(error)
    for inner in getattr(error, "exceptions", []):
        yield from texts(inner)


asyncio.run(main())
