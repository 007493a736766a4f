-- The whole schema, unchanged on Postgres (15 and later) and SQLite: TEXT, BIGINT and BOOLEAN only, times in Unix
-- seconds, lists and documents as JSON in TEXT, nothing numbers itself.

CREATE TABLE clients (
    client_id TEXT PRIMARY KEY,
    name TEXT,
    owner TEXT,
    environment TEXT,
    tenant TEXT,
    status TEXT NOT NULL,
    grants TEXT NOT NULL,
    auth_methods TEXT NOT NULL,
    assertion_audience TEXT NOT NULL,
    max_assertion_lifetime BIGINT,
    dpop_bound_access_tokens BOOLEAN NOT NULL,
    certificate_bound_access_tokens BOOLEAN NOT NULL,
    claims TEXT NOT NULL,
    max_tokens_per_minute BIGINT,
    tokens_not_before BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    rotated_at BIGINT,
    -- set with status 'deleted': the row stays until the last token of the client has expired
    deleted_at BIGINT
);

CREATE TABLE credentials (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    -- of a secret: generated, imported or phc; of a subject: which attribute; of a URL of keys: the CAs of its server;
    -- of an identity: the trusted issuer that says it
    form TEXT,
    -- PHC string, public JWK, x5t#S256, subject value, URL of keys or identity as JSON; never a secret in clear
    material TEXT NOT NULL,
    -- of a key its RFC 7638 thumbprint, of a certificate its x5t#S256: finds who shares it
    thumbprint TEXT,
    label TEXT,
    active_from BIGINT,
    expires_at BIGINT,
    retired_at BIGINT,
    -- set when it is retired as compromised: tokens issued for it up to this second are dead
    tokens_not_before BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    -- the source address of that use
    last_used_from TEXT
);

CREATE INDEX credentials_of_client ON credentials (client_id);

CREATE INDEX credentials_by_thumbprint ON credentials (thumbprint);

CREATE INDEX credentials_by_issuer ON credentials (form) WHERE kind = 'identity';

CREATE INDEX credentials_by_expiry ON credentials (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE audiences (
    identifier TEXT PRIMARY KEY,
    scopes TEXT NOT NULL,
    token_lifetime BIGINT NOT NULL,
    max_token_lifetime BIGINT NOT NULL,
    -- jwt or opaque
    format TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    jwt_typ TEXT NOT NULL,
    sender_constraint TEXT NOT NULL,
    served_by TEXT NOT NULL
);

-- whose signed statements about workloads count here; what is null the preset says
CREATE TABLE issuers (
    id TEXT PRIMARY KEY,
    uses TEXT NOT NULL,
    url TEXT NOT NULL UNIQUE,
    preset TEXT NOT NULL,
    -- discovery, a URL, or the JWK set itself
    keys TEXT,
    ca TEXT,
    bearer_token_file TEXT,
    audience TEXT,
    algorithms TEXT,
    max_lifetime BIGINT,
    jti TEXT,
    -- tokens up to this second for subjects of this id are dead: another url was trusted under it, or it was a client's
    tokens_not_before BIGINT NOT NULL
);

-- the same of an issuer that is trusted no more, until the last token for a subject of it has expired
CREATE TABLE issuer_marks (
    issuer TEXT PRIMARY KEY,
    tokens_not_before BIGINT NOT NULL
);

CREATE TABLE policies (
    client_id TEXT NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    audience TEXT NOT NULL REFERENCES audiences (identifier) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    default_scopes TEXT NOT NULL,
    token_lifetime BIGINT,
    claims TEXT NOT NULL,
    networks TEXT NOT NULL,
    methods TEXT NOT NULL,
    grants TEXT NOT NULL,
    -- which tokens may be exchanged; null: none
    exchange TEXT,
    -- whose tokens the client may bring as a grant, and of which subjects; null: nobody's
    issuer TEXT,
    subjects TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    PRIMARY KEY (client_id, audience)
);

CREATE INDEX policies_of_audience ON policies (audience);

-- tokens that a client got for an audience up to this second are dead: its policy was denied then. The row outlives the
-- policy, and stays until the last such token has expired
CREATE TABLE policy_marks (
    client_id TEXT NOT NULL,
    audience TEXT NOT NULL,
    tokens_not_before BIGINT NOT NULL,
    PRIMARY KEY (client_id, audience)
);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    algorithm TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    sealed_private_key TEXT NOT NULL,
    sealing_key_id TEXT NOT NULL,
    announced_at BIGINT NOT NULL,
    -- null while it stands by as the next key
    activates_at BIGINT,
    retires_at BIGINT,
    expires_at BIGINT,
    -- since when it neither signs nor verifies, whatever a clock says
    compromised_at BIGINT,
    -- seconds: the longest that a token lives that it may have signed
    longest_token BIGINT NOT NULL
);

-- whoever rotates first wins: of each algorithm one key signs without an end, and one stands by
CREATE UNIQUE INDEX signing_keys_current ON signing_keys (algorithm)
WHERE retires_at IS NULL AND activates_at IS NOT NULL;

CREATE UNIQUE INDEX signing_keys_next ON signing_keys (algorithm)
WHERE retires_at IS NULL AND activates_at IS NULL;

-- key is a hash of kind, scope and jti
CREATE TABLE used_assertions (
    key TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX used_assertions_expiry ON used_assertions (expires_at);

CREATE TABLE revoked_tokens (
    jti TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX revoked_tokens_expiry ON revoked_tokens (expires_at);

-- how token requests ended: each row is a minute, and after a day an hour; what a request did not name is empty
CREATE TABLE token_usage (
    -- its first second
    minute BIGINT NOT NULL,
    client_id TEXT NOT NULL,
    audience TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    -- issued, or the error code
    outcome TEXT NOT NULL,
    count BIGINT NOT NULL,
    -- tokens that were issued while an equal one had more than half of its life left
    wasted BIGINT NOT NULL,
    PRIMARY KEY (minute, client_id, audience, credential_id, outcome)
);

CREATE INDEX token_usage_of_client ON token_usage (client_id, minute);

-- details is JSON and never holds a secret, an assertion or a token
CREATE TABLE audit_events (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    -- change, refusal or alert: each is kept for a time of its own
    kind TEXT NOT NULL,
    -- how often it happened: an alert is one event an hour
    count BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    details TEXT NOT NULL
);

CREATE INDEX audit_events_time ON audit_events (at, id);

CREATE INDEX audit_events_kept ON audit_events (kind, at, id);

-- what other replicas must forget; all rows of one transaction share n and random_id
CREATE TABLE changes (
    n BIGINT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    random_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (n, kind, key)
);

CREATE TABLE feed_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    n BIGINT NOT NULL,
    -- when a replica last found that a part of the past is lost: what is spent before then nobody knows
    lost_at BIGINT NOT NULL
);

INSERT INTO feed_head (id, n, lost_at) VALUES (1, 0, 0);
