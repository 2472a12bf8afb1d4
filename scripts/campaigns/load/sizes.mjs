// How much of everything there is in the long form and in the short one, and how clients take their leave.

export const mebibyte = 1_048_576;

/** From five minutes on, what a long soak is; before, what fits into a check of every change. */
export const sizesOf = (seconds) =>
  seconds >= 300
    ? {
        idle: 5000,
        dovecot: 200,
        turning: 250,
        perSecond: 50,
        noops: 100,
        checkSeconds: 30,
        floodSeconds: 30,
        turns: 3,
        bulkBytes: 32 * mebibyte,
      }
    : {
        idle: 500,
        dovecot: 20,
        turning: 50,
        perSecond: 20,
        noops: 50,
        checkSeconds: 2,
        floodSeconds: 4,
        turns: 1,
        bulkBytes: 16 * mebibyte,
      };

/** `{end: weight}` as rows to draw from. */
export const endings = (table) => Object.entries(table).map(([how, weight]) => ({ how, weight }));
export const plainEndings = endings({ logout: 3, end: 2, reset: 2 });
export const allEndings = endings({
  logout: 3,
  end: 2,
  reset: 2,
  'break off': 1,
  'server ends': 1,
  'server resets': 1,
  early: 1,
});
