// When all have left: what the clients know of their sessions against what the daemon counted.

/** Problems as sentences. `idle`, `fleeting` and `bulk` are what the processes of clients tell. */
export function account(metrics, { routes, idle, fleeting, bulk }) {
  return Object.values(routes).flatMap((route) => {
    const counts = fleeting.counts[route.name] ?? { began: 0, refused: {}, reset: 0, early: 0 };
    const began = (idle.opened[route.name] ?? 0) + counts.began + (bulk.sessions[route.name] ?? 0);
    return [
      ...connections(metrics, { route, began }),
      ...refusals(metrics, { route, counts }),
      ...failures(metrics, { route, counts }),
      ...(route.name === 'bulk' ? bytes(metrics, bulk) : []),
    ];
  });
}

/** Nobody knows how many of a flood were accepted. */
function connections(metrics, { route: { name }, began }) {
  const route = { route: name };
  const count = metrics.sum('letterlock_client_connections_total', route);
  const open = metrics.sum('letterlock_client_connections', route);
  const rejected = metrics.sum('letterlock_client_connections_rejected_total', route);
  const over = metrics.sum('letterlock_session_duration_seconds_count', route) + rejected;
  return [
    ...unless(
      name === 'flooded' ? count >= began : count === began,
      `${name}: ${count} connections counted, ${began} made`,
    ),
    ...unless(open === 0, `${name}: ${open} connections counted as open when all had left`),
    ...unless(over === count, `${name}: ${over} sessions counted as ended of ${count}`),
    ...unless(rejected === 0, `${name}: ${rejected} connections rejected, none of which was wrong`),
  ];
}

function refusals(metrics, { route: { name, endpoint }, counts }) {
  // Two routes to one server are counted together.
  if (name === 'flooded') return [];
  const counted = metrics
    .all('letterlock_refusals_total', { upstream: endpoint })
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) => [labels.reason, value]);
  const [seen, said] = [Object.entries(counts.refused), counted].map((rows) =>
    JSON.stringify(rows.toSorted()),
  );
  return unless(seen === said, `${name}: clients were refused ${seen}, and ${said} was counted`);
}

/** A client that leaves early may have been greeted in that moment. */
function failures(metrics, { route: { name }, counts }) {
  return metrics
    .all('letterlock_failures_total', { route: name })
    .filter(({ value, labels: { reason } }) => {
      if (reason === 'relay') return value !== counts.reset;
      return reason === 'client' ? name !== 'flooded' && value > counts.early : value !== 0;
    })
    .map(
      ({ value, labels: { reason } }) =>
        `${name}: ${value} failures (${reason}); servers reset ${counts.reset}, and ${counts.early} clients left early`,
    );
}

function bytes(metrics, { sent, heard }) {
  const carried = (direction) => metrics.sum('letterlock_relayed_bytes_total', { route: 'bulk', direction });
  const [up, down] = [carried('upstream'), carried('downstream')];
  return unless(
    up === sent && down === heard,
    `bulk: ${up} and ${down} bytes counted, ${sent} sent and ${heard} heard`,
  );
}

const unless = (right, sentence) => (right ? [] : [sentence]);
