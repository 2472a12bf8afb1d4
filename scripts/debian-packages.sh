# Sourced by scripts/test: installs the Debian packages of debian-packages.txt that are missing. As root and
# with apt only; else it says what is missing. Services of the packages are never started.

missing_packages() {
  local name
  while read -r name; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s ' "$name"
  done < scripts/debian-packages.txt
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

# Returns 1 when something stays missing.
install_debian_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say 'no apt: tests with real mail servers and clients run only where their programs are found'
    return 1
  fi
  local missing
  missing=$(missing_packages)
  [ -z "$missing" ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    say "not root, so these packages stay missing and their tests are skipped: $missing"
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
