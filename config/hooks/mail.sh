#!/bin/sh
# A mail, with sendmail or another program that takes one on stdin and the addressee as a word (msmtp does).
#   hooks:
#     - name: mail
#       exec: [/usr/share/letterlock/hooks/mail.sh, you@example.org]
#       # or: [/usr/share/letterlock/hooks/mail.sh, you@example.org, msmtp]
# It must not go by the server that letterlock watches: a mail about a refused server, sent through that server, is
# refused as well, and may be read by whoever is in between. Use another account, or a local mailbox.
set -eu

to=${1:?the address to write to}
sender=${2:-sendmail}
PATH="$PATH:/usr/sbin:/usr/lib"

# One line, whatever it holds: a line end would begin another header.
line() {
  printf '%s' "$1" | tr '\000-\037\177' ' '
}

{
  printf 'To: %s\n' "$(line "$to")"
  # A subject of other letters would have to be encoded; the text below has all of them.
  printf 'Subject: letterlock: %s\n' "$(line "${LETTERLOCK_EVENT_MESSAGE}" | LC_ALL=C tr -cd '\040-\176' | cut -c 1-200)"
  printf 'Auto-Submitted: auto-generated\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n'
  printf 'X-Letterlock-Event: %s\n\n' "$(line "${LETTERLOCK_EVENT_TYPE}")"
  printf '%s\n\n' "$(line "${LETTERLOCK_EVENT_MESSAGE}")"
  printf '%s\n\n' "$(line "${LETTERLOCK_EVENT_ADVICE}")"
  for field in TIMESTAMP MACHINE SEVERITY ENDPOINT ROUTE REASON CHANGE ORIGIN SPKI REFERENCE DETAIL SUPPRESSED; do
    eval "value=\${LETTERLOCK_EVENT_$field}"
    [ -z "$value" ] || printf '%-10s  %s\n' "$(printf '%s' "$field" | tr 'A-Z' 'a-z')" "$(line "$value")"
  done
} | "$sender" -i -- "$to"
