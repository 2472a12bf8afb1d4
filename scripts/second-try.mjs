// A vitest reporter: tells at the end of every test that passed at its second try only, and of what failed at the first.
// A busy machine may be the reason, but it may be a race of ours as well, or a case that a property drew by chance:
// whoever reads this looks at the test before the next one.

export class SecondTry {
  #tests = [];

  onTestCaseResult(test) {
    if (test.diagnostic()?.flaky === true) this.#tests.push(test);
  }

  onTestRunEnd() {
    for (const test of this.#tests) {
      console.log(`SECOND TRY  ${test.module.relativeModuleId}: ${test.fullName}`);
      for (const { message } of test.result().errors ?? []) console.log(message.replace(/^/gm, '    '));
    }
  }
}
