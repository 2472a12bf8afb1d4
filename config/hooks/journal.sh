#!/bin/sh
# A line in the system's log under a name of its own, with logger or, where that is not there, systemd-cat.
#   hooks:
#     - name: journal
#       exec: [/usr/share/letterlock/hooks/journal.sh]
# journalctl -t letterlock-hook shows them.
set -eu

case "${LETTERLOCK_EVENT_SEVERITY}" in
  critical) priority=crit ;;
  warning) priority=warning ;;
  *) priority=info ;;
esac

text=$(printf '%s: %s' "${LETTERLOCK_EVENT_TYPE}" "${LETTERLOCK_EVENT_MESSAGE}" | tr '\000-\037\177' ' ')

if command -v logger >/dev/null 2>&1; then
  exec logger -t letterlock-hook -p "mail.$priority" -- "$text"
fi
printf '%s\n' "$text" | systemd-cat -t letterlock-hook -p "$priority"
