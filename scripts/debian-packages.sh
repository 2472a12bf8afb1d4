# Sourced by scripts/test and scripts/bench: installs the Debian packages of debian-packages.txt, or those named,
# that are missing. As root and with apt only; else it says what is missing. Services of the packages are never started.

missing_packages() {
  local name
  [ $# -gt 0 ] || set -- $(cat scripts/debian-packages.txt)
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s ' "$name"
  done
}

# A package that comes with a service starts it unless this file forbids it; an existing one is left alone.
# Prints the file when it was made here, so that it can be removed again.
forbid_services() {
  [ -e /usr/sbin/policy-rc.d ] && return 0
  echo /usr/sbin/policy-rc.d
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
}

apt() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@" </dev/null >"$apt_log" 2>&1; }

# Arguments: names of packages; none: all of the list. Returns 1 when something stays missing.
install_debian_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say 'no apt: what needs other programs runs only where they are found'
    return 1
  fi
  local missing
  missing=$(missing_packages "$@")
  [ -z "$missing" ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    say "not root, so these packages stay missing: $missing"
    return 1
  fi
  say "installing Debian packages: $missing"
  local apt_log forbidding status=0
  apt_log=$(mktemp)
  forbidding=$(forbid_services)
  # shellcheck disable=SC2086 # a list of names
  apt update && apt install --no-install-recommends $missing || { status=1; tail -n 20 "$apt_log" >&2; }
  rm -f "$apt_log" ${forbidding:+"$forbidding"}
  return "$status"
}
