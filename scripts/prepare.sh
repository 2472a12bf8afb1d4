# Sourced by the other scripts: finds Node, installs the packages of package-lock.json, builds.
# Never changes anything outside this folder. Expects the current folder to be the repository.

say() { printf '== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

is_new_enough() { "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; }

# Puts a Node of 20.19 or newer first in PATH.
find_node() {
  local candidate
  for candidate in "$(command -v node || true)" /usr/local/bin/node "$HOME"/.nvm/versions/node/*/bin/node /opt/node*/bin/node; do
    [ -x "$candidate" ] && is_new_enough "$candidate" || continue
    PATH="$(dirname "$candidate"):$PATH"
    export PATH
    return 0
  done
  die "letterlock needs Node.js 20.19 or newer; found $(node --version 2>/dev/null || echo none). See https://nodejs.org/"
}

# Runs with the caller's environment: behind an intercepting proxy npm needs its trust settings.
install_modules() {
  node scripts/installed.mjs && return 0
  command -v npm >/dev/null || die 'npm was not found beside node'
  say 'installing packages (npm ci)'
  npm ci --no-audit --no-fund --loglevel=error </dev/null
}

# Prefix of a command that runs without what an environment may set to change which certificates programs trust.
no_trust_settings=(env -u NODE_EXTRA_CA_CERTS -u NODE_TLS_REJECT_UNAUTHORIZED -u SSL_CERT_FILE -u SSL_CERT_DIR
  -u CURL_CA_BUNDLE -u REQUESTS_CA_BUNDLE -u NODE_OPTIONS)

without_trust_settings() { "${no_trust_settings[@]}" "$@"; }

build() {
  say 'building'
  npm run --silent build </dev/null
}
