#!/bin/sh
# A push notice, with curl and a server of ntfy (ntfy.sh, or your own).
#   hooks:
#     - name: phone
#       exec: [/usr/share/letterlock/hooks/ntfy.sh, /etc/letterlock/ntfy.curl]
# The file is a configuration of curl, so that topic and token stand in no list of processes; chmod 600:
#   url = "https://ntfy.sh/a-topic-that-nobody-guesses"
#   header = "Authorization: Bearer tk_..."
set -eu

config=${1:?a file with the url}

case "${LETTERLOCK_EVENT_SEVERITY}" in
  critical) priority=urgent ;;
  warning) priority=high ;;
  *) priority=default ;;
esac

# Headers are one line of ASCII each.
header() {
  printf '%s' "$1" | LC_ALL=C tr -cd '\040-\176' | cut -c 1-200
}

printf '%s\n\n%s\n' "${LETTERLOCK_EVENT_MESSAGE}" "${LETTERLOCK_EVENT_ADVICE}" |
  curl --silent --show-error --fail --proto '=https,http' --max-time 8 --config "$config" \
    --header "Title: letterlock: $(header "${LETTERLOCK_EVENT_ENDPOINT:-${LETTERLOCK_EVENT_TYPE}}")" \
    --header "Priority: $priority" --header 'Tags: lock' --data-binary @- --output /dev/null
