# What the scripts with curl share: to be sourced.
# shellcheck shell=bash

# request URL OPTION…: the answer's body; a status of 400 or more is a failure.
request() {
    curl --silent --show-error --fail-with-body --max-time 10 "$@"
}

# member NAME JSON: the member's text or number.
member() {
    sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" <<<"$2"
}

# expect WHAT IS MUST
expect() {
    [ "$2" = "$3" ] || { echo "$1 is '$2' instead of '$3'" >&2; exit 1; }
}

expect_token() {
    expect token_type "$(member token_type "$2")" Bearer
    expect expires_in "$(member expires_in "$2")" 300
    expect scope "$(member scope "$2")" "$3"
    [ -n "$(member access_token "$2")" ] || { echo "no access_token" >&2; exit 1; }
    echo "curl: $1"
}

# expect_seen TOKEN_ANSWER: the API that the token is for sees it active; SEEN is what it sees.
expect_seen() {
    SEEN=$(request "$ISSUER/oauth2/introspect" -u "$API_ID:$API_SECRET" \
        --data-urlencode "token=$(member access_token "$1")")
    expect active "$(member active "$SEEN")" true
    expect aud "$(member aud "$SEEN")" pricing-api
}
