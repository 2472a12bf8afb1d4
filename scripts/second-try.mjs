// A vitest reporter: names at the end every test that passed at its second try only. With real peers a busy machine
// may be the reason, but it may be a race of ours as well: whoever reads this looks at the test before the next one.

export class SecondTry {
  #names = [];

  onTestCaseResult(test) {
    if (test.diagnostic()?.flaky === true)
      this.#names.push(`${test.module.relativeModuleId}: ${test.fullName}`);
  }

  onTestRunEnd() {
    for (const name of this.#names) console.log(`SECOND TRY  ${name}`);
  }
}
