# What scripts that start programs of their own share.
# shellcheck shell=bash

# Longer than the slowest start of an unoptimised build.
readonly SECONDS_TO_START=60

free_port() {
    local port
    while true; do
        port=$((20000 + RANDOM % 12000))
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# eventually WHAT COMMAND…
eventually() {
    local deadline=$((SECONDS + SECONDS_TO_START))
    until "${@:2}" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || { echo "it never came to be that $1" >&2; exit 1; }
        sleep 0.05
    done
}

# install_python FOLDER: the packages of requirements.txt in a virtual environment there, as at the last run or anew.
install_python() {
    cmp -s requirements.txt "$1/installed.txt" && return
    rm -rf "$1"
    python3 -m venv "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements.txt
    cp requirements.txt "$1/installed.txt"
}

# install_node FOLDER: the packages of the lock file below it, as at the last run or anew.
install_node() {
    cp package.json package-lock.json .npmrc "$1/"
    cmp -s package-lock.json "$1/node_modules/.installed" && return
    npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund --loglevel error
    cp package-lock.json "$1/node_modules/.installed"
}
