// Processor time per unit of work: every entrant in turn, and that again for each repetition, so that what disturbs
// the machine disturbs all of them.

/** Calls `told(name, number)` for each repetition of each entrant. */
export async function measureCpu(world, { workload, running, amount, reps, told }) {
  const able = running.filter((one) => one.port(workload.leg) !== undefined);
  for (const one of able) await workload.load(one.port(workload.leg), less(amount));
  for (let rep = 0; rep < reps; rep += 1)
    for (const one of able) told(one.name, await once(world, one, { workload, amount }));
}

async function once({ clock }, one, { workload, amount }) {
  await clock.settled(one.roots, one.idleSize);
  const before = await clock.used(one.roots);
  const done = await workload.load(one.port(workload.leg), amount);
  await clock.settled(one.roots, one.idleSize);
  return (((await clock.used(one.roots)) - before) / done) * workload.perUnit;
}

/** A part of the work, to be warm: caches filled, code compiled, the first session of the pin made. */
function less({ megabytes, count, ...rest }) {
  return {
    ...rest,
    ...(megabytes === undefined ? {} : { megabytes: megabytes / 4 }),
    ...(count === undefined ? {} : { count: Math.ceil(count / 2) }),
  };
}
